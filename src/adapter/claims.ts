import type { Dialect, Equality, Inserted, Value } from '../sql/index.js';
import type { Column, Relation } from './catalog/types.js';
import type { Params, Row } from './types.js';
import { type Fit, fitOf, maxClaims, textsOf, type Use } from './values.js';

/** Values of some columns, in their order. */
export type Key = readonly string[];

/** The keys that a statement says its rows have, once its parameters are there; undefined when it does not say. */
export type Claim = (params: Params) => readonly Key[] | undefined;

/** A column with its place in a list of values. */
interface Part {
  readonly at: number;
  readonly column: Column;
  readonly fit: Fit;
}

/**
 * The keys that conditions leave. One condition may name them all (`(a, b) IN (…)`); or each column has its own, and
 * then all combinations are meant. Of several that would do, that with the fewest values is taken.
 */
export function claimOf(
  columns: readonly string[],
  equalities: readonly Equality[],
  relation: Relation,
  dialect: Dialect,
): Claim | undefined {
  if (columns.length === 0) return undefined;
  const whole = equalities.flatMap((it) => rowsOf(columns, it, relation, dialect) ?? []);
  const single = columns.map((column) => equalities.flatMap((it) => rowsOf([column], it, relation, dialect) ?? []));
  const isCrossed = columns.length > 1 && single.every((some) => some.length > 0);
  if (whole.length === 0 && !isCrossed) return undefined;
  return (params) => {
    const keys = fewest(whole, params);
    if (!isCrossed) return keys;
    const crossed = cross(single.map((some) => fewest(some, params)));
    return keys === undefined || (crossed !== undefined && crossed.length < keys.length) ? crossed : keys;
  };
}

/** What one equality says of these columns. */
function rowsOf(
  columns: readonly string[],
  equality: Equality,
  relation: Relation,
  dialect: Dialect,
): Claim | undefined {
  const parts = partsOf(columns, equality.columns, relation, dialect, 'compared');
  if (parts === undefined || equality.rows.length > maxClaims) return undefined;
  return (params) => keysOf(equality.rows, parts, params);
}

function partsOf(
  columns: readonly string[],
  given: readonly string[],
  relation: Relation,
  dialect: Dialect,
  use: Use,
): Part[] | undefined {
  const parts: Part[] = [];
  for (const name of columns) {
    const at = given.indexOf(name);
    const column = relation.columns.get(name);
    if (at < 0 || column === undefined || column.type === 'other') return undefined;
    parts.push({ at, column, fit: fitOf(column, dialect, use) });
  }
  return parts;
}

function keysOf(
  rows: readonly (readonly (Value | undefined)[])[],
  parts: readonly Part[],
  params: Params,
): readonly Key[] | undefined {
  const keys = new Map<string, Key>();
  for (const row of rows) {
    const values: (string[] | undefined)[] = parts.map(({ at, column, fit }) => textsOf(row[at], column, fit, params));
    const found = cross(values.map((texts) => texts?.map((text) => [text])));
    if (found === undefined) return undefined;
    for (const key of found) keys.set(key.join('\0'), key);
    if (keys.size > maxClaims) return undefined;
  }
  return [...keys.values()];
}

/** The shortest answer of those that have one. */
function fewest(claims: readonly Claim[], params: Params): readonly Key[] | undefined {
  let best: readonly Key[] | undefined;
  for (const claim of claims) {
    const keys = claim(params);
    if (keys !== undefined && (best === undefined || keys.length < best.length)) best = keys;
  }
  return best;
}

function cross(parts: readonly (readonly Key[] | undefined)[]): readonly Key[] | undefined {
  let keys: readonly Key[] = [[]];
  for (const some of parts) {
    if (some === undefined || keys.length * some.length > maxClaims) return undefined;
    keys = keys.flatMap((key) => some.map((more) => [...key, ...more]));
  }
  return keys;
}

/** The keys of the rows that an INSERT adds. */
export function insertedOf(
  columns: readonly string[],
  inserted: Inserted | undefined,
  relation: Relation,
  dialect: Dialect,
): Claim | undefined {
  if (inserted === undefined || columns.length === 0 || inserted.rows.length > 10_000) return undefined;
  const given = inserted.columns ?? allColumns(inserted.rows, relation, dialect);
  const parts = given === undefined ? undefined : partsOf(columns, given, relation, dialect, 'stored');
  return parts === undefined ? undefined : (params) => keysOf(inserted.rows, parts, params);
}

/**
 * The columns that values without names go into. SQLite leaves out generated ones, MySQL invisible ones, which are not
 * told apart here: so the number must be right. PostgreSQL fills up what is missing at the end.
 */
function allColumns(
  rows: readonly (readonly unknown[])[],
  relation: Relation,
  dialect: Dialect,
): readonly string[] | undefined {
  const all = [...relation.columns]
    .filter(([, column]) => dialect.name !== 'sqlite' || !column.generated)
    .map(([name]) => name);
  const fits = rows.every(({ length }) => (dialect.name === 'postgres' ? length <= all.length : length === all.length));
  return fits ? all : undefined;
}

/** The keys in rows as the driver gives them; `names` are the properties of `columns`. */
export function shownOf(
  columns: readonly string[],
  names: readonly (string | undefined)[],
  relation: Relation,
  dialect: Dialect,
): ((rows: readonly Row[]) => readonly Key[] | undefined) | undefined {
  const parts = partsOf(columns, columns, relation, dialect, 'returned');
  if (parts === undefined || columns.length === 0 || names.includes(undefined)) return undefined;
  return (rows) => {
    const keys = new Map<string, Key>();
    for (const row of rows) {
      const key: string[] = [];
      for (const { at, fit } of parts) {
        const text = fit(row[names[at] as string], false);
        if (text === undefined) return undefined;
        key.push(text);
      }
      keys.set(key.join('\0'), key);
      if (keys.size > maxClaims) return undefined;
    }
    return [...keys.values()];
  };
}
