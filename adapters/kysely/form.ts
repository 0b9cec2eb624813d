import type { QueryResult } from 'kysely';
import type { Form } from '../../src/adapter/index.js';

type Result = QueryResult<any>;

/**
 * A query has rows and nothing else. Of all values that `pg` makes by itself, intervals alone are of a class of their
 * own, and Kysely does not say of what type a column is: they are known by what they can do.
 */
export function formOf(ask: (sql: string) => Promise<readonly any[]>): Form<Result> {
  let kind: Promise<object> | undefined;
  const change = (rows: readonly any[], names: readonly string[], by: (value: any) => unknown) => {
    const deep = (value: unknown): unknown => (Array.isArray(value) ? value.map(deep) : value && by(value));
    return rows.map((row) => ({ ...row, ...Object.fromEntries(names.map((name) => [name, deep(row[name])])) }));
  };
  const revived = async ({ rows, intervals }: Packed): Promise<Result> => {
    kind ??= ask(`select '1 day'::interval as one`).then(([row]) => Object.getPrototypeOf(row.one));
    const prototype = await kind;
    return { rows: change(rows, intervals ?? [], (value) => Object.assign(Object.create(prototype), value)) };
  };
  return {
    pack({ rows }): Packed {
      const intervals = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => isInterval(row[name])));
      if (intervals.length === 0) return { rows };
      return { rows: change(rows, intervals, (value) => ({ ...value })), intervals };
    },
    unpack(packed) {
      const { rows, intervals } = packed as Packed;
      // Whoever reads it waits for it anyway.
      return intervals === undefined ? { rows: rows as any[] } : (revived(packed as Packed) as never);
    },
  };
}

interface Packed {
  readonly rows: readonly any[];
  /** Columns that have some. */
  readonly intervals?: readonly string[];
}

function isInterval(value: any): boolean {
  if (Array.isArray(value)) return value.some(isInterval);
  return typeof value?.toPostgres === 'function' && typeof value.toISOString === 'function';
}
