import { expect, vi } from 'vitest';
import type { CacheView } from '../../../src/core/cache.js';
import type { CacheEvents } from '../../../src/core/events.js';
import type { CacheOptions } from '../../../src/core/options.js';
import type { Parts } from '../../../src/core/parts.js';
import { forgetWarnings } from '../../../src/core/warn.js';
import { createCache } from '../../../src/create-cache.js';
import type { Cache } from '../../../src/index.js';
import { type FakeClock, fakeClock, memoryStore } from '../../../src/testing/index.js';

const made = new Map<Cache, FakeClock>();

/** A cache on a clock that stands still and without jitter, unless the options say otherwise. It is audited and closed after the test. */
export function aCache<Tag extends string = string>(
  options: CacheOptions<Tag> & { clock?: FakeClock } = {},
): { cache: Cache<Tag>; clock: FakeClock } {
  const clock = options.clock ?? fakeClock();
  const cache = createCache<Tag>({ jitter: 0, ...options, clock });
  made.set(cache as Cache, clock);
  return { cache, clock };
}

/** Caches on one store and one clock, as if each were a process. */
export function processes<const N extends number = 2>(
  options: CacheOptions & { count?: N } = {},
): { clock: FakeClock; caches: Cache[]; here: Cache; there: Cache } {
  const { count = 2, ...rest } = options;
  const clock = fakeClock();
  const store = options.store ?? memoryStore();
  const caches = Array.from({ length: count }, () => aCache({ ...rest, store, clock }).cache);
  return { clock, caches, here: caches[0] as Cache, there: caches[1] as Cache };
}

/** A promise in the hands of a test. */
export function deferred<T = unknown>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** A load that answers with its own number: 1, 2, 3… */
export function counting() {
  let count = 0;
  return vi.fn(async () => ++count);
}

/** A load that lasts until the test ends it. */
export function slowLoad<T = unknown>() {
  const runs: ReturnType<typeof deferred<T>>[] = [];
  const load = vi.fn(() => {
    const run = deferred<T>();
    runs.push(run);
    return run.promise;
  });
  return { load, runs };
}

/** Lets promise jobs and what they start run to their end. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What a promise resolves with, or `'waits'` when it needs something that only the test can do. */
export async function now<T>(promise: Promise<T>): Promise<T | 'waits'> {
  promise.catch(() => {});
  return Promise.race([promise, turns().then(() => 'waits' as const)]);
}

/** Everything of these types that a cache tells, in order. */
export function heard<E extends keyof CacheEvents>(
  cache: Cache<never> | Cache,
  ...types: E[]
): ({ type: E } & CacheEvents[E])[] {
  const events: ({ type: E } & CacheEvents[E])[] = [];
  for (const type of types) (cache as Cache).on(type, (event) => void events.push({ type, ...event }));
  return events;
}

/** The pieces of a cache, for tests of bounds. */
export function partsOf(cache: Cache<never> | Cache): Parts {
  return (cache as unknown as CacheView).parts;
}

/** No flight without a load, no cell held by entries that are gone, no timer left over. */
async function audit(cache: Cache, clock: FakeClock): Promise<void> {
  const { flights, near, closed } = partsOf(cache);
  expect([...flights.keys()], 'flights that nobody lands').toEqual([]);
  const holders = new Map<object, { said: number; counted: number; tag: string }>();
  for (const key of near.keys())
    for (const cell of near.peek(key)?.cells ?? []) {
      const count = holders.get(cell) ?? { said: cell.holders, counted: cell.distrusted ? 1 : 0, tag: cell.tag };
      count.counted++;
      holders.set(cell, count);
    }
  const wrong = [...holders.values()].filter(({ said, counted }) => said !== counted);
  expect(wrong, 'cells whose holders are miscounted').toEqual([]);
  if (!closed) await cache.close({ timeout: 0 }).catch(() => {});
  expect([...partsOf(cache).near.keys()], 'entries after close').toEqual([]);
  void clock;
}

/** After each test, in every file of unit tests: `test/support/tidy.ts`. */
export async function endMade(): Promise<void> {
  vi.restoreAllMocks();
  forgetWarnings();
  const caches = [...made];
  made.clear();
  for (const [cache, clock] of caches) await audit(cache, clock);
  for (const [, clock] of caches) expect(clock.pending, 'timers left over').toBe(0);
}
