import { describe, expect, test, vi } from 'vitest';
import { cacheOf, withCache } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, counting, heard, processes, slowLoad, turns } from '../core/a-cache.js';
import { warningsOf } from '../core/warnings.js';
import { aRepository } from './services.js';

describe('a wrapped function', () => {
  test('is called as before, and asks once for the same arguments', async () => {
    const { cache } = aCache();
    const { find } = aRepository();
    const getUser = cache.withCache(find, { name: 'user' });
    expect(await getUser(7)).toEqual({ id: 7, name: 'Ada' });
    expect(await getUser(7)).toEqual({ id: 7, name: 'Ada' });
    expect(await getUser(8)).toEqual({ id: 8, name: 'Bob' });
    expect(find.mock.calls).toEqual([[7], [8]]);
    expect(getUser.name).toBe('user');
  });

  test('missing arguments at the end are undefined ones, others are not', async () => {
    const { cache } = aCache();
    const f = vi.fn(async (..._: unknown[]) => 1);
    const cached = cache.withCache(f, { name: 'f', key: (...args) => args as never });
    const derived = cache.withCache(f as (a?: number, b?: object) => Promise<number>, {
      name: 'g',
      key: undefined as never,
    });
    await derived(1);
    await derived(1, undefined);
    expect(f).toHaveBeenCalledTimes(1);
    await cached({});
    await cached({ a: undefined });
    expect(f).toHaveBeenCalledTimes(3);
  });

  test('shares nothing with another of another name', async () => {
    const { cache } = aCache();
    const one = cache.withCache(async (_: number) => 'one', { name: 'one' });
    const two = cache.withCache(async (_: number) => 'two', { name: 'two' });
    expect([await one(1), await two(1), await one(1)]).toEqual(['one', 'two', 'one']);
  });

  test('hands on errors, and does not remember them', async () => {
    const { cache } = aCache();
    const error = new Error('down');
    const f = vi.fn(() => Promise.reject(error));
    const cached = cache.withCache(f, { name: 'f' });
    await expect(cached()).rejects.toBe(error);
    await expect(cached()).rejects.toBe(error);
    expect(f).toHaveBeenCalledTimes(2);
  });

  test('throws nothing before its promise, whatever its options throw', async () => {
    const { cache } = aCache();
    const throwing = () => {
      throw new Error('in the option');
    };
    for (const option of ['key', 'tags', 'when', 'tagsOf', 'ttl']) {
      const cached = cache.withCache(async () => 1, {
        name: option,
        [option]: throwing,
      } as never) as () => Promise<number>;
      let promise: Promise<unknown> | undefined;
      expect(() => {
        promise = cached();
      }, option).not.toThrow();
      await expect(promise, option).rejects.toThrow('in the option');
    }
  });
});

describe('options of a wrapped function', () => {
  test('key: what the function says is the key, under its name', async () => {
    const { cache } = aCache();
    const f = vi.fn(async (request: { user: { id: number }; socket: () => void }) => request.user.id);
    const cached = cache.withCache(f, { name: 'f', key: (request) => ['user', request.user.id] });
    await cached({ user: { id: 7 }, socket: () => {} });
    await cached({ user: { id: 7 }, socket: () => {} });
    expect(f).toHaveBeenCalledTimes(1);
    const byText = cache.withCache(f, { name: 'g', key: (request) => `user:${request.user.id}` });
    expect(await byText({ user: { id: 8 }, socket: () => {} })).toBe(8);
  });

  test('tags: a list, or from the arguments', async () => {
    const { cache } = aCache();
    const load = counting();
    const fixed = cache.withCache(load, { name: 'fixed', tags: ['t'] });
    const given = cache.withCache((_: number) => load(), { name: 'given', tags: (id) => [`u:${id}`] });
    await fixed();
    await given(7);
    await given(8);
    await cache.invalidate('t', 'u:7');
    expect([await fixed(), await given(7), await given(8)]).toEqual([4, 5, 3]);
  });

  test('tagsOf: from the value and the arguments', async () => {
    const { cache } = aCache();
    const tagsOf = vi.fn((team: { org: number }, id: number) => [`org:${team.org}`, `team:${id}`]);
    const load = vi.fn(async (_: number) => ({ org: 3 }));
    const cached = cache.withCache(load, { name: 'team', tagsOf });
    await cached(7);
    expect(tagsOf).toHaveBeenCalledWith({ org: 3 }, 7);
    await cache.invalidate('org:3');
    await cached(7);
    await cache.invalidate('team:7');
    await cached(7);
    expect(load).toHaveBeenCalledTimes(3);
  });

  test('ttl: a function of value and arguments; 0 keeps it out', async () => {
    const { cache, clock } = aCache();
    const ttl = vi.fn((value: number, seconds: number) => (value < 0 ? 0 : (`${seconds}s` as const)));
    const load = vi.fn(async (seconds: number) => seconds);
    const cached = cache.withCache(load, { name: 'f', ttl });
    await cached(2);
    await cached(-1);
    await cached(-1);
    expect(load).toHaveBeenCalledTimes(3);
    await clock.advance(1999);
    await cached(2);
    expect(load).toHaveBeenCalledTimes(3);
    await clock.advance(1);
    await cached(2);
    expect(load).toHaveBeenCalledTimes(4);
  });

  test('when: a call that does not want the cache goes past it, and finds it as it was', async () => {
    const { cache } = aCache();
    const load = counting();
    let wanted = true;
    const cached = cache.withCache(load, { name: 'f', when: () => wanted });
    expect([await cached(), await cached()]).toEqual([1, 1]);
    wanted = false;
    expect([await cached(), await cached()]).toEqual([2, 3]);
    expect(await cached.read()).toEqual({
      value: 4,
      source: 'database',
      age: 0,
      stored: false,
      reason: 'its `when` said so',
    });
    wanted = true;
    expect(await cached()).toBe(1);
  });

  test('version: two of them share no values in the store', async () => {
    const { here, there } = processes();
    const old = here.withCache(async () => 'old', { name: 'f', version: 1 });
    const next = there.withCache(async () => 'next', { name: 'f', version: 2 });
    expect([await old(), await next()]).toEqual(['old', 'next']);
  });

  test('timing: its own over the cache’s', async () => {
    const { cache, clock } = aCache({ ttl: '1h' });
    const cached = cache.withCache(counting(), { name: 'f', ttl: '1s', staleOnError: 0 });
    await cached();
    await clock.advance(1000);
    expect(await cached()).toBe(2);
  });
});

describe('handles', () => {
  test('fresh loads now and stores the result', async () => {
    const { cache } = aCache();
    const cached = cache.withCache(counting(), { name: 'f' });
    await cached();
    expect([await cached.fresh(), await cached()]).toEqual([2, 2]);
  });

  test('read says what happened', async () => {
    const { cache } = aCache();
    const cached = cache.withCache(async (n: number) => n, { name: 'f' });
    expect(await cached.read(1)).toMatchObject({ value: 1, source: 'load', stored: true });
    expect(await cached.read(1)).toMatchObject({ value: 1, source: 'near', stored: true });
  });

  test('key is what get, has, delete and explain of the cache take', async () => {
    const { cache } = aCache();
    const cached = cache.withCache(async (_: { id: number }) => 'v', { name: 'f' });
    const key = cached.key({ id: 7 });
    expect(await cache.has(key)).toBe(false);
    await cached({ id: 7 });
    expect(await cache.get(key)).toBe('v');
    expect((await cache.explain(key)).served).toBe(true);
    await cache.delete(key);
    expect(await cache.has(key)).toBe(false);
  });

  test('invalidate ends one call’s value, in every process', async () => {
    const { here, there } = processes();
    const wrap = (cache: typeof here, load: () => Promise<number>) =>
      cache.withCache((_: number) => load(), { name: 'f' });
    const [mine, theirs] = [wrap(here, counting()), wrap(there, counting())];
    await mine(7);
    await mine(8);
    await turns();
    const receipt = await theirs.invalidate(7);
    expect(receipt.tags.length).toBeGreaterThan(0);
    expect([await mine(7), await mine(8)]).toEqual([3, 2]);
  });

  test('explain tells of one call', async () => {
    const { cache } = aCache();
    const cached = cache.withCache(async (n: number) => n, { name: 'f' });
    await cached(1);
    expect((await cached.explain(1)).text).toMatch(/would be served/);
    expect((await cached.explain(2)).text).toMatch(/nothing is stored/);
  });

  test('many takes an input each, in order, and asks the store once', async () => {
    const shared = memoryStore();
    const store = faultyStore(shared);
    const { clock, cache: writer } = aCache({ store: shared });
    const { cache } = aCache({ store, clock });
    await writer.withCache(async (n: number) => n, { name: 'f' }).many([1, 2, 3]);
    await turns();
    const load = vi.fn(async (n: number) => n);
    expect(await cache.withCache(load, { name: 'f' }).many([3, 1, 2, 1])).toEqual([3, 1, 2, 1]);
    expect(load).not.toHaveBeenCalled();
    expect(store.counts.trips).toBeLessThanOrEqual(2);
  });

  test('many of a function of one list takes lists', async () => {
    const { cache } = aCache();
    const sum = cache.withCache(async (list: number[]) => list.reduce((a, b) => a + b, 0), { name: 'sum' });
    expect(await sum.many([[1, 2], [3, 4]])).toEqual([3, 7]); // biome-ignore format: a line
  });

  test('many gives each call one argument, whatever the function says of its length', async () => {
    const { cache } = aCache();
    const count = (async (...args: unknown[]) => args.length) as (ids: readonly number[]) => Promise<number>;
    expect(await cache.withCache(count, { name: 'rest' }).many([[1, 2], [3]])).toEqual([1, 1]);
    const two = (async (ids: unknown, more: unknown) => [ids, more]) as (ids: readonly number[]) => Promise<unknown>;
    expect(await cache.withCache(two, { name: 'two' }).many([[1, 2]])).toEqual([[[1, 2], undefined]]);
  });
});

describe('arguments that are no data', () => {
  class Connection {
    query() {}
  }

  test('the call goes past the cache, every time, and says once which argument it is', async () => {
    const { cache } = aCache();
    const f = vi.fn(async (_: number, options: object) => options);
    const cached = cache.withCache(f, { name: 'f', key: undefined as never });
    const warnings = await warningsOf(() => {
      void cached(1, { db: new Connection() });
      void cached(2, { db: new Connection() });
    });
    await turns();
    expect(f).toHaveBeenCalledTimes(2);
    expect(cache.stats().entries).toBe(0);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^'f' is not cached: argument 2\.db is Connection, which cannot become part of a key/),
    ]);
  });

  test('fresh, read and many go past it too', async () => {
    const { cache } = aCache();
    const cached = cache.withCache(async (_: unknown) => 1, { name: 'f', key: undefined as never });
    await warningsOf(() => {});
    expect(await cached.fresh(new Connection())).toBe(1);
    expect(await cached.read(new Connection())).toMatchObject({ value: 1, source: 'database', stored: false });
    expect(await cached.many([new Connection()])).toEqual([1]);
    expect(() => cached.key(new Connection())).toThrow(/argument 1 is Connection/);
    await expect(cached.invalidate(new Connection())).rejects.toThrow(/argument 1 is Connection/);
  });

  test('its tags belong to the load around it all the same', async () => {
    const { cache } = aCache();
    const inner = cache.withCache(async (_: unknown) => 1, {
      name: 'inner',
      key: undefined as never,
      tags: () => ['t'],
      tagsOf: (value) => [`u:${value}`],
    });
    await warningsOf(async () => {
      for (const tag of ['t', 'u:1']) {
        await cache.getOrSet({ key: 'outer', load: () => inner(new Connection()) });
        await cache.invalidate(tag);
        expect(await cache.has('outer')).toBe(false);
      }
      await cache.getOrSet({
        key: 'outer',
        load: () => cache.getOrSet({ key: [new Connection() as never], tags: ['t'], load: () => 1 }),
      });
    });
    await cache.invalidate('t');
    expect(await cache.has('outer')).toBe(false);
  });

  test('a key of one’s own that is no data is named as what it is', async () => {
    const { cache } = aCache({ onUnkeyable: 'throw' });
    const cached = cache.withCache(async (_: Connection) => 1, { name: 'f', key: (db) => ['x', db] as never });
    await expect(cached(new Connection())).rejects.toMatchObject({
      code: 'UNKEYABLE',
      path: 'key[1]',
      found: 'Connection',
    });
  });
});

describe('the unbound withCache', () => {
  test('takes the cache in its options', async () => {
    const { cache } = aCache();
    const cached = withCache(counting(), { cache, name: 'f' });
    expect([await cached(), await cached()]).toEqual([1, 1]);
    expect(await cache.has(cached.key())).toBe(true);
  });
});

describe('cacheOf', () => {
  test('gives the handles of a wrapped function', async () => {
    const { cache } = aCache();
    const cached = cache.withCache(async (n: number) => n, { name: 'f' });
    expect(cacheOf(cached).key(7)).toBe(cached.key(7));
  });
});

test('views may wrap functions of one name, and keep them apart', async () => {
  const { cache } = aCache();
  const views = [cache, cache.tenant('a'), cache.tenant('b'), cache.namespace('n'), cache.namespace('n').tenant('a')];
  const functions = views.map((view, i) => view.withCache(async () => i, { name: 'f' }));
  for (let round = 0; round < 2; round++) expect(await Promise.all(functions.map((f) => f()))).toEqual([0, 1, 2, 3, 4]);
  expect(() => cache.tenant('a').withCache(async () => 1, { name: 'f' })).toThrow(/`name` to be new/);
});

test('withCache and invalidates can be taken off the cache', async () => {
  const { cache } = aCache();
  const { withCache: bound, invalidates } = cache;
  expect(await bound(async () => 1, { name: 'f' })()).toBe(1);
  expect(invalidates({ tags: [] })).toBeTypeOf('function');
});

test('the events of a wrapped function carry its name', async () => {
  const { cache } = aCache();
  const events = heard(cache, 'hit', 'miss', 'load');
  const cached = cache.withCache(async (n: number) => n, { name: 'team' });
  await cached(7);
  await cached(7);
  expect(events.map(({ type, name }) => `${type} ${name}`)).toEqual(['load team', 'miss team', 'hit team']);
  expect(cache.stats().hitRate('team')).toBe(0.5);
});

test('a wrapped function that runs in a load of another hands its dependencies up', async () => {
  const { cache } = aCache();
  const { load, runs } = slowLoad<number>();
  const inner = cache.withCache(load, { name: 'inner', tags: ['t'] });
  const outer = cache.withCache(() => inner(), { name: 'outer' });
  const call = outer();
  await turns();
  runs[0]?.resolve(1);
  await call;
  await cache.invalidate('t');
  expect(await cache.has(outer.key())).toBe(false);
});
