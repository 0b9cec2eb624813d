import type { Cache } from './cache.js';
import { expected } from './core/errors.js';
import { type Gathered, type Port, portOf } from './core/port.js';

export interface TrackedOptions {
  /** The cache whose loads use it. */
  cache: Cache<any>;
}

/** What is used of a DataLoader. */
export interface SharedLoader {
  load(key: any): Promise<any>;
  loadMany(keys: any): Promise<any>;
  clear(key: any): unknown;
  clearAll(): unknown;
  prime(key: any, value: any): unknown;
}

/**
 * For what several loads of a cache share: a DataLoader, whose batches and memory serve whoever asks, or a function that
 * gives a promise which it keeps. Its queries run once, in the async context of whoever came first, so the others do not
 * hear of them. Tracked, everyone who gets a result depends on what it was made of.
 *
 * A DataLoader is changed, and given back. A function must be the one that keeps the promise, not one around it.
 *
 * @example
 * ```ts
 * import DataLoader from 'dataloader';
 * import { tracked } from 'unstale';
 *
 * const users = tracked(new DataLoader((ids: readonly number[]) => db.users(ids)), { cache });
 *
 * let kept: Promise<unknown> | undefined;
 * const getTeam = tracked(() => (kept ??= db.team(1)), { cache });
 * ```
 * @throws TypeError for what is neither, and for a loader that is tracked for another cache
 */
export function tracked<L extends SharedLoader>(loader: L, options: TrackedOptions): L;
export function tracked<F extends (...args: any[]) => Promise<any>>(fn: F, options: TrackedOptions): F;
export function tracked(thing: unknown, options: TrackedOptions): unknown {
  const port = (options?.cache as { [portOf]?: Port } | undefined)?.[portOf];
  if (port === undefined) throw expected('cache', 'a cache made by createCache()', options?.cache);
  if (typeof thing === 'function') return trackFunction(thing as AsyncFn, port);
  if (!isLoader(thing)) throw expected('thing', 'a DataLoader (version 2), or a function that gives a promise', thing);
  const before = thing[trackedFor];
  if (before !== undefined && before !== options.cache)
    throw new TypeError('This DataLoader is tracked already, for another cache.');
  if (before === undefined) trackLoader(thing, port);
  thing[trackedFor] = options.cache;
  return thing;
}

type AsyncFn = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** The promise that a function gives tells which of its calls has made it. */
function trackFunction(fn: AsyncFn, port: Port): AsyncFn {
  const name = fn.name || 'a tracked function';
  const makers = new WeakMap<Promise<unknown>, Gathered>();
  return function trackedCall(this: unknown, ...args) {
    const from = new Set<Gathered>();
    const result = port.gather(name, (into) => {
      const promise = fn.apply(this, args);
      from.add(into);
      // What is no promise may do its work anew each time that somebody waits for it, as a query builder does.
      if (!(promise instanceof Promise)) return promise;
      const maker = makers.get(promise);
      if (maker === undefined) makers.set(promise, into);
      else from.add(maker);
      return promise;
    });
    return passedUp(result, port, name, () => from);
  };
}

/** What is used of the inside of DataLoader 2: how it loads, and what it remembers. */
interface Loader extends SharedLoader {
  readonly name?: string | null;
  _batchLoadFn(keys: readonly unknown[]): Promise<unknown>;
  readonly _cacheKeyFn: (key: unknown) => unknown;
  readonly _cacheMap: { get(key: unknown): Promise<unknown> | undefined } | null;
  [trackedFor]?: Cache<any>;
}

const trackedFor: unique symbol = Symbol.for('unstale.tracked') as never;

function isLoader(thing: any): thing is Loader {
  const methods = ['load', 'loadMany', 'clear', 'clearAll', 'prime', '_batchLoadFn', '_cacheKeyFn'];
  return typeof thing === 'object' && thing !== null && methods.every((name) => typeof thing[name] === 'function');
}

/**
 * A loader remembers promises, so what they depend on is kept with each of them, and is forgotten with it. A promise is
 * made by `load` and filled by a batch: by any that has its key while it waits, since the same key may be in two.
 */
function trackLoader(loader: Loader, port: Port): void {
  const { load, prime, _batchLoadFn: batch } = loader;
  const name = loader.name ?? 'DataLoader';
  const makers = new WeakMap<Promise<unknown>, Set<Gathered>>();
  const waiting = new Map<unknown, Set<Promise<unknown>>>();

  const wait = (id: unknown, promise: Promise<unknown>) => {
    makers.set(promise, new Set());
    const others = waiting.get(id) ?? new Set();
    waiting.set(id, others.add(promise));
    const done = () => {
      others.delete(promise);
      if (others.size === 0 && waiting.get(id) === others) waiting.delete(id);
    };
    promise.then(done, done);
  };

  loader._batchLoadFn = (keys) =>
    port.gather(name, (into) => {
      for (const key of keys)
        for (const promise of waiting.get(loader._cacheKeyFn(key)) ?? []) makers.get(promise)?.add(into);
      return batch.call(loader, keys);
    });

  loader.load = (key) => {
    // It throws for what is no key.
    if (key === null || key === undefined) return load.call(loader, key);
    const id = loader._cacheKeyFn(key);
    const remembered = loader._cacheMap?.get(id);
    const answer = load.call(loader, key);
    if (remembered === undefined) wait(id, answer);
    return passedUp(answer, port, name, () => makers.get(remembered ?? answer) ?? []);
  };

  loader.prime = (key, value) => {
    const result = prime.call(loader, key, value);
    const promise = loader._cacheMap?.get(loader._cacheKeyFn(key));
    const gathered = promise === undefined || makers.has(promise) ? undefined : port.gathered();
    if (promise !== undefined && gathered !== undefined) makers.set(promise, new Set([gathered]));
    return result;
  };
}

/** Whoever waits for it gets what it depends on before the result itself, be it an error. */
async function passedUp<T>(result: Promise<T>, port: Port, name: string, from: () => Iterable<Gathered>): Promise<T> {
  try {
    return await result;
  } finally {
    port.handUp(name, from());
  }
}
