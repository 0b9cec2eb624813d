import type { Cache } from './cache.js';
import { expected } from './core/errors.js';
import type {
  AsyncFn,
  CachedFunction,
  FunctionOptions,
  Handles,
  InvalidatesOptions,
  KeyOf,
  MethodDecorator,
  MethodOptions,
} from './core/functions.js';
import { decorator, handlesOf, refuseClients } from './core/wrap.js';

/** The cache of the unbound forms: one, or the one that an instance holds. */
export interface WithCacheGiven<This> {
  cache: Cache<any> | ((self: This) => Cache<any>);
}

/**
 * Caches a function or a method. `cache.withCache` is the same with the cache filled in.
 *
 * @example
 * ```ts
 * const getTeam = withCache((id: number) => db.team(id), { cache, name: 'team', ttl: '1h' })
 * await getTeam(7)
 * await getTeam.invalidate(7)
 * ```
 * @throws TypeError for wrong options, a name that is taken, or a client that belongs to an adapter
 */
export function withCache<F extends (this: void, ...args: any[]) => Promise<any>>(
  fn: F,
  o: FunctionOptions<Parameters<F>, Awaited<ReturnType<F>>, string> & { cache: Cache<any> },
): CachedFunction<F>;
export function withCache<A extends readonly unknown[] = any, R = any, This = any>(
  o: MethodOptions<A, R, This, string> & WithCacheGiven<This> & { key: KeyOf<A, This> },
): MethodDecorator<A, R, This, true>;
export function withCache<A extends readonly unknown[] = any, R = any, This = any>(
  o: MethodOptions<A, R, This, string> & WithCacheGiven<This>,
): MethodDecorator<A, R, This>;
export function withCache(first: unknown, second?: unknown): unknown {
  refuseClients(first);
  const { cache, ...options } = ((typeof first === 'function' ? second : first) ?? {}) as WithCacheGiven<unknown>;
  if (isCache(cache))
    return typeof first === 'function'
      ? cache.withCache(first as AsyncFn, options as never)
      : cache.withCache(options as never);
  if (typeof cache !== 'function' || typeof first === 'function')
    throw expected('cache', 'a cache made by createCache(), in the options of the unbound withCache', cache);
  return fromInstance(cache, (own) => own.withCache(options as never));
}

/**
 * A method decorator that invalidates after the method has succeeded: after COMMIT inside a transaction, and never
 * when it throws. `cache.invalidates` is the same with the cache filled in.
 *
 * @throws TypeError for wrong options
 */
export function invalidates<A extends readonly unknown[] = any, R = any, This = any>(
  o: InvalidatesOptions<A, R, This, string> & WithCacheGiven<This>,
): MethodDecorator<A, R, This, true> {
  const { cache, ...options } = (o ?? {}) as InvalidatesOptions<any, any, any, any> & WithCacheGiven<This>;
  if (isCache(cache)) return cache.invalidates(options);
  if (typeof cache !== 'function')
    throw expected('cache', 'a cache made by createCache(), in the options of the unbound invalidates', cache);
  return fromInstance(cache as (self: unknown) => Cache<any>, (own) => own.invalidates(options));
}

/**
 * The handles of a decorated method. `self` is the instance: for handles that call the method, for a `key` that uses
 * `this`, and for a cache that is found on the instance.
 *
 * @example
 * ```ts
 * await cacheOf(service.findOne).invalidate(7)
 * await cacheOf(service.findOne, service).fresh(7)
 * ```
 * @throws TypeError when the method is not cached
 */
export function cacheOf<F extends AsyncFn>(method: F, self?: object): Handles<Parameters<F>, Awaited<ReturnType<F>>> {
  const handles = (method as { [handlesOf]?: (self: unknown) => unknown })?.[handlesOf];
  if (handles === undefined) throw expected('method', 'a function or method that withCache has wrapped', method);
  return handles(self) as Handles<Parameters<F>, Awaited<ReturnType<F>>>;
}

const cacheBrand = Symbol.for('unstale.cache');

function isCache(value: unknown): value is Cache<any> {
  return typeof value === 'object' && value !== null && cacheBrand in value;
}

/** An injected cache is known only when the method is called; the method is then decorated once for each cache. */
function fromInstance(
  cacheOfSelf: (self: unknown) => Cache<any>,
  decorate: (own: Cache<any>) => unknown,
): MethodDecorator<any, any, any, true> {
  return decorator((method, member) => {
    const decorated = new WeakMap<object, AsyncFn>();
    const methodFor = (self: unknown): AsyncFn => {
      const own = self === undefined ? cacheWithoutSelf(cacheOfSelf, member.name) : cacheOfSelf(self);
      if (!isCache(own))
        throw expected('cache', `a function that gives the cache of the instance of '${String(member.name)}'`, own);
      let made = decorated.get(own);
      if (made === undefined) {
        made = (decorate(own) as (method: AsyncFn, context: object) => AsyncFn)(method, {
          kind: 'method',
          name: member.name,
          member,
        });
        decorated.set(own, made);
      }
      return made;
    };
    async function viaInstance(this: unknown, ...args: unknown[]): Promise<unknown> {
      return methodFor(this).apply(this, args);
    }
    return Object.assign(viaInstance, { [handlesOf]: (self: unknown) => cacheOf(methodFor(self), self as object) });
  });
}

/** There are caches that no instance is needed for. @throws TypeError where one is */
function cacheWithoutSelf(cacheOfSelf: (self: unknown) => unknown, method: string | symbol): unknown {
  try {
    return cacheOfSelf(undefined);
  } catch (cause) {
    throw new TypeError(
      `Expected '${String(method)}' to be given an instance, which has the cache: call it on one, or use cacheOf(method, instance)`,
      { cause },
    );
  }
}
