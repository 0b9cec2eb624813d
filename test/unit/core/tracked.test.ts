import DataLoader from 'dataloader';
import { describe, expect, test } from 'vitest';
import { type Cache, tracked } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { aCache, deferred, processes, turns } from './a-cache.js';
import { aClient } from './a-client.js';

const stores = { 'in memory': () => ({}), 'on a store': () => ({ store: memoryStore() }) };
const everywhere = Object.keys(stores) as (keyof typeof stores)[];

const load = <T>(cache: Cache, key: string, fn: () => Promise<T> | T) => cache.read<T>({ key, load: fn });

describe.each(everywhere)('what several loads share, %s,', (place) => {
  const setting = () => {
    const { cache, clock } = aCache(stores[place]());
    const { query } = aClient(cache);
    const batches: (readonly string[])[] = [];
    const loader = new DataLoader<string, string>((keys) => {
      batches.push(keys);
      return query({ tags: keys.map((key) => `row:${key}`) }, async () => keys.map((key) => `value of ${key}`));
    });
    return { cache, clock, query, batches, loader: tracked(loader, { cache }) };
  };
  const ends = async (cache: Cache, key: string, tag: string) => {
    expect(await cache.has(key)).toBe(true);
    await cache.invalidate(tag);
    return !(await cache.has(key));
  };

  test('is depended on by all that asked for a key of the batch', async () => {
    for (const tag of ['row:a', 'row:b']) {
      const { cache, loader, batches } = setting();
      await Promise.all([load(cache, '1', () => loader.load('a')), load(cache, '2', () => loader.load('b'))]);
      expect(batches).toEqual([['a', 'b']]);
      expect(await ends(cache, '1', tag)).toBe(true);
      expect(await cache.has('2')).toBe(false);
    }
  });

  test('is depended on by its own batch alone', async () => {
    const { cache, loader } = setting();
    await load(cache, '1', () => loader.load('a'));
    await load(cache, '2', () => loader.load('b'));
    expect(await ends(cache, '1', 'row:b')).toBe(false);
    expect(await ends(cache, '1', 'row:a')).toBe(true);
  });

  test('is depended on for as long as the loader remembers it', async () => {
    const { cache, loader, batches } = setting();
    await loader.load('a');
    expect(await load(cache, '1', () => loader.load('a'))).toMatchObject({ stored: true });
    expect(batches).toHaveLength(1);
    expect(await ends(cache, '1', 'row:a')).toBe(true);
    // The loader gives the old value, which is under the old version: nobody else is served it.
    await load(cache, '1', () => loader.load('a'));
    expect(await cache.has('1')).toBe(false);
    loader.clearAll();
    await load(cache, '1', () => loader.load('a'));
    expect(await cache.has('1')).toBe(true);
  });

  test('is depended on by loadMany, and when it fails', async () => {
    const { cache, query } = setting();
    const loader = tracked(
      new DataLoader<string, string>((keys) =>
        query({ tags: ['row:a'] }, () => keys.map((key) => new Error(`no ${key}`))),
      ),
      { cache },
    );
    await load(cache, '1', () => loader.loadMany(['a', 'b']).then((all) => all.map(String)));
    expect(await load(cache, '2', () => loader.load('a').catch(String))).toMatchObject({ value: 'Error: no a' });
    expect(await ends(cache, '2', 'row:a')).toBe(true);
    expect(await cache.has('1')).toBe(false);
  });

  test('is depended on by a load that asked while another one cleared the key', async () => {
    const { cache, query } = setting();
    const answer = deferred<void>();
    let calls = 0;
    const loader = tracked(
      new DataLoader<string, number>((keys) =>
        query({ tags: ['row:a'] }, () => answer.promise.then(() => keys.map(() => ++calls))),
      ),
      { cache },
    );
    const one = load(cache, '1', () => loader.load('a'));
    await turns();
    loader.clear('a');
    const two = load(cache, '2', () => loader.load('a'));
    answer.resolve();
    expect([(await one).value, (await two).value]).toEqual([1, 2]);
    expect(await ends(cache, '1', 'row:a')).toBe(true);
    expect(await cache.has('2')).toBe(false);
  });

  test('goes without what was primed by a load that has seen nothing, or by nobody', async () => {
    const { cache, loader, query } = setting();
    loader.prime('a', 'primed');
    expect(await load(cache, '1', () => loader.load('a'))).toMatchObject({ value: 'primed', stored: false });
    await load(cache, 'list', async () => {
      const [value] = await query({ tags: ['list'] }, () => ['b from the list']);
      loader.prime('b', value as string);
    });
    expect(await load(cache, '2', () => loader.load('b'))).toMatchObject({ value: 'b from the list', stored: true });
    expect(await ends(cache, '2', 'list')).toBe(true);
  });

  test('is depended on through a function that keeps its promise', async () => {
    const { cache, query } = setting();
    let kept: Promise<number> | undefined;
    const get = tracked((by: number) => (kept ??= query({ tags: ['T'] }, async () => by)), { cache });
    expect(await get(2)).toBe(2);
    await load(cache, '1', () => get(3));
    await load(cache, '2', () => get(4));
    expect(await ends(cache, '1', 'T')).toBe(true);
    expect(await cache.has('2')).toBe(false);
  });

  test('lives no longer than a cached value in it', async () => {
    const { cache, clock } = setting();
    let kept: Promise<number> | undefined;
    const short = () => cache.getOrSet({ key: 'short', ttl: '10s', tags: [], load: () => 1 });
    const get = tracked(() => (kept ??= short()), { cache });
    await get();
    await clock.advance(4000);
    await load(cache, '1', get);
    await clock.advance(5999);
    expect(await cache.has('1')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('1')).toBe(false);
  });

  test('is not stored when a kept promise was made before', async () => {
    const { cache, query } = setting();
    const untracked: string[] = [];
    cache.on('untracked', ({ key, reason }) => untracked.push(`${key}: ${reason}`));
    const kept = query({ tags: ['T'] }, async () => 1);
    const get = tracked(async () => kept, { cache });
    const own = async () => [await query({ tags: ['U'] }, () => 2), await get()];
    const reason = "0 queries seen in 'a tracked function', which other code may have asked before";
    expect(await load(cache, '1', own)).toMatchObject({ stored: false, reason });
    expect(untracked).toEqual([`1: ${reason}`]);
  });

  test('is not stored when its statements cannot be seen', async () => {
    const { cache } = setting();
    const { port } = aClient(cache);
    const untracked: string[] = [];
    cache.on('untracked', ({ key }) => untracked.push(key));
    let kept: Promise<number> | undefined;
    const refused = async () => {
      port.refuse('it read in the dark');
      return 1;
    };
    const get = tracked(() => (kept ??= refused()), { cache });
    await get();
    expect(untracked).toEqual([]);
    expect(await load(cache, '1', get)).toMatchObject({ stored: false, reason: 'it read in the dark' });
    expect(untracked).toEqual(['1']);
  });
});

test('versions of what is kept are of the time when it was read, in every process', async () => {
  const { here, there } = processes();
  const { query } = aClient(here);
  let kept: Promise<number> | undefined;
  const get = tracked(() => (kept ??= query({ tags: ['T'] }, async () => 1)), { cache: here });
  await get();
  await there.invalidate('T');
  await load(here, '1', get);
  expect(await here.has('1')).toBe(false);
  kept = undefined;
  await load(here, '1', get);
  expect(await here.has('1')).toBe(true);
});

test('a loader is tracked once, and for one cache', async () => {
  const { cache } = aCache();
  const loader = new DataLoader<number, number>(async (keys) => keys);
  expect(tracked(loader, { cache })).toBe(loader);
  const { load: once } = loader;
  expect(tracked(loader, { cache }).load).toBe(once);
  expect(() => tracked(loader, { cache: aCache().cache })).toThrow(/tracked already/);
});

test('what can be tracked is a DataLoader or a function', () => {
  const { cache } = aCache();
  expect(() => tracked({} as never, { cache })).toThrow(/a DataLoader \(version 2\), or a function/);
  expect(() => tracked(async () => 1, {} as never)).toThrow(/`cache`/);
});

test('types stay', async () => {
  const { cache } = aCache();
  const users = tracked(new DataLoader<number, { id: number }>(async (ids) => ids.map((id) => ({ id }))), { cache });
  const same: DataLoader<number, { id: number }> = users;
  const get = tracked(async <T>(one: T) => one, { cache });
  const one: 1 = await get(1 as const);
  expect([(await same.load(1)).id, one]).toEqual([1, 1]);
});
