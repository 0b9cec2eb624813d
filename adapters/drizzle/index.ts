/**
 * The cache for Drizzle: reads of its builders from the cache, invalidation by every statement that it sends.
 *
 * @packageDocumentation
 */
import { isDeepStrictEqual } from 'node:util';
import { expected, type WrapOptions } from '../../src/adapter/index.js';
import { type Wrapping, wrapping, wrapSession } from './client.js';
import { kindOf, type Session } from './internals.js';

export { cached, type Per, type PerOptions, type TableRule, type WrapOptions } from '../../src/adapter/index.js';

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
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object with a `cache`', options);
  for (const name of Object.keys(options))
    if (!names.includes(name))
      throw new TypeError(`Expected an option of withCache (${names.join(', ')}), got \`${name}\``);
  const before = session[wrapping];
  if (before === undefined) wrapSession(session, options);
  // Two parts of a program may do the same without knowing of each other.
  else if (before.options.cache !== options.cache || !isDeepStrictEqual({ ...before.options }, { ...options }))
    throw new TypeError('This database is wrapped already, with another cache or other options: unwrap it first.');
  return db;
}

/**
 * Gives a wrapped database its own ways back. Transactions that are open end as wrapped ones.
 *
 * @throws TypeError for what was not wrapped
 */
export function unwrap<D extends DrizzleLike>(db: D): D {
  const wrapped = sessionOf(db)[wrapping];
  if (wrapped === undefined) throw expected('db', 'a database that was wrapped by withCache', db);
  wrapped.unwrap();
  return db;
}

const names = ['cache', 'tables', 'tenant', 'default', 'functions', 'database', 'backslashEscapes', 'ansiQuotes'];

function sessionOf(db: any): Session & { [wrapping]?: Wrapping } {
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
