/**
 * The cache for Prisma: results from the cache, invalidation by every statement that its driver adapter sends.
 *
 * @packageDocumentation
 */
import { expected } from '../../src/adapter/index.js';
import { type PrismaOptions, wrapFactory } from './factory.js';
import type { DriverAdapterFactory, PrismaClientLike } from './internals.js';
import { extended } from './reads.js';
import { type Wrapped, wrapped } from './rows.js';
import type { CachedClient } from './types.js';

export { cached, type Per, type PerOptions, type TableRule, type WrapOptions } from '../../src/adapter/index.js';
export type { PrismaOptions } from './factory.js';
export type { DriverAdapterFactory, PrismaClientLike } from './internals.js';
export type { CacheArgument, CachedClient } from './types.js';

/**
 * Wraps a driver adapter: every statement that a client sends by it is seen, raw SQL and those of transactions too.
 * Writes end what they change in the cache when they are committed, and loads of the cache depend on what they read.
 * The driver adapter that it gets stays as it is.
 *
 * @throws TypeError for what is no driver adapter, for one of another database, for wrong options, and for one that is
 * wrapped already
 */
export function withCache<F extends DriverAdapterFactory>(adapter: F, options: PrismaOptions): F;
/**
 * Extends a client whose driver adapter is wrapped: its reads take `cache: '1m'`, and those for which a rule or
 * `cached` says so come from the cache. Do it after other extensions: what they make of a query is then seen.
 *
 * @throws TypeError for a client whose driver adapter is not wrapped
 * @example
 * ```ts
 * // @nocheck: needs a client that was generated
 * import { PrismaPg } from '@prisma/adapter-pg';
 * import { createCache } from 'unstale';
 * import { withCache } from 'unstale/prisma';
 * import { PrismaClient } from './generated/client';
 *
 * const adapter = withCache(new PrismaPg(process.env.DATABASE_URL!), { cache: createCache() });
 * const prisma = withCache(new PrismaClient({ adapter }));
 * const user = await prisma.user.findUnique({ where: { id: 7 }, cache: '1m' });
 * ```
 */
export function withCache<C extends PrismaClientLike>(client: C): CachedClient<C>;
export function withCache(thing: DriverAdapterFactory | PrismaClientLike, options?: PrismaOptions): unknown {
  if (isClient(thing)) {
    if (options !== undefined)
      throw new TypeError('Expected the options with the driver adapter, got them with the client.');
    return extended(thing);
  }
  if (typeof (thing as Partial<DriverAdapterFactory> | undefined)?.connect !== 'function')
    throw expected('adapter', 'a driver adapter such as new PrismaPg(…), or a PrismaClient', thing);
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object with a `cache`', options);
  if (wrapped in thing) throw new TypeError('This driver adapter is wrapped already: unwrap it first.');
  return wrapFactory(thing, options);
}

/**
 * The driver adapter that was wrapped.
 *
 * @throws TypeError for one that was not
 */
export function unwrap<F extends DriverAdapterFactory>(adapter: F): F {
  const { before } = (adapter as { [wrapped]?: Wrapped } | undefined)?.[wrapped] ?? {};
  if (before === undefined) throw expected('adapter', 'one that was wrapped by withCache', adapter);
  return before as F;
}

function isClient(thing: unknown): thing is PrismaClientLike {
  return typeof (thing as Partial<PrismaClientLike> | undefined)?.$extends === 'function';
}
