import {
  type BatchByOptions,
  type ById,
  type Client,
  clientIn,
  expected,
  batchBy as inBatches,
} from '../../src/adapter/index.js';
import { coreOf } from './internals.js';

/** Makes the query for these values. */
export type Query<Id> = (ids: Id[]) => { sql: string; values: readonly unknown[] };

/**
 * The rows of a query by a column: all values that are asked for in one tick are one query, and each value's rows are an
 * entry of their own. What the query asks for must not count the rows of all values together, by a LIMIT say.
 *
 * @param pool - with callbacks or promises
 * @param query - makes the query for these values; it must be the same for all but for them
 * @throws TypeError for a pool that was not wrapped
 * @example
 * ```ts
 * import mysql from 'mysql2/promise';
 * import { batchBy, withCache } from 'unstale/mysql2';
 *
 * const pool = withCache(mysql.createPool('mysql://localhost/app'), { cache });
 * const responses = batchBy<{ id: number; post_id: number }>(
 *   pool,
 *   (ids) => ({ sql: 'select * from responses where post_id in (?)', values: [ids] }),
 *   'post_id',
 * );
 * const lists = await Promise.all(posts.map((post) => responses(post.id)));
 * ```
 */
export function batchBy<Row extends object, Id = any>(
  pool: object,
  query: Query<Id>,
  column: string,
  options: BatchByOptions & { many: false },
): ById<Id, Row | null>;
export function batchBy<Row extends object, Id = any>(
  pool: object,
  query: Query<Id>,
  column: string,
  options?: BatchByOptions & { many?: true },
): ById<Id, Row[]>;
export function batchBy(pool: object, query: Query<any>, column: string, options?: BatchByOptions): ById<any, any> {
  if (typeof query !== 'function') throw expected('query', 'a function from values to { sql, values }', query);
  const core = coreOf(pool) as ReturnType<typeof coreOf> & { readonly [clientIn]?: Client<any> };
  const { sql, values } = query([null]);
  const load = (ids: readonly unknown[]) =>
    new Promise<object[]>((resolve, reject) => {
      const done = (error: unknown, rows: object[]) => (error ? reject(error) : resolve(rows));
      core.query(query([...ids]), done);
    });
  return inBatches({ client: core[clientIn], of: 'pool', sql, params: values, column, load }, options);
}
