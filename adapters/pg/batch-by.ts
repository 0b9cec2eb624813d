import {
  type BatchByOptions,
  type ById,
  type Client,
  clientIn,
  expected,
  batchBy as inBatches,
} from '../../src/adapter/index.js';

interface Pool {
  query(config: any): Promise<{ rows: any[] }>;
  readonly [clientIn]?: Client<any>;
}

/** Makes the query for these values. */
export type Query<Id> = (ids: readonly Id[]) => { text: string; values: readonly unknown[] };

/**
 * The rows of a query by a column: all values that are asked for in one tick are one query, and each value's rows are an
 * entry of their own. What the query asks for must not count the rows of all values together, by a LIMIT say.
 *
 * @param query - makes the query for these values; it must be the same for all but for them
 * @throws TypeError for a pool that was not wrapped
 * @example
 * ```ts
 * import pg from 'pg';
 * import { batchBy, withCache } from 'unstale/pg';
 *
 * const pool = withCache(new pg.Pool({ database: 'app' }), { cache });
 * const responses = batchBy<{ id: number; post_id: number }>(
 *   pool,
 *   (ids) => ({ text: 'select * from responses where post_id = any($1)', values: [ids] }),
 *   'post_id',
 * );
 * const lists = await Promise.all(posts.map((post) => responses(post.id)));
 * ```
 */
export function batchBy<Row extends object, Id = any>(
  pool: { query(...args: any[]): any },
  query: Query<Id>,
  column: string,
  options: BatchByOptions & { many: false },
): ById<Id, Row | null>;
export function batchBy<Row extends object, Id = any>(
  pool: { query(...args: any[]): any },
  query: Query<Id>,
  column: string,
  options?: BatchByOptions & { many?: true },
): ById<Id, Row[]>;
export function batchBy(pool: any, query: Query<any>, column: string, options?: BatchByOptions): ById<any, any> {
  if (typeof query !== 'function') throw expected('query', 'a function from values to { text, values }', query);
  const { text, values } = query([]);
  return inBatches(
    {
      client: (pool as Pool | undefined)?.[clientIn],
      of: 'pool',
      sql: text,
      params: values,
      column,
      load: async (ids) => (await (pool as Pool).query(query(ids))).rows,
    },
    options,
  );
}
