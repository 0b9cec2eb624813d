import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test, vi } from 'vitest';
import type { Cache } from '../../../../src/index.js';
import { memoryStore } from '../../../../src/testing/index.js';
import { aCache, deferred, heard, processes, turns } from '../../core/a-cache.js';

const stores = { 'in memory': () => ({}), 'on a store': () => ({ store: memoryStore() }) };
const everywhere = Object.keys(stores) as (keyof typeof stores)[];
const squares = () => vi.fn(async (inputs: readonly number[]) => inputs.map((n) => n * n));

describe.each(everywhere)('a batch, %s,', (place) => {
  const setting = (options = {}) => aCache({ ...stores[place](), ...options });

  test('is one load for all that is asked for in a tick, without duplicates, each caller with his own value', async () => {
    const { cache } = setting();
    const load = squares();
    const square = cache.batch({ name: 'square', load });
    expect(await Promise.all([3, 1, 2, 3].map((n) => square.load(n)))).toEqual([9, 1, 4, 9]);
    expect(await square.loadMany([2, 5, 1])).toEqual([4, 25, 1]);
    expect(load.mock.calls).toEqual([[[3, 1, 2]], [[5]]]);
    expect(cache.stats().counts('square')).toMatchObject({ hits: 2 });
  });

  test('takes in what promises ask for that are chained in the same tick', async () => {
    const { cache } = setting();
    const load = squares();
    const square = cache.batch({ name: 'square', load });
    const later = async (n: number, promises: number) => {
      for (let i = 0; i < promises; i++) await undefined;
      return square.load(n);
    };
    await Promise.all([later(1, 0), later(2, 1), later(3, 10)]);
    expect(load.mock.calls).toEqual([[[1, 2, 3]]]);
    await new Promise((resolve) => setImmediate(resolve));
    await square.load(4);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('gives a load as many inputs as are allowed, and no more', async () => {
    const { cache } = setting();
    const load = squares();
    const many = Array.from({ length: 1001 }, (_, n) => n);
    expect(await cache.batch({ name: 'most', load }).loadMany(many)).toEqual(many.map((n) => n * n));
    expect(load.mock.calls.map(([inputs]) => inputs.length)).toEqual([1000, 1]);
    const two = cache.batch({ name: 'two', load, maxBatch: 2 });
    expect(await two.loadMany([1, 2, 3])).toEqual([1, 4, 9]);
    expect(load.mock.calls.slice(2)).toEqual([[[1, 2]], [[3]]]);
  });

  test('fails one input by an Error in its place, which is not stored', async () => {
    const { cache } = setting();
    const gone = new Error('gone');
    const load = vi.fn(async (inputs: readonly number[]) => inputs.map((n) => (n === 2 ? gone : n)));
    const batch = cache.batch({ name: 'b', load });
    const all = await Promise.allSettled([1, 2, 2, 3].map((n) => batch.load(n)));
    expect(all.map((one) => (one.status === 'fulfilled' ? one.value : one.reason))).toEqual([1, gone, gone, 3]);
    await expect(batch.loadMany([1, 2, 3])).rejects.toBe(gone);
    expect(load.mock.calls).toEqual([[[1, 2, 3]], [[2]]]);
    const byMap = cache.batch({
      name: 'm',
      load: async ([n]: readonly number[]) => new Map(n === 1 ? [[n, gone]] : []),
    });
    await expect(byMap.load(1)).rejects.toBe(gone);
    expect(await byMap.load(2)).toBeUndefined();
  });

  test('hands the error of the load to everybody, unchanged, and tries again the next time', async () => {
    const { cache } = setting();
    const down = new Error('down');
    const load = squares().mockRejectedValueOnce(down);
    const square = cache.batch({ name: 'square', load });
    const all = await Promise.allSettled([1, 2].map((n) => square.load(n)));
    expect(all).toEqual([
      { status: 'rejected', reason: down },
      { status: 'rejected', reason: down },
    ]);
    expect(await square.loadMany([1, 2])).toEqual([1, 4]);
    const thrower = cache.batch({
      name: 'thrower',
      load: (_: readonly number[]): Promise<number[]> => {
        throw down;
      },
    });
    await expect(thrower.load(1)).rejects.toBe(down);
  });

  test('ends an input by invalidate, by its key, by its own tags, and by age', async () => {
    const { cache, clock } = setting({ negativeTtl: 1000 });
    const load = vi.fn(async (inputs: readonly number[]) => inputs.map((n) => (n === 4 ? null : n)));
    const batch = cache.batch({ name: 'b', load, tags: (n) => [`row:${n}`], ttl: '10s' });
    const all = [1, 2, 3, 4];
    const loaded = async () => {
      load.mockClear();
      await batch.loadMany(all);
      return load.mock.calls.flatMap(([inputs]) => inputs).sort();
    };
    expect(await loaded()).toEqual(all);
    expect(await loaded()).toEqual([]);
    await batch.invalidate(1);
    await cache.delete(['b', 2]);
    await cache.invalidate('row:3');
    await clock.advance(1000);
    expect(await loaded()).toEqual(all);
    await clock.advance(10_000);
    expect(await loaded()).toEqual(all);
  });

  test('makes its key by `key`, so that inputs may be anything', async () => {
    const { cache } = setting();
    const load = vi.fn(async (inputs: readonly { id: number; at: () => void }[]) => inputs.map(({ id }) => id));
    const batch = cache.batch({ name: 'b', key: ({ id }) => ['n', id], load });
    const at = () => {};
    expect(await batch.loadMany([{ id: 1, at }, { id: 2, at }, { id: 1, at }])).toEqual([1, 2, 1]); // biome-ignore format: a line
    expect(load.mock.calls[0]?.[0]).toHaveLength(2);
    expect(await cache.has(['b', 'n', 2])).toBe(true);
  });

  test('loads past the cache what cannot become a key, together, and refuses it where that is said', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const load = vi.fn(async (inputs: readonly (() => number)[]) => inputs.map((fn) => fn()));
    const one = () => 1;
    const two = () => 2;
    const { cache } = setting();
    const batch = cache.batch({ name: 'b', load });
    expect(await Promise.all([batch.load(one), batch.load(two), batch.load(one)])).toEqual([1, 2, 1]);
    expect(load.mock.calls).toEqual([[[one, two]]]);
    expect(cache.stats().entries).toBe(0);
    const strict = setting({ onUnkeyable: 'throw' }).cache.batch({ name: 'b', load });
    await expect(strict.load(one)).rejects.toThrow('function');
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('says what is loaded, hit and missed under its name', async () => {
    const { cache } = setting();
    const events = heard(cache, 'miss', 'hit');
    const square = cache.batch({ name: 'square', load: squares() });
    await square.loadMany([1, 2]);
    await square.load(1);
    expect(events.map(({ type, name }) => `${type} ${name}`)).toEqual(['miss square', 'miss square', 'hit square']);
  });

  test('goes past the cache in a transaction, with one load for each', async () => {
    const { cache } = setting();
    const load = squares();
    const square = cache.batch({ name: 'square', load });
    await square.load(1);
    load.mockClear();
    const inside = () => cache.transaction(() => Promise.all([1, 2, 1].map((n) => square.load(n))));
    expect(await Promise.all([inside(), inside(), square.load(1)])).toEqual([[1, 4, 1], [1, 4, 1], 1]);
    expect(load.mock.calls).toEqual([[[1, 2]], [[1, 2]]]);
    expect(await cache.has(['square', 2])).toBe(false);
  });

  test('bypasses, and compares in shadow mode, as single reads do', async () => {
    let mode: 'on' | 'bypass' | 'shadow' = 'bypass';
    const { cache } = setting({ mode: () => mode });
    const load = squares();
    const square = cache.batch({ name: 'square', load });
    for (let i = 0; i < 2; i++) expect(await square.loadMany([1, 2])).toEqual([1, 4]);
    mode = 'shadow';
    for (let i = 0; i < 2; i++) expect(await square.loadMany([1, 2])).toEqual([1, 4]);
    expect(load).toHaveBeenCalledTimes(4);
    mode = 'on';
    await square.loadMany([1, 2]);
    expect(load).toHaveBeenCalledTimes(4);
  });

  test('serves aged values and refreshes them together', async () => {
    const { cache, clock } = setting();
    let version = 1;
    const load = vi.fn(async (inputs: readonly number[]) => inputs.map(() => version));
    const batch = cache.batch({ name: 'b', load, ttl: '1s', swr: '1m' });
    await batch.loadMany([1, 2]);
    await clock.advance(2000);
    version = 2;
    expect(await batch.loadMany([1, 2])).toEqual([1, 1]);
    await turns();
    expect(await batch.loadMany([1, 2])).toEqual([2, 2]);
    expect(load.mock.calls).toEqual([[[1, 2]], [[1, 2]]]);
  });

  test('is closed with its cache', async () => {
    const { cache } = setting();
    const square = cache.batch({ name: 'square', load: squares() });
    const slow = deferred<number[]>();
    const waiting = cache.batch({ name: 'slow', load: (_: readonly number[]) => slow.promise }).load(1);
    waiting.catch(() => {});
    await turns();
    await cache.close({ timeout: 0 });
    await expect(waiting).rejects.toThrow('closed');
    await expect(square.load(1)).rejects.toThrow('closed');
    slow.resolve([1]);
  });
});

describe('a load of a batch', () => {
  const request = new AsyncLocalStorage<string>();
  const current = () => request.getStore();

  test.each([
    ['the tenant', { tenant: current }],
    ['what the key varies by', { vary: current as () => string }],
  ])('runs for one at a time, told by %s, and in his context', async (_, options) => {
    const { cache } = aCache(options);
    const load = vi.fn(async (inputs: readonly number[]) => {
      await undefined;
      return inputs.map((n) => `${current()} ${n}`);
    });
    const batch = cache.batch({ name: 'b', load });
    const read = (who: string, ...inputs: number[]) => request.run(who, () => batch.loadMany(inputs));
    expect(await Promise.all([read('acme', 1), read('zeta', 1, 2), read('acme', 2)])).toEqual([
      ['acme 1'],
      ['zeta 1', 'zeta 2'],
      ['acme 2'],
    ]);
    expect(load.mock.calls).toEqual([[[1, 2]], [[1, 2]]]);
    expect(await read('zeta', 2)).toEqual(['zeta 2']);
  });

  test('serves the views of tenants and namespaces apart', async () => {
    const { cache } = aCache({ tenancy: 'required' });
    const of = (id: string) =>
      cache.tenant(id).batch({ name: 'b', load: async (all: readonly number[]) => all.map(() => id) });
    const [acme, zeta] = [of('acme'), of('zeta')];
    expect(await Promise.all([acme.load(1), zeta.load(1), acme.load(1)])).toEqual(['acme', 'zeta', 'acme']);
    const nobody = cache.batch({ name: 'c', load: squares() });
    await expect(nobody.load(1)).rejects.toThrow('tenant');
  });

  test('must not wait for one who waits for it', async () => {
    const { cache } = aCache();
    const page = (key: string, n: number): Promise<unknown> =>
      cache.getOrSet({ key, load: (): Promise<unknown> => batch.load(n) });
    const batch = cache.batch<number, unknown>({
      name: 'b',
      load: async (inputs) => {
        await page('second', 2);
        return inputs.map(() => 1);
      },
    });
    await expect(Promise.all([page('first', 1), page('second', 2)])).rejects.toThrow('would wait for itself');
  });

  test('does not belong to the load of him who came first', async () => {
    const { cache } = aCache();
    const batch = cache.batch({
      name: 'b',
      load: async (inputs: readonly number[]) => {
        const inner = await cache.getOrSet({ key: 'inner', tags: ['inner'], load: () => 1 });
        return inputs.map((n) => n + inner);
      },
    });
    const page = (n: number) => cache.getOrSet({ key: ['page', n], load: () => batch.load(n) });
    expect(await Promise.all([page(1), page(2)])).toEqual([2, 3]);
    const pages = async () => [await cache.has(['page', 1]), await cache.has(['page', 2])];
    expect(await pages()).toEqual([true, true]);
    await cache.invalidate('inner');
    expect(await pages()).toEqual([false, false]);
  });
});

test('what one process has loaded, the others have', async () => {
  const { here, there } = processes();
  const load = squares();
  const [one, two] = [here, there].map((cache: Cache) => cache.batch({ name: 'square', load }));
  await one?.loadMany([1, 2, 3]);
  await turns();
  expect(await two?.loadMany([1, 2, 3])).toEqual([1, 4, 9]);
  expect(load).toHaveBeenCalledTimes(1);
});

test.each([
  [{}, '`name`'],
  [{ name: '' }, '`name`'],
  [{ name: 'a' }, '`load`'],
  [{ name: 'a', load: squares(), key: 1 }, '`key`'],
  [{ name: 'a', load: squares(), tags: [] }, '`tags`'],
  [{ name: 'a', load: squares(), maxBatch: 0 }, '`maxBatch`'],
  [{ name: 'a', load: squares(), by: 1 }, '`by`'],
  [{ name: 'a', load: squares(), many: true }, '`by`'],
  [{ name: 'a', load: squares(), by: 'id', many: 1 }, '`many`'],
  [{ name: 'a', load: squares(), apart: 'yes' }, '`apart`'],
  [{ name: 'a', load: squares(), ttl: 'soon' }, '`ttl`'],
  [{ name: 'a', load: squares(), fresh: true }, '`fresh`'],
  [undefined, '`options`'],
])('%o is refused', (options, what) => {
  const { cache } = aCache();
  expect(() => cache.batch(options as never)).toThrow(what);
});

test('a name belongs to one batch or function', async () => {
  const { cache } = aCache();
  cache.batch({ name: 'a', load: squares() });
  expect(() => cache.batch({ name: 'a', load: squares() })).toThrow("'a' a second time");
  expect(() => cache.withCache(async (n: number) => n, { name: 'a' })).toThrow("'a' a second time");
  await expect(cache.batch({ name: 'b', load: squares() }).loadMany(1 as never)).rejects.toThrow('`inputs`');
});
