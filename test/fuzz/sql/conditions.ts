import { type Equality, readStatement, type Value } from '../../../src/sql/index.js';
import { type Random, randomFrom } from './random.js';

/**
 * What the equalities promise, taken at its word: rows that fail one do not affect the result. Random queries over
 * three small tables are answered twice, once over all rows and once without the rows that fail, by a tiny evaluator
 * here or by a real database. The two answers must be the same.
 */
export interface Question {
  readonly sql: string;
  readonly parameters: readonly number[];
  /** The answer over these rows, as one text. */
  answer(tables: Tables): string;
}

export type Row = { readonly [column: string]: number | null };
export type Tables = { readonly [table: string]: readonly Row[] };
export type Narrowed = { readonly [table: string]: readonly Equality[] };

/** Each has a column of its own, which needs no qualifier. */
export const columnsOf: { readonly [table: string]: readonly string[] } = {
  t: ['id', 'tenant', 'x'],
  u: ['id', 'tenant', 'y'],
  v: ['id', 'tenant', 'z'],
};

type Scope = { readonly [alias: string]: Row | undefined };
type Truth = boolean | null;
interface Part<T> {
  readonly sql: string;
  value(scope: Scope, tables: Tables): T;
}
interface Source {
  readonly sql: string;
  readonly aliases: readonly (readonly [alias: string, table: string])[];
  rows(tables: Tables, outer: Scope): Scope[];
}

export function questionOf(seed: number): Question {
  const asker = new Asker(randomFrom(seed));
  const question = asker.question();
  return asker.random.chance(0.3) ? around(question, asker.random) : question;
}

export function tablesOf(seed: number): Tables {
  const random = randomFrom(seed);
  const value = () => (random.chance(0.15) ? null : random.below(3));
  return Object.fromEntries(
    Object.entries(columnsOf).map(([table, columns]) => [
      table,
      Array.from({ length: 5 }, () => Object.fromEntries(columns.map((column) => [column, value()]))),
    ]),
  );
}

/** What the reader says of each table that the question reads, of columns that the table has. */
export function narrowedBy(question: Question): Narrowed {
  const { reads, opaque } = readStatement(question.sql, { name: 'postgres' });
  if (opaque !== undefined) throw new Error(`${opaque}: ${question.sql}`);
  return Object.fromEntries(
    reads.map(({ table, equalities }) => [
      table.name,
      equalities.filter(({ columns }) => columns.every((column) => columnsOf[table.name]!.includes(column))),
    ]),
  );
}

export function satisfies(row: Row, { columns, rows }: Equality, parameters: readonly number[]): boolean {
  return rows.some((values) => columns.every((column, at) => row[column] === numberOf(values[at]!, parameters)));
}

export function numberOf(value: Value, parameters: readonly number[]): number {
  return value.kind === 'parameter' ? parameters[value.at as number]! : Number(value.text);
}

/** A query over the rows of another one, alone or beside a table. */
function around({ sql, parameters, answer }: Question, random: Random): Question {
  const kind = random.pick(['SELECT DISTINCT * FROM', 'v o LEFT JOIN', 'RIGHT JOIN v o']);
  if (kind.startsWith('SELECT'))
    return {
      sql: `${kind} (${sql}) d LIMIT 1000`,
      parameters,
      answer: (all) => [...new Set(answer(all).split('\n'))].join('\n'),
    };
  return {
    sql: `SELECT * FROM ${kind.startsWith('v') ? `${kind} (${sql}) d` : `(${sql}) d ${kind}`} ON true`,
    parameters,
    answer: (all) => {
      const rows = answer(all).split('\n');
      return all.v!.flatMap((row) => rows.map((other) => `${Object.values(row)}|${other}`)).join('\n');
    },
  };
}

class Asker {
  readonly #parameters: number[] = [];
  #aliases = 0;
  #depth = 0;

  constructor(readonly random: Random) {}

  question(): Question {
    const tables = ['t', 'u', 'v'].slice(0, 1 + this.random.below(3));
    const source = this.source(tables, []);
    const where = this.condition(source.aliases, source.aliases);
    const list = source.aliases.flatMap(([alias, table]) => columnsOf[table]!.map((column) => `${alias}.${column}`));
    return {
      sql: `SELECT ${list.join(', ')} FROM ${source.sql} WHERE ${where.sql}`,
      parameters: this.#parameters,
      answer: (all) =>
        source
          .rows(all, {})
          .filter((scope) => where.value(scope, all) === true)
          .map((scope) =>
            source.aliases
              .map(([alias, table]) => columnsOf[table]!.map((column) => scope[alias]?.[column] ?? null))
              .join('|'),
          )
          .sort()
          .join('\n'),
    };
  }

  /** A list of tables: commas, joins of every kind, brackets on the right or two conditions in a row. */
  source(tables: readonly string[], outer: Source['aliases']): Source {
    const { random } = this;
    if (tables.length === 1) {
      const table = tables[0]!;
      const alias = random.chance(0.4) ? table : `a${++this.#aliases}`;
      return {
        sql: alias === table ? table : `${table} ${alias}`,
        aliases: [[alias, table]],
        rows: (all) => all[table]!.map((row) => ({ [alias]: row })),
      };
    }
    const cut = 1 + random.below(tables.length - 1);
    const kind = random.pick(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN', 'INNER JOIN', 'LEFT JOIN']);
    const left = this.source(tables.slice(0, cut), outer);
    const right = this.source(tables.slice(cut), outer);
    const aliases = [...left.aliases, ...right.aliases];
    // PostgreSQL joins fully by equalities only.
    const on =
      kind === 'FULL JOIN' || kind === 'CROSS JOIN' ? this.plainMatch(left, right) : this.condition(aliases, aliases);
    const isNested = tables.length - cut > 1 && kind !== 'CROSS JOIN' && random.chance(0.4);
    const rightSql = right.aliases.length > 1 && !isNested ? `(${right.sql})` : right.sql;
    const sql = `${left.sql} ${kind} ${rightSql}${kind === 'CROSS JOIN' ? '' : ` ON ${on.sql}`}`;
    return {
      sql: tables.length < 3 && random.chance(0.2) ? `(${sql})` : sql,
      aliases,
      rows: (all, scope) => join(kind, left.rows(all, scope), right.rows(all, scope), on, all, scope),
    };
  }

  plainMatch(left: Source, right: Source): Part<Truth> {
    const [a] = left.aliases[0]!;
    const [b] = right.aliases[0]!;
    return { sql: `${a}.id = ${b}.id`, value: (scope) => equal(scope[a]?.id ?? null, scope[b]?.id ?? null) };
  }

  condition(near: Source['aliases'], all: Source['aliases']): Part<Truth> {
    this.#depth++;
    const { random } = this;
    const parts = Array.from({ length: 1 + random.below(3) }, () => this.part(near, all));
    this.#depth--;
    const how = random.chance(0.7) ? 'AND' : 'OR';
    // AND binds closer than OR, without brackets too.
    if (parts.length === 3 && random.chance(0.3))
      return {
        sql: `${parts[0]!.sql} AND ${parts[1]!.sql} OR ${parts[2]!.sql}`,
        value: (scope, rows) =>
          or(and(parts[0]!.value(scope, rows), parts[1]!.value(scope, rows)), parts[2]!.value(scope, rows)),
      };
    return {
      sql: parts.map(({ sql }) => sql).join(` ${how} `),
      value: (scope, rows) => parts.map((part) => part.value(scope, rows)).reduce(how === 'AND' ? and : or),
    };
  }

  part(near: Source['aliases'], all: Source['aliases']): Part<Truth> {
    const { random } = this;
    const bracket = (it: Part<Truth>, before = '', after = '', turn = (truth: Truth) => truth) => ({
      sql: `${before}(${it.sql})${after}`,
      value: (scope: Scope, rows: Tables) => turn(it.value(scope, rows)),
    });
    const deep = this.#depth > 3;
    switch (random.below(deep ? 7 : 12)) {
      case 0:
      case 1:
      case 2: {
        const [column, value] = [this.column(near, all), this.value()];
        const sides = random.chance(0.8) ? [column, value] : [value, column];
        return {
          sql: `${sides[0]!.sql} = ${sides[1]!.sql}`,
          value: (scope, rows) => equal(column.value(scope, rows), value.value(scope, rows)),
        };
      }
      case 3: {
        const [column, one, two] = [this.column(near, all), this.value(), this.value()];
        return {
          sql: `${column.sql} IN (${one.sql}, ${two.sql})`,
          value: (scope, rows) =>
            or(
              equal(column.value(scope, rows), one.value(scope, rows)),
              equal(column.value(scope, rows), two.value(scope, rows)),
            ),
        };
      }
      case 4: {
        const [column, low, high] = [this.column(near, all), this.value(), this.value()];
        return {
          sql: `${column.sql} BETWEEN ${low.sql} AND ${high.sql}`,
          value: (scope, rows) => {
            const value = column.value(scope, rows);
            return value === null ? null : value >= low.value(scope, rows)! && value <= high.value(scope, rows)!;
          },
        };
      }
      case 5: {
        const column = this.column(near, all);
        return { sql: `${column.sql} IS NULL`, value: (scope, rows) => column.value(scope, rows) === null };
      }
      case 6: {
        const [a, b, one, two] = [this.column(near, all), this.column(near, all), this.value(), this.value()];
        return {
          sql: `(${a.sql}, ${b.sql}) = (${one.sql}, ${two.sql})`,
          value: (scope, rows) =>
            and(
              equal(a.value(scope, rows), one.value(scope, rows)),
              equal(b.value(scope, rows), two.value(scope, rows)),
            ),
        };
      }
      case 7:
        return bracket(this.condition(near, all), 'NOT ', '', not);
      case 8:
        return bracket(this.condition(near, all));
      case 9:
        return bracket(this.condition(near, all), '', ' IS NOT TRUE', (truth) => truth !== true);
      case 10: {
        const [when, then] = [this.condition(near, all), this.condition(near, all)];
        return {
          sql: `CASE WHEN ${when.sql} THEN ${then.sql} ELSE true END`,
          value: (scope, rows) => (when.value(scope, rows) === true ? then.value(scope, rows) : true),
        };
      }
      default: {
        // Sometimes a table that the statement has already.
        const source = this.source([random.pick(['t', 'u', 'v'])], all);
        const within = [...all.filter(([alias]) => source.aliases[0]![0] !== alias), ...source.aliases];
        const where = this.condition(source.aliases, within);
        const isNot = random.chance(0.4);
        return {
          sql: `${isNot ? 'NOT ' : ''}EXISTS (SELECT 1 FROM ${source.sql} WHERE ${where.sql})`,
          value: (scope, rows) =>
            source.rows(rows, scope).some((row) => where.value({ ...scope, ...row }, rows) === true) !== isNot,
        };
      }
    }
  }

  /** A column of the tables at hand, or of those around them; bare where one name is enough. */
  column(near: Source['aliases'], all: Source['aliases']): Part<number | null> {
    const { random } = this;
    const [alias, table] = random.pick(random.chance(0.8) ? near : all);
    const column = random.pick(columnsOf[table]!);
    const isAlone = near.length === 1 && near[0]![0] === alias;
    const isOwn = column === columnsOf[table]![2] && all.filter(([, other]) => other === table).length === 1;
    const isBare = (isAlone || isOwn) && random.chance(0.5);
    return { sql: isBare ? column : `${alias}.${column}`, value: (scope) => scope[alias]?.[column] ?? null };
  }

  value(): Part<number | null> {
    const value = this.random.below(3);
    if (this.random.chance(0.5)) return { sql: `${value}`, value: () => value };
    this.#parameters.push(value);
    return { sql: `$${this.#parameters.length}`, value: () => value };
  }
}

function join(kind: string, left: Scope[], right: Scope[], on: Part<Truth>, all: Tables, outer: Scope): Scope[] {
  const rows: Scope[] = [];
  const met = new Set<Scope>();
  for (const a of left)
    for (const b of right)
      if (kind === 'CROSS JOIN' || on.value({ ...outer, ...a, ...b }, all) === true) {
        rows.push({ ...a, ...b });
        met.add(a).add(b);
      }
  if (/LEFT|FULL/.test(kind)) rows.push(...left.filter((a) => !met.has(a)));
  if (/RIGHT|FULL/.test(kind)) rows.push(...right.filter((b) => !met.has(b)));
  return rows;
}

function equal(a: number | null, b: number | null): Truth {
  return a === null || b === null ? null : a === b;
}

function and(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

function or(a: Truth, b: Truth): Truth {
  return not(and(not(a), not(b)));
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

/** Whether the rows that fail matter after all; the question in that case. */
export function compareConditions(
  seed: number,
  count: number,
  claimsOf = narrowedBy,
): { narrowed: number; unsound: string[] } {
  const unsound: string[] = [];
  let narrowed = 0;
  for (let at = seed; at < seed + count; at++) {
    const question = questionOf(at);
    const claims = claimsOf(question);
    if (!Object.values(claims).some((list) => list.length > 0)) continue;
    narrowed++;
    for (let data = 0; data < 4; data++) {
      const all = tablesOf(at * 4 + data);
      const some = Object.fromEntries(
        Object.entries(all).map(([table, rows]) => [
          table,
          rows.filter((row) => (claims[table] ?? []).every((claim) => satisfies(row, claim, question.parameters))),
        ]),
      );
      if (question.answer(all) !== question.answer(some)) {
        unsound.push(`seed ${at}: ${question.sql}`);
        break;
      }
    }
  }
  return { narrowed, unsound };
}

/** Whether there are rows in an answer without one that the condition names, where it is said that there are none. */
export function compareNeeds(seed: number, count: number): { needed: number; unsound: string[] } {
  const unsound: string[] = [];
  let needed = 0;
  for (let at = seed; at < seed + count; at++) {
    const question = questionOf(at);
    if (!readStatement(question.sql, { name: 'postgres' }).needsRows) continue;
    for (const [table, claims] of Object.entries(narrowedBy(question)))
      for (const claim of claims.filter(({ joins }) => !joins)) {
        const all = tablesOf(at);
        if (question.answer(all) !== '') needed++;
        const some = all[table]!.filter((row) => !satisfies(row, claim, question.parameters));
        if (question.answer({ ...all, [table]: some }) !== '') unsound.push(`seed ${at}: ${question.sql}`);
      }
  }
  return { needed, unsound };
}
