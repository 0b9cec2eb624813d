import { describe, expect, test, vi } from 'vitest';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, heard, now, processes, slowLoad, turns } from './a-cache.js';
import { warningsOf } from './warnings.js';

const square = () => vi.fn(async (inputs: readonly number[]) => inputs.map((n) => n * n));
const key = (n: number) => ['square', n] as const;

describe('getOrSetMany', () => {
  test('gives one value for each input, in order, with one load for the missing, without duplicates', async () => {
    const { cache } = aCache();
    const load = square();
    await cache.getOrSet({ key: key(2), load: () => 'kept' });
    expect(await cache.getOrSetMany<number, unknown>({ inputs: [3, 1, 2, 3, 1], key, load })).toEqual([
      9,
      1,
      'kept',
      9,
      1,
    ]);
    expect(load).toHaveBeenCalledTimes(1);
    expect(load.mock.calls[0]?.[0]).toEqual([3, 1]);
  });

  test('what it has stored is what getOrSet finds', async () => {
    const { cache } = aCache();
    await cache.getOrSetMany({ inputs: [2, 3], key, load: square() });
    expect(await cache.getOrSet({ key: key(3), load: () => 0 })).toBe(9);
  });

  test('nothing to load, no load', async () => {
    const { cache } = aCache();
    const load = square();
    expect(await cache.getOrSetMany({ inputs: [], key, load })).toEqual([]);
    await cache.getOrSetMany({ inputs: [1], key, load });
    await cache.getOrSetMany({ inputs: [1, 1], key, load });
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('a Map may answer in any order and leave some out, which are then undefined', async () => {
    const { cache } = aCache();
    const load = vi.fn(async () => new Map([[3, 'c'], [1, 'a']])); // biome-ignore format: a line
    const read = () => cache.getOrSetMany<number, string | undefined>({ inputs: [1, 2, 3], key, load: load as never });
    expect(await read()).toEqual(['a', undefined, 'c']);
    expect(await read()).toEqual(['a', undefined, 'c']);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('null is an answer like any other, with its own ttl', async () => {
    const { cache, clock } = aCache({ negativeTtl: 1000 });
    const load = vi.fn(async (inputs: readonly number[]) => inputs.map((n) => (n === 2 ? null : n)));
    await cache.getOrSetMany({ inputs: [1, 2], key, load });
    await clock.advance(1000);
    await cache.getOrSetMany({ inputs: [1, 2], key, load });
    expect(load.mock.calls.map(([inputs]) => inputs)).toEqual([[1, 2], [2]]);
  });

  test.each([
    [[1], 'an answer that is too short', /answer with 2 values.*got 1/],
    [[1, 2, 3], 'an answer that is too long', /answer with 2 values.*got 3/],
    ['rows', 'an answer that is no list', /`load` to be a function that answers with a list or a Map, got "rows"/],
    [undefined, 'no answer', /list or a Map, got undefined/],
  ])('%o: %s is refused and nothing is stored', async (answer, _, message) => {
    const { cache } = aCache();
    const read = cache.getOrSetMany({ inputs: [1, 2], key, load: async () => answer as never });
    await expect(read).rejects.toThrow(TypeError);
    await expect(read).rejects.toThrow(message);
    expect(cache.stats().entries).toBe(0);
  });

  test('the error of the load reaches everybody, unchanged', async () => {
    const { cache } = aCache();
    const error = new Error('down');
    const { load, runs } = slowLoad<never>();
    const many = cache.getOrSetMany({ inputs: [1, 2], key, load });
    await turns();
    const one = cache.getOrSet({ key: key(2), load: () => 1 });
    runs[0]?.reject(error);
    await expect(many).rejects.toBe(error);
    await expect(one).rejects.toBe(error);
    expect(await cache.getOrSet({ key: key(2), load: () => 1 })).toBe(1);
  });

  test('aged values stand in for a load that fails', async () => {
    const { cache, clock } = aCache({ ttl: 1000, staleOnError: '1h' });
    await cache.getOrSetMany({ inputs: [1, 2], key, load: square() });
    await clock.advance(1000);
    const load = () => Promise.reject(new Error('down'));
    expect(await cache.getOrSetMany({ inputs: [1, 2], key, load })).toEqual([1, 4]);
    await expect(cache.getOrSetMany({ inputs: [1, 3], key, load })).rejects.toThrow('down');
  });

  test('each value has its own tags, from its input', async () => {
    const { cache } = aCache();
    const load = square();
    const read = () => cache.getOrSetMany({ inputs: [1, 2, 3], key, tags: (n) => [`n:${n}`, 'all'], load });
    await read();
    await cache.invalidate('n:2');
    await read();
    await cache.invalidate('all');
    await read();
    expect(load.mock.calls.map(([inputs]) => inputs)).toEqual([[1, 2, 3], [2], [1, 2, 3]]);
  });

  test('what the common load depends on, each value depends on', async () => {
    const { cache } = aCache();
    const load = async (inputs: readonly number[]) => {
      await cache.getOrSet({ key: 'rates', tags: ['rates'], load: () => 1 });
      return inputs.map(() => 1);
    };
    await cache.getOrSetMany({ inputs: [1, 2], key, load });
    await cache.invalidate('rates');
    expect([await cache.has(key(1)), await cache.has(key(2))]).toEqual([false, false]);
  });

  test('ctx.ttl, ctx.tag and ctx.skip say it for all of them', async () => {
    const { cache, clock } = aCache();
    await cache.getOrSetMany({ inputs: [1, 2], key, load: (n, context) => (context.ttl(1000), context.tag('t'), n) });
    expect(await cache.has(key(2))).toBe(true);
    await clock.advance(1000);
    expect(await cache.has(key(2))).toBe(false);
    await cache.getOrSetMany({ inputs: [1, 2], key, load: (n, context) => (context.tag('t'), n) });
    await cache.invalidate('t');
    expect(await cache.has(key(1))).toBe(false);
    await cache.getOrSetMany({ inputs: [1, 2], key, load: (n, context) => (context.skip('partial'), n) });
    expect(await cache.has(key(1))).toBe(false);
  });

  test('waits for a key that somebody else is loading, and loads only the others', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad<number>();
    const one = cache.getOrSet({ key: key(2), load });
    await turns();
    const loadMany = square();
    const many = cache.getOrSetMany({ inputs: [1, 2], key, load: loadMany });
    await turns();
    expect(loadMany.mock.calls.map(([inputs]) => inputs)).toEqual([[1]]);
    expect(await now(many)).toBe('waits');
    runs[0]?.resolve(44);
    expect(await many).toEqual([1, 44]);
    expect(await one).toBe(44);
  });

  test('others join what it is loading', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad<number[]>();
    const many = cache.getOrSetMany({ inputs: [1, 2], key, load });
    await turns();
    const single = vi.fn();
    const one = cache.getOrSet<number>({ key: key(2), load: single });
    const more = cache.getOrSetMany({ inputs: [2, 1], key, load: square() });
    await turns();
    runs[0]?.resolve([10, 20]);
    expect([await many, await one, await more]).toEqual([[10, 20], 20, [20, 10]]);
    expect(single).not.toHaveBeenCalled();
  });

  test('one trip to the store, however many inputs', async () => {
    const shared = memoryStore();
    const store = faultyStore(shared);
    const { clock, cache: writer } = aCache({ store: shared });
    const { cache } = aCache({ store, clock });
    const inputs = Array.from({ length: 50 }, (_, n) => n);
    await writer.getOrSetMany({ inputs, key, load: square() });
    await turns();
    const load = square();
    expect(await cache.getOrSetMany({ inputs, key, load })).toEqual(inputs.map((n) => n * n));
    expect(load).not.toHaveBeenCalled();
    expect(store.counts.trips).toBeLessThanOrEqual(2);
  });

  test('fresh loads all, and does not join', async () => {
    const { cache } = aCache();
    const load = square();
    await cache.getOrSetMany({ inputs: [1, 2], key, load });
    await cache.getOrSetMany({ inputs: [1, 2], key, load, fresh: true });
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('inside a transaction all of it goes past the cache, with one load and no duplicates', async () => {
    const { cache } = aCache();
    await cache.set(key(1), 'stored');
    const load = square();
    const values = await cache.transaction(() => cache.getOrSetMany<number, unknown>({ inputs: [1, 2, 1], key, load }));
    expect(values).toEqual([1, 4, 1]);
    expect(load.mock.calls).toEqual([[[1, 2], expect.anything()]]);
    expect([await cache.get(key(1)), await cache.has(key(2))]).toEqual(['stored', false]);
  });

  test('in bypass all of it goes past the cache', async () => {
    const { cache } = aCache({ mode: 'bypass' });
    const load = square();
    await cache.getOrSetMany({ inputs: [1, 2], key, load });
    expect(await cache.getOrSetMany({ inputs: [1, 2], key, load })).toEqual([1, 4]);
    expect(load).toHaveBeenCalledTimes(2);
    expect(cache.stats().entries).toBe(0);
  });

  test('in shadow nothing stored is served', async () => {
    const { cache } = aCache({ mode: 'shadow' });
    await cache.getOrSetMany({ inputs: [1, 2], key, load: () => ['old', 'old'] });
    expect(await cache.getOrSetMany({ inputs: [1, 2], key, load: () => ['new', 'new'] })).toEqual(['new', 'new']);
  });

  test('counts a hit for each found, a miss for each loaded, and one load', async () => {
    const { cache } = aCache();
    const events = heard(cache, 'hit', 'miss', 'load');
    await cache.getOrSetMany({ inputs: [1, 2], key, load: square() });
    await cache.getOrSetMany({ inputs: [1, 2, 3], key, load: square() });
    expect(cache.stats().counts('square')).toEqual({ hits: 2, misses: 3, loads: 2 });
    expect(events.map(({ type }) => type).sort()).toEqual(['hit', 'hit', 'load', 'load', 'miss', 'miss', 'miss']);
  });

  test('counts under the same name as getOrSet', async () => {
    const { cache } = aCache();
    for (const name of [(n: number) => `user:${n}`, (n: number) => ['org:user', n], (n: number) => [n, 'x']]) {
      await cache.getOrSetMany({ inputs: [1], key: name, load: square() });
      await cache.getOrSet({ key: name(1), load: () => 1 });
    }
    expect(cache.stats().counts('user')).toEqual({ hits: 1, misses: 1, loads: 1 });
    expect(cache.stats().counts('org')).toEqual({ hits: 1, misses: 1, loads: 1 });
    expect(cache.stats().counts('(unnamed)')).toEqual({ hits: 1, misses: 1, loads: 1 });
  });

  test('copies are private, also those of a duplicate', async () => {
    const { cache } = aCache({ copy: 'clone' });
    const load = async (inputs: readonly number[]) => inputs.map((n) => ({ n }));
    for (let round = 0; round < 2; round++) {
      const [first, second] = await cache.getOrSetMany({ inputs: [1, 1], key, load });
      expect(first).toEqual(second);
      expect(first).not.toBe(second);
    }
  });

  test('a learned tag does not hide that a part came from another cache', async () => {
    const { here } = processes();
    const other = aCache().cache;
    const read = () =>
      here.getOrSetMany({
        inputs: [1],
        key,
        load: async (_, context) => {
          context.tag('t');
          return [await other.getOrSet({ key: 'a', load: () => 1 })];
        },
      });
    for (let round = 0; round < 3; round++) {
      await read();
      await turns();
    }
    expect(await here.has(key(1))).toBe(false);
  });

  test('an input whose key is no data makes the batch go past the cache', async () => {
    const { cache } = aCache();
    const load = vi.fn(async (inputs: readonly object[]) => inputs.map(() => 1));
    const [first, second] = [{ n: 1 }, { n: 2, run: () => {} }];
    const read = () =>
      cache.getOrSetMany({ inputs: [first, second, first], key: (input) => ['x', input] as never, load });
    const warnings = await warningsOf(async () => {
      for (let round = 0; round < 2; round++) expect(await read()).toEqual([1, 1, 1]);
    });
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^'x' is not cached: key\[1\]\.run is a function/),
    ]);
    expect(load.mock.calls.map(([inputs]) => inputs)).toEqual([[first, second], [first, second]]); // biome-ignore format: a line
    expect(cache.stats().entries).toBe(0);
  });

  test("onUnkeyable: 'throw': it rejects, and loads nothing", async () => {
    const { cache } = aCache({ onUnkeyable: 'throw' });
    const load = vi.fn(async () => [1]);
    const read = cache.getOrSetMany({ inputs: [() => {}], key: (input) => ['x', input] as never, load });
    await expect(read).rejects.toMatchObject({ code: 'UNKEYABLE', path: 'key[1]' });
    expect(load).not.toHaveBeenCalled();
  });

  test('what goes past the cache hands all its tags to the load around it', async () => {
    const { cache } = aCache();
    const inner = (keyOf: (n: number) => unknown) =>
      cache.getOrSetMany({ inputs: [1, 2], key: keyOf as typeof key, tags: (n) => [`n:${n}`], load: square() });
    const outer = (keyOf: (n: number) => unknown) => cache.getOrSet({ key: 'outer', load: () => inner(keyOf) });
    await warningsOf(() => outer((n) => ['x', n, () => {}]));
    await cache.invalidate('n:2');
    expect(await cache.has('outer')).toBe(false);
  });
});

test('the event of a load for many says what became of its values', async () => {
  const { cache } = aCache();
  const loads = heard(cache, 'load');
  const read = (id: string) => cache.getOrSetMany({ inputs: ['a', id], key: (id) => id, load: values });
  const values = (ids: readonly string[]) => new Map(ids.map((id) => [id, id === 'odd' ? new WeakMap() : id]));
  await read('b');
  await read('odd');
  expect(loads).toMatchObject([
    { stored: true },
    { stored: false, reason: expect.stringContaining('cannot be stored') },
  ]);
  expect(loads[0]).not.toHaveProperty('reason');
});
