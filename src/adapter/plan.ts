import { warnOnce } from '../core/warn.js';
import type { RowOutput, Statement, Table } from '../sql/index.js';
import type { Catalog, Relation } from './catalog/types.js';
import { claimOf } from './claims.js';
import { Reads } from './reads.js';
import type { Rules } from './rules.js';
import type { Params, Plan, ReadTags, WriteTags } from './types.js';
import { Writes } from './writes.js';

/**
 * From a statement to its dependencies: what it says of tables meets what the catalogue says of them, and the rules of
 * their owner. It is worked out once; with values, it gives tags.
 *
 * Whatever cannot be told falls to the safe side: a read is refused, a write has changed everything.
 */
export function planOf(
  statement: Statement,
  sql: string,
  catalog: Catalog,
  rules: Rules,
  naming: Naming = usual,
): Plan {
  // Whoever changes what names mean may have fewer rights, too.
  const returning = naming.anySchema ? undefined : returningOf(statement, sql, catalog, rules);
  const planning = new Planning(statement, catalog, rules, naming);
  planning.tables();
  planning.functions();
  planning.changes(returning?.output ?? outputOf(statement));
  return planning.done(returning?.column);
}

class Planning {
  readonly #statement: Statement;
  readonly #catalog: Catalog;
  readonly #rules: Rules;
  readonly #naming: Naming;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #relations = new Set<Relation>();
  #refused: string | undefined;
  /** Why everything is changed: what somebody could say, and what nobody can. */
  #undeclared: string | undefined;
  #everything: string | undefined;
  #isChange: boolean;

  constructor(statement: Statement, catalog: Catalog, rules: Rules, naming: Naming) {
    this.#statement = statement;
    this.#catalog = catalog;
    this.#rules = rules;
    this.#naming = naming;
    this.#reads = new Reads(statement, catalog, rules);
    this.#writes = new Writes(catalog, rules);
    this.#isChange = statement.writes.length > 0;
    this.#refused = refusalOf(statement);
    if (statement.opaque !== undefined) this.#everything = `the statement cannot be read: ${statement.opaque}`;
  }

  /** What the statement reads by its own text. */
  tables(): void {
    for (const { table, equalities } of this.#statement.reads) {
      const found = relationsOf(table, this.#catalog, this.#naming);
      if (found.length !== 1) this.#refused ??= `the table ${table.name} is not in the catalogue`;
      for (const relation of found) {
        this.#isRead(relation);
        if (relation.kind === 'view') this.#reads.unseen(relation);
        else this.#reads.table(relation, equalities);
      }
    }
  }

  #isRead(relation: Relation): void {
    if (relation.unreadable !== undefined)
      this.#refused ??= `${relation.name} cannot be tracked: ${relation.unreadable}`;
    for (const one of [relation, ...relation.bases]) this.#relations.add(one);
  }

  /** What its functions do, as somebody has said. */
  functions(): void {
    for (const name of this.#statement.functions) {
      const rule = this.#rules.functionOf(name);
      if (rule === undefined) {
        const reason = `nobody said what the function ${name}() does: say it with \`functions: { '${name}': … }\``;
        this.#refused ??= reason;
        this.#undeclared ??= reason;
        continue;
      }
      for (const table of rule.reads) {
        const relation = this.#catalog.find(table);
        if (relation === undefined) {
          this.#refused ??= `${name}() is said to read ${table.name}, and there is no such table`;
          continue;
        }
        this.#isRead(relation);
        this.#reads.unseen(relation);
      }
      if (rule.writes.length === 0) continue;
      this.#refused ??= `${name}() writes`;
      this.#isChange = true;
      for (const table of rule.writes) this.#writes.named(table, `${name}()`);
    }
  }

  /** @param shown - what of the changed rows the result shows */
  changes(shown: RowOutput | undefined): void {
    for (const write of this.#statement.writes) {
      const found = relationsOf(write.table, this.#catalog, this.#naming);
      // A table that is made is read by nobody yet; one that is temporary, by nobody else.
      if (found.length === 0 && !write.creates && !isTemporary(write.table, this.#naming))
        this.#everything ??= `the table ${write.table.name} is not in the catalogue`;
      if (found.length === 1) this.#writes.table(found[0]!, write, shown);
      else if (write.how === 'truncate' || write.how === 'ddl')
        for (const relation of found) this.#writes.table(relation, write, shown);
      else for (const relation of found) this.#writes.anywhere(relation);
    }
  }

  done(returning: string | undefined): Plan {
    const { uncacheable } = this.#statement;
    const undeclared = this.#undeclared ?? this.#writes.unknown;
    if (undeclared !== undefined)
      warnOnce(`everything:${undeclared}`, `A statement ends every entry, since ${undeclared}.`);
    const everything = this.#everything ?? undeclared;
    return {
      statement: this.#statement,
      refused: this.#refused,
      uncacheable: this.#refused ?? uncacheable,
      reads: [...this.#relations],
      writes: this.#isChange || everything !== undefined,
      everything,
      readTags: lazy<ReadTags>(() => this.#reads.done()),
      writeTags: lazy<WriteTags>(() => this.#writes.done()),
      returning,
    };
  }
}

/** What the connection makes of names. */
export interface Naming {
  /** A search path was changed: a name without a schema may mean the table of any schema. */
  readonly anySchema?: boolean;
  /** Temporary tables, folded: nobody else reads them. */
  readonly temporary?: ReadonlySet<string>;
}

const usual: Naming = {};

function isTemporary({ schema, name }: Table, { temporary }: Naming): boolean {
  return schema === undefined && temporary?.has(name) === true;
}

function relationsOf(table: Table, catalog: Catalog, naming: Naming): readonly Relation[] {
  if (naming.anySchema && table.schema === undefined) return catalog.named(table.name);
  const found = catalog.find(table);
  return found === undefined ? [] : [found];
}

/** Why a value cannot be stored that was made with this statement, as far as its text tells. */
function refusalOf({ kind, opaque, writes, untracked, names }: Statement): string | undefined {
  if (opaque !== undefined) return `the statement cannot be read: ${opaque}`;
  // They return nothing that a value could be made of; nor does a comment.
  if (kind === 'set' || kind === 'transaction' || (kind === 'other' && names.size === 0)) return undefined;
  return writes.length > 0 ? 'a statement that writes' : untracked;
}

/** What the result shows of the rows that are changed: of the only change, if it is not inside of another statement. */
function outputOf({ kind, writes }: Statement): RowOutput | undefined {
  return writes.length === 1 && writes[0]!.how === kind ? writes[0]!.returned : undefined;
}

/**
 * PostgreSQL may be asked for the tenant of the row that it changes, when its statement names the row alone. Nothing may
 * stand in the way: a RETURNING of its own, more tables, something behind which nothing can be added.
 */
function returningOf(
  { kind, writes, reads }: Statement,
  sql: string,
  catalog: Catalog,
  rules: Rules,
): { column: string; output: RowOutput } | undefined {
  const [write] = writes;
  if (catalog.dialect.name !== 'postgres' || (kind !== 'update' && kind !== 'delete')) return undefined;
  if (write === undefined || writes.length > 1 || write.returning || reads.length > 0) return undefined;
  if (!/^\s*(update|delete)\b/i.test(sql) || /;|--/.test(sql)) return undefined;
  const relation = catalog.find(write.table);
  if (relation === undefined || relation.kind !== 'table' || !relation.returnable) return undefined;
  const grain = rules.grainOf(relation, catalog);
  const column = grain === undefined ? undefined : relation.columns.get(grain);
  if (grain === undefined || column === undefined) return undefined;
  if (column.generated || (kind === 'update' && (write.assigned?.includes(grain) ?? true))) return undefined;
  if (claimOf([grain], write.equalities, relation, catalog.dialect) !== undefined) return undefined;
  if (claimOf(relation.primaryKey, write.equalities, relation, catalog.dialect) === undefined) return undefined;
  return { column: column.name, output: new Map([[grain, column.name]]) };
}

/** Most statements are either read from or write: the other half is not worked out. */
function lazy<T>(make: () => (params: Params) => T): (params: Params) => T {
  let made: ((params: Params) => T) | undefined;
  return (params) => {
    made ??= make();
    return made(params);
  };
}
