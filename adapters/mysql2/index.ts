/**
 * The cache for mysql2: reads of pools and connections from the cache, invalidation by every statement that they send.
 *
 * @packageDocumentation
 */
import { isDeepStrictEqual } from 'node:util';
import type {} from 'mysql2';
import { expected, type Per, type WrapOptions } from '../../src/adapter/index.js';
import { coreOf, wrap, wrapping } from './pool.js';

export { cached, type Per, type PerOptions, type TableRule, type WrapOptions } from '../../src/adapter/index.js';

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
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object with a `cache`', options);
  const before = core[wrapping];
  if (before === undefined) wrap(core, options);
  // Two parts of a program may do the same without knowing of each other.
  else if (before.options.cache !== options.cache || !isDeepStrictEqual({ ...before.options }, { ...options }))
    throw new TypeError('This is wrapped already, with another cache or other options: unwrap it first.');
  if (core !== (pool as unknown)) core[wrapping]?.know(pool as never);
  return pool;
}

/**
 * Gives a wrapped pool or connection its own ways back. Transactions that are open end as wrapped ones.
 *
 * @throws TypeError for what was not wrapped
 */
export function unwrap<P extends Mysql2Like>(pool: P): P {
  const wrapped = coreOf(pool)[wrapping];
  if (wrapped === undefined) throw expected('pool', 'a pool or connection that was wrapped by withCache', pool);
  wrapped.unwrap();
  return pool;
}
