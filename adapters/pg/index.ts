/**
 * The cache for node-postgres: reads of pools and clients from the cache, invalidation by every statement that they send.
 *
 * @packageDocumentation
 */
import type {} from 'pg';
import { expected, type Per, unwrapOnce, type WrapOptions, wrapOnce } from '../../src/adapter/index.js';
import { isPool, wrap } from './client.js';
import type { PgClient, PgPool } from './internals.js';

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

declare module 'pg' {
  interface QueryConfig<I = any[]> {
    /**
     * What this query reads may come from the cache, for so long; `false`: never. Only of a pool or client that was
     * wrapped by `withCache`; writes and queries of a transaction ignore it.
     */
    cache?: Per | undefined;
  }
}

/** A `Pool` or a `Client` of `pg`, as far as this adapter needs its type. */
export interface PgLike {
  query(...args: any[]): any;
  connect(...args: any[]): any;
  end(...args: any[]): any;
  on(event: any, listener: any): any;
}

/**
 * Wraps a `Pool`, with all the clients that it gives out, or a `Client` of its own: every statement that they send is
 * seen. Writes end what they change in the cache when they are committed, and loads of the cache depend on what they
 * read. Queries with `cache: '1m'`, that run inside of `cached('1m', fn)`, or for which the options say so, come from
 * the cache.
 *
 * The object itself is changed, and given back; another pool of the same database is not seen.
 *
 * @throws TypeError for what is no pool and no client, for wrong options, and for one that is wrapped with other options
 * already
 * @example
 * ```ts
 * import pg from 'pg';
 * import { createCache } from 'unstale';
 * import { withCache } from 'unstale/pg';
 *
 * const pool = withCache(new pg.Pool({ database: 'app' }), { cache: createCache() });
 * const { rows } = await pool.query({ text: 'select * from users where id = $1', values: [7], cache: '1m' });
 * ```
 */
export function withCache<P extends PgLike>(pool: P, options: WrapOptions): P {
  const given = checked(pool);
  wrapOnce('pg', given, options, () => wrap(given, options));
  return pool;
}

/**
 * Gives a wrapped pool or client its own ways back. Transactions that are open end as wrapped ones.
 *
 * @throws TypeError for what was not wrapped
 */
export function unwrap<P extends PgLike>(pool: P): P {
  unwrapOnce('pg', checked(pool), 'pool');
  return pool;
}

function checked(given: unknown): PgPool | PgClient {
  const pool = (typeof given === 'object' && given !== null ? given : {}) as Partial<PgPool & PgClient>;
  const methods = ['query', 'connect', 'end'] as const;
  const isOne =
    methods.every((name) => typeof pool[name] === 'function') && (isPool(pool) || 'connectionParameters' in pool);
  if (!isOne) throw expected('pool', 'a Pool or a Client of pg', given);
  if ('release' in pool) throw expected('pool', 'a Pool, not one of its clients: those are wrapped with it', given);
  return pool as PgPool;
}
