import { Inject } from '@nestjs/common';
import {
  type AllDerivable,
  type Cache,
  createCache,
  type InvalidatesOptions,
  type KeyOf,
  type MethodOptions,
  type NeedsKey,
  invalidates as unboundInvalidates,
  withCache as unboundWithCache,
} from '../../src/index.js';
import { cacheToken } from './names.js';

/** Which cache of the container, where there are several. */
export interface CacheName {
  /** The name that its module gave it. @defaultValue the one without a name */
  cache?: string;
}

/** A decorator of `experimentalDecorators`, the only ones of Nest. */
export type ProviderMethodDecorator<A extends readonly unknown[], HasKey extends boolean = false> = <
  F extends (...args: any[]) => Promise<any>,
>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<F> &
    // A callback may name fewer parameters than the method has.
    (Parameters<F> extends readonly [...A, ...any[]] ? unknown : never) &
    (HasKey extends true ? unknown : AllDerivable<Parameters<F>> extends true ? unknown : NeedsKey),
) => void;

/**
 * Caches a method of a provider or controller. The cache is the one of the module that Nest makes the provider for.
 *
 * @example
 * ```ts
 * // @nocheck: decorators of Nest
 * @Injectable()
 * class Users {
 *   @withCache({ ttl: '5m', tags: (id: number) => [`user:${id}`] })
 *   async findOne(id: number) { … }
 * }
 * ```
 * @throws TypeError for wrong options and static methods
 */
export function withCache<A extends readonly unknown[] = any, R = any, This = any>(
  options: MethodOptions<A, R, This, string> & CacheName & { key: KeyOf<A, This> },
): ProviderMethodDecorator<A, true>;
export function withCache<A extends readonly unknown[] = any, R = any, This = any>(
  options?: MethodOptions<A, R, This, string> & CacheName,
): ProviderMethodDecorator<A>;
export function withCache(o: MethodOptions<any, any, any, string> & CacheName = {}): unknown {
  const { cache: as, ...options } = o;
  return provided(
    as,
    (cache) => unboundWithCache({ ...options, cache }),
    (cache) => cache.withCache(options),
  );
}

/**
 * Invalidates after a method of a provider or controller has succeeded: after COMMIT inside a transaction, and never
 * when it throws.
 *
 * @throws TypeError for wrong options and static methods
 */
export function invalidates<A extends readonly unknown[] = any, R = any, This = any>(
  options: InvalidatesOptions<A, R, This, string> & CacheName,
): ProviderMethodDecorator<A, true>;
export function invalidates(o: InvalidatesOptions<any, any, any, string> & CacheName): unknown {
  const { cache: as, ...options } = o ?? {};
  return provided(
    as,
    (cache) => unboundInvalidates({ ...options, cache }),
    (cache) => cache.invalidates(options),
  );
}

type Decorator = (target: object, name: string | symbol, descriptor: PropertyDescriptor) => PropertyDescriptor;
type CacheOfInstance = (instance: object) => Cache<any>;

/** A decorator that has Nest put the cache on each instance, and takes it from there. */
function provided(
  as: string | undefined,
  decorate: (cache: CacheOfInstance) => unknown,
  check: (cache: Cache<any>) => unknown,
): Decorator {
  const token = cacheToken(as);
  const slot = Symbol.for(token);
  return (target, name, descriptor) => {
    if (descriptor === undefined || typeof target === 'function')
      throw new TypeError(
        `Expected '${describeMember(name)}' to be a method of instances, decorated as Nest does: compile with \`experimentalDecorators\`, and not a static one`,
      );
    // By a cache that is used for nothing else: what is wrong shows when the class is defined.
    const probe = createCache({ maxStale: Number.POSITIVE_INFINITY, memory: { maxEntries: 1 } });
    (check(probe) as Decorator)(target, name, descriptor);
    ask(target, slot, token);
    const onInstance: CacheOfInstance = (instance) => {
      const cache = (instance as { [slot]?: Cache<any> })[slot];
      if (cache === undefined)
        throw new TypeError(
          `Expected '${String(name)}' to be called on a provider that Nest has made, which has its cache: not on one that was made by \`new\` or by a factory`,
        );
      return cache;
    };
    return (decorate(onInstance) as Decorator)(target, name, descriptor);
  };
}

const asked = new WeakMap<object, Set<symbol>>();

/** Once for each class: Nest would look the cache up for each of its methods. */
function ask(target: object, slot: symbol, token: string): void {
  const slots = asked.get(target) ?? new Set();
  if (slots.has(slot)) return;
  asked.set(target, slots.add(slot));
  Inject(token)(target, slot);
}

function describeMember(member: unknown): string {
  return String((member as { name?: unknown } | undefined)?.name ?? member);
}
