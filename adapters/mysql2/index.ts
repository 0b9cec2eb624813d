/**
 * The cache for mysql2: reads of pools and connections from the cache, invalidation by every statement that they send.
 *
 * @packageDocumentation
 */
import type {} from 'mysql2';
import { type Per, unwrapOnce, type WrapOptions, wrapOnce } from '../../src/adapter/index.js';
import { coreOf } from './internals.js';
import { wrap } from './pool.js';

export {
  type BatchByOptions,
  type ById,
  cached,
  type Per,
  type PerOptions,
  type TableRule,
  type WrapOptions,
} from '../../src/adapter/index.js';

export { batchBy, type Query } from './batch-by.js';

declare module 'mysql2' {
  interface QueryOptions {
    /**
     * What this query reads may come from the cache, for so long; `false`: never. Only of a pool or connection that was
     * wrapped by `withCache`; writes and queries of a transaction ignore it.
     */
    cache?: Per | undefined;
  }
}

/** A pool or a connection of `mysql2` or `mysql2/promise`, as far as this adapter needs its type. */
export interface Mysql2Like {
  query(...args: any[]): any;
  execute(...args: any[]): any;
  end(...args: any[]): any;
  on(event: any, listener: any): any;
}

/**
 * Wraps a pool, with all the connections that it gives out, or a connection of its own, with callbacks or promises:
 * every statement that they send is seen. Writes end what they change in the cache when they are committed, and loads of
 * the cache depend on what they read. Queries with `cache: '1m'`, that run inside of `cached('1m', fn)`, or for which
 * the options say so, come from the cache.
 *
 * The object itself is changed, and given back; another pool of the same database is not seen.
 *
 * @throws TypeError for what is no pool and no connection, for a database that cannot be read from its configuration,
 * for wrong options, and for one that is wrapped with other options already
 * @example
 * ```ts
 * import mysql from 'mysql2/promise';
 * import { createCache } from 'unstale';
 * import { withCache } from 'unstale/mysql2';
 *
 * const pool = withCache(mysql.createPool('mysql://localhost/app'), { cache: createCache() });
 * const [rows] = await pool.query({ sql: 'select * from users where id = ?', values: [7], cache: '1m' });
 * ```
 */
export function withCache<P extends Mysql2Like>(pool: P, options: WrapOptions): P {
  const core = coreOf(pool);
  wrapOnce('mysql2', core, options, () => wrap(core, options));
  return pool;
}

/**
 * Gives a wrapped pool or connection its own ways back. Transactions that are open end as wrapped ones.
 *
 * @throws TypeError for what was not wrapped
 */
export function unwrap<P extends Mysql2Like>(pool: P): P {
  unwrapOnce('mysql2', coreOf(pool), 'pool');
  return pool;
}
