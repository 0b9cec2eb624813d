/**
 * The cache for Drizzle: reads of its builders from the cache, invalidation by every statement that it sends.
 *
 * @packageDocumentation
 */
import { expected, unwrapOnce, type WrapOptions, wrapOnce } from '../../src/adapter/index.js';
import { wrapAtOnce } from './at-once.js';
import { wrapSession } from './client.js';
import { type DrizzleSession, kindOf } from './internals.js';

export {
  type BatchByOptions,
  type ById,
  cached,
  type Per,
  type PerOptions,
  type TableRule,
  type WrapOptions,
} from '../../src/adapter/index.js';

export { batchBy, type Query, type RowOf } from './batch-by.js';

/** A database of `drizzle()`, as far as this adapter needs its type. */
export interface DrizzleLike {
  readonly _: object;
  select(...args: any[]): any;
  transaction(...args: any[]): any;
}

/**
 * Wraps a database of `drizzle-orm/node-postgres` or `drizzle-orm/mysql2`: every statement that it sends is seen, of its
 * transactions too. Writes end what they change in the cache when they are committed, and loads of the cache depend on
 * what they read. Queries that are marked with `.$withCache()`, that run inside of `cached('1m', fn)`, or for which the
 * options say so, come from the cache.
 *
 * The database itself is changed, and given back; another one over the same pool is not seen, nor is the pool itself.
 *
 * @throws TypeError for what is not such a database, for one that has a cache of Drizzle's own, for wrong options, and
 * for one that is wrapped with other options already
 * @example
 * ```ts
 * import { drizzle } from 'drizzle-orm/node-postgres';
 * import { createCache } from 'unstale';
 * import { cached, withCache } from 'unstale/drizzle';
 *
 * const db = withCache(drizzle('postgres://localhost/app'), { cache: createCache() });
 * const answer = await cached('1m', () => db.execute('select count(*) from users'));
 * ```
 */
export function withCache<D extends DrizzleLike>(db: D, options: WrapOptions): D {
  const session = sessionOf(db);
  const wrap = kindOf(session) === 'BetterSQLiteSession' ? wrapAtOnce : wrapSession;
  wrapOnce('drizzle', session, options, () => wrap(session, options));
  return db;
}

/**
 * Gives a wrapped database its own ways back. Transactions that are open end as wrapped ones.
 *
 * @throws TypeError for what was not wrapped
 */
export function unwrap<D extends DrizzleLike>(db: D): D {
  unwrapOnce('drizzle', sessionOf(db), 'db');
  return db;
}

function sessionOf(db: any): DrizzleSession {
  const session = db?.session;
  if (typeof session?.prepareQuery !== 'function') throw expected('db', 'a database of drizzle()', db);
  if (kindOf(db)?.endsWith('Transaction')) throw expected('db', 'a database, not one of its transactions', db);
  if (db.$primary) throw expected('db', 'a database without replicas, whose rows may be old: wrap `$primary`', db);
  const own = kindOf(session.cache);
  if (own !== undefined && own !== 'NoopCache')
    throw new TypeError(
      'Expected a database without a cache of its own: leave `cache` out of the options of drizzle().',
    );
  return session;
}
