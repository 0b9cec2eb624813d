/**
 * The cache for Kysely: reads of its builders from the cache, invalidation by every statement that it sends.
 *
 * @packageDocumentation
 */
import type { Dialect, Kysely, Transaction } from 'kysely';
import { expected } from '../../src/adapter/index.js';
import { type LazyConnection, seenBy } from './connection.js';
import { type KyselyOptions, nameOf, wrapDriver } from './driver.js';

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
export type { KyselyOptions } from './driver.js';

/** Where a wrapped dialect keeps the one that it wraps. */
const wrapped: unique symbol = Symbol.for('unstale.kysely.dialect') as never;

/**
 * Wraps a dialect: every statement that an instance of Kysely sends by it is seen, of its transactions too. Writes end
 * what they change in the cache when they are committed, and loads of the cache depend on what they read. Queries that
 * run inside of `cached('1m', fn)`, or for which the options say so, come from the cache.
 *
 * The dialect that it gets stays as it is; an instance that was made with that one is not seen.
 *
 * @throws TypeError for what is no dialect, for one of SQL Server, for wrong options, and for a dialect that is wrapped
 * already
 * @example
 * ```ts
 * import { Kysely, PostgresDialect } from 'kysely';
 * import pg from 'pg';
 * import { createCache } from 'unstale';
 * import { cached, withCache } from 'unstale/kysely';
 *
 * const dialect = new PostgresDialect({ pool: new pg.Pool({ database: 'app' }) });
 * const db = new Kysely<any>({ dialect: withCache(dialect, { cache: createCache(), database: 'app' }) });
 * const user = await cached('1m', () => db.selectFrom('users').selectAll().where('id', '=', 7).executeTakeFirst());
 * ```
 */
export function withCache(dialect: Dialect, options: KyselyOptions): Dialect {
  if (typeof (dialect as Partial<Dialect> | undefined)?.createDriver !== 'function')
    throw expected('dialect', 'a dialect of Kysely: new PostgresDialect({ pool })', dialect);
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object with a `cache`', options);
  if (typeof options.database !== 'string' || options.database === '')
    throw expected('database', 'a name that no other database has', options.database);
  if (wrapped in dialect) throw new TypeError('This dialect is wrapped already: unwrap it first.');
  nameOf(dialect);
  return Object.assign(Object.create(dialect) as object, {
    [wrapped]: dialect,
    createDriver: () => wrapDriver(dialect, options),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db: Kysely<any>) => dialect.createIntrospector(db),
  });
}

/**
 * The dialect that was wrapped.
 *
 * @throws TypeError for one that was not
 */
export function unwrap(dialect: Dialect): Dialect {
  const before = (dialect as { [wrapped]?: Dialect } | undefined)?.[wrapped];
  if (before === undefined) throw expected('dialect', 'one that was wrapped by withCache', dialect);
  return before;
}

/**
 * Runs `fn` as a part of a transaction: whatever it reads from the cache goes past it, and `cache.invalidate` waits for
 * the COMMIT. Afterwards `cache.within(trx, fn)` does the same. Queries of `trx` itself need neither.
 *
 * @throws TypeError for what is no transaction of a wrapped instance
 * @example
 * ```ts
 * import type { Kysely } from 'kysely';
 * import { within } from 'unstale/kysely';
 *
 * const rename = (kysely: Kysely<any>, name: string) =>
 *   kysely.transaction().execute((trx) =>
 *     within(trx, async () => {
 *       await trx.updateTable('users').set({ name }).where('id', '=', 7).execute();
 *       await cache.invalidate('report');
 *     }),
 *   );
 * ```
 */
export async function within<T>(trx: Transaction<any>, fn: () => T | Promise<T>): Promise<T> {
  const connection = trx?.isTransaction
    ? await trx.getExecutor().provideConnection(async (it) => it as Partial<LazyConnection>)
    : undefined;
  const { cache, session } = connection?.[seenBy] ?? {};
  if (cache === undefined || session?.unit === undefined)
    throw expected('trx', 'an open transaction of an instance whose dialect was wrapped by withCache', trx);
  cache.bind(trx, session);
  return cache.within(session, fn);
}
