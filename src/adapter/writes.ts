import { ignoredStar, rowsStar, rowTag, tenantsStar, tenantTag } from '../core/table-tags.js';
import { treeMark } from '../core/tree-tags.js';
import type { RowOutput, Write } from '../sql/index.js';
import type { Catalog, Relation } from './catalog/types.js';
import { type Claim, claimOf, insertedOf, type Key, shownOf } from './claims.js';
import type { Part } from './part.js';
import { Reach } from './reach.js';
import type { Rules } from './rules.js';
import { treeParts } from './trees.js';
import type { Params, WriteTags } from './types.js';

/**
 * What a statement that writes ends. Of each table that it changes: `T`; the rows and the tenants that it names, or the
 * stars where it names none, or where it does not only change them but makes others of them. What the database adds by
 * itself is in {@link Reach}.
 */
export class Writes {
  readonly #reach: Reach;
  readonly #parts: Part[] = [];
  readonly #catalog: Catalog;
  readonly #rules: Rules;

  constructor(catalog: Catalog, rules: Rules) {
    this.#catalog = catalog;
    this.#rules = rules;
    this.#reach = new Reach(catalog, rules);
  }

  /** Why nobody can tell what is changed, if nobody can. */
  get unknown(): string | undefined {
    return this.#reach.unknown;
  }

  /** What somebody says a function changes. */
  get named(): Reach['named'] {
    return (table, by) => this.#reach.named(table, by);
  }

  /** Anything may happen to rows of it. */
  anywhere(relation: Relation): void {
    this.#reach.all(relation);
  }

  /** @param shown - what of the changed rows the result shows, when it shows no others */
  table(relation: Relation, write: Write, shown: RowOutput | undefined): void {
    const reach = this.#reach;
    // It has no rows that anybody knows; but its name may have meant another table until now.
    if (write.creates) return reach.star(relation);
    if (relation.kind === 'view') return reach.all(relation);
    switch (write.how) {
      case 'truncate':
      case 'ddl':
        return reach.emptied(relation);
      case 'replace':
      case 'merge':
        // They may delete, or change, rows that are not named.
        return reach.all(relation);
    }
    const changes = changesOf(relation, write);
    reach.triggers(relation);
    if (write.how === 'delete') reach.deleted(relation);
    if (write.how === 'update' || write.how === 'upsert') reach.updated(relation, changes);
    const isIgnored = this.#isIgnored(relation, write);
    reach.tags.add(isIgnored ? ignoredStar(relation.tag) : relation.tag);
    if (write.how !== 'insert') this.#parts.push(this.#rows(relation, write, changes, shown));
    if (!isIgnored) this.#parts.push(this.#tenants(relation, write, changes, shown));
    const { tree } = this.#rules.of(relation, this.#catalog);
    if (tree === undefined) return;
    reach.tags.add(treeMark(relation.tag));
    this.#parts.push(...treeParts(relation, write, tree, this.#catalog, shown));
  }

  /**
   * Whether it changes nothing but columns that most reads do not want to hear of. Those are told that name them. What a
   * generated column makes of them, or a trigger of the row, would be seen by others.
   */
  #isIgnored(relation: Relation, { how, assigned }: Write): boolean {
    const { ignored } = this.#rules.of(relation, this.#catalog);
    if (how !== 'update' || assigned === undefined || assigned.length === 0) return false;
    if (!assigned.every((column) => ignored.has(column)) || relation.triggers.length > 0) return false;
    const grain = this.#rules.grainOf(relation, this.#catalog);
    if (assigned.some((column) => column === grain || relation.primaryKey.includes(column))) return false;
    return [...relation.columns].every(([name, column]) => !column.generated || ignored.has(name));
  }

  #rows(relation: Relation, write: Write, changes: Changes, shown: RowOutput | undefined): Part {
    const { tag, primaryKey } = relation;
    const part = { star: rowsStar(tag), tagOf: (key: Key) => rowTag(tag, key) };
    // A row with another key is another row: a read of that one must end as well.
    if (primaryKey.length === 0 || primaryKey.some(changes)) return { ...part, claim: undefined, shown: undefined };
    const claim =
      write.how !== 'upsert'
        ? claimOf(primaryKey, write.equalities, relation, this.#catalog.dialect)
        : isSame(write.conflict, primaryKey)
          ? insertedOf(primaryKey, write.inserted, relation, this.#catalog.dialect)
          : undefined;
    return { ...part, claim, shown: this.#shown(primaryKey, relation, shown) };
  }

  #tenants(relation: Relation, write: Write, changes: Changes, shown: RowOutput | undefined): Part {
    const { tag } = relation;
    const { dialect } = this.#catalog;
    const grain = this.#rules.grainOf(relation, this.#catalog);
    const part = { star: tenantsStar(tag), tagOf: ([value]: Key) => tenantTag(tag, value as string) };
    // A row that moves leaves a tenant and comes to another.
    if (grain === undefined || (write.how !== 'insert' && changes(grain)))
      return { ...part, claim: undefined, shown: undefined };
    let claim: Claim | undefined;
    if (write.how === 'insert') claim = insertedOf([grain], write.inserted, relation, dialect);
    else if (write.how !== 'upsert') claim = claimOf([grain], write.equalities, relation, dialect);
    // The row that was in the way has the tenant of the new one if that is how it was found.
    else if (write.conflict?.includes(grain)) claim = insertedOf([grain], write.inserted, relation, dialect);
    return { ...part, claim, shown: this.#shown([grain], relation, shown) };
  }

  #shown(columns: readonly string[], relation: Relation, output: RowOutput | undefined) {
    if (output === undefined) return undefined;
    const names = columns.map((name) => (output === 'all' ? relation.columns.get(name)?.name : output.get(name)));
    return shownOf(columns, names, relation, this.#catalog.dialect);
  }

  /** The function that makes tags from values. */
  done(): (params: Params) => WriteTags {
    const always = [...this.#reach.tags];
    const parts = this.#parts.filter(({ star }) => !this.#reach.tags.has(star));
    return (params) => {
      const claimed = parts.map((part) => part.claim?.(params));
      const tagsOf = (known: readonly (readonly Key[] | undefined)[]) => {
        const tags = new Set(always);
        for (const [at, { star, tagOf }] of parts.entries()) {
          const keys = known[at];
          if (keys === undefined) tags.add(star);
          else for (const key of keys) tags.add(tagOf(key));
        }
        return [...tags];
      };
      const tags = tagsOf(claimed);
      return {
        tags,
        refine(rows) {
          // No rows may mean that nothing was changed, or that somebody did not look.
          if (rows.length === 0 || parts.every(({ shown }) => shown === undefined)) return tags;
          return tagsOf(parts.map(({ shown }, at) => claimed[at] ?? shown?.(rows)));
        },
      };
    };
  }
}

type Changes = (column: string) => boolean;

/** SQLite: other names of a primary key that is an integer. */
const rowIds = new Set(['rowid', '_rowid_', 'oid']);

/** Whether rows that were there before may get another value in a column. */
function changesOf(relation: Relation, { how, assigned }: Write): Changes {
  if (how === 'insert' || how === 'delete') return () => false;
  const isMoved = assigned?.some((column) => rowIds.has(column) && !relation.columns.has(column));
  return (column) =>
    assigned === undefined || isMoved || assigned.includes(column) || relation.columns.get(column)?.generated === true;
}

function isSame(some: readonly string[] | undefined, others: readonly string[]): boolean {
  return some !== undefined && some.length === others.length && others.every((one) => some.includes(one));
}
