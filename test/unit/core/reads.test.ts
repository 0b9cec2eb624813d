import { describe, expect, test, vi } from 'vitest';
import type { Cache } from '../../../src/index.js';
import { aCache, counting, processes, slowLoad, turns } from './a-cache.js';

describe('getOrSet', () => {
  test('loads once and answers from memory after that', async () => {
    const { cache } = aCache();
    const load = counting();
    expect(await cache.getOrSet({ key: 'a', load })).toBe(1);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(1);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('takes a load that answers at once', async () => {
    const { cache } = aCache();
    expect(await cache.getOrSet({ key: 'a', load: () => 7 })).toBe(7);
    expect(await cache.get('a')).toBe(7);
  });

  test('tells keys apart by type and place, not by how they print', async () => {
    const { cache } = aCache();
    const keys = [['a'], 'a', ['a', 1], ['a', '1'], ['a', 1n], ['a', null], ['a', undefined], ['a', { b: 1 }], '["a"]'];
    for (const [at, key] of keys.entries()) await cache.set(key, at);
    for (const [at, key] of keys.entries()) expect(await cache.get(key)).toBe(at);
  });

  test('lets readers of one key share one load and its value', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad();
    const reads = [1, 2, 3].map(() => cache.getOrSet({ key: 'a', load }));
    await turns();
    runs[0]?.resolve({ n: 1 });
    const [first, second, third] = await Promise.all(reads);
    expect(load).toHaveBeenCalledTimes(1);
    expect(first).toBe(second);
    expect(second).toBe(third);
  });

  test('hands the error of a load to all who wait, unchanged, and loads again for the next', async () => {
    const { cache } = aCache();
    const error = new Error('no connection');
    const { load, runs } = slowLoad();
    const reads = [cache.getOrSet({ key: 'a', load }), cache.getOrSet({ key: 'a', load })];
    await turns();
    runs[0]?.reject(error);
    for (const outcome of await Promise.allSettled(reads))
      expect(outcome).toEqual({ status: 'rejected', reason: error });
    expect(load).toHaveBeenCalledTimes(1);
    const again = cache.getOrSet({ key: 'a', load });
    await turns();
    runs[1]?.resolve('back');
    expect(await again).toBe('back');
  });

  test('hands on what a load throws before its first await', async () => {
    const { cache } = aCache();
    const load = () => {
      throw 'not even an Error';
    };
    await expect(cache.getOrSet({ key: 'a', load })).rejects.toBe('not even an Error');
  });

  test('a reader who begins after an invalidation does not join the load from before', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad();
    const early = cache.getOrSet({ key: 'a', tags: ['t'], load });
    await turns();
    await cache.invalidate('t');
    const late = cache.getOrSet({ key: 'a', tags: ['t'], load });
    await turns();
    runs[0]?.resolve('old');
    await turns();
    runs[1]?.resolve('new');
    expect(await early).toBe('old');
    expect(await late).toBe('new');
    expect(await cache.get('a')).toBe('new');
  });

  test('a load that was overtaken by an invalidation is handed out and not served again', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad();
    const read = cache.read({ key: 'a', tags: ['t'], load });
    await turns();
    await cache.invalidate('t');
    runs[0]?.resolve('old');
    expect((await read).value).toBe('old');
    expect(await cache.has('a')).toBe(false);
  });
});

describe('null and undefined', () => {
  test.each([[null], [undefined]])('%s is a value: it is loaded once and told apart from a miss', async (nothing) => {
    const { cache } = aCache();
    const load = vi.fn(async () => nothing);
    expect(await cache.has('a')).toBe(false);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(nothing);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(nothing);
    expect(load).toHaveBeenCalledTimes(1);
    expect(await cache.has('a')).toBe(true);
    expect(await cache.get('a')).toBe(nothing);
  });

  test.each([[null], [undefined]])('%s comes back from a store as itself', async (nothing) => {
    const { here, there } = processes();
    await here.getOrSet({ key: 'a', load: async () => nothing });
    await turns();
    expect(await there.has('a')).toBe(true);
    const load = vi.fn(async () => 'loaded again');
    expect(await there.getOrSet<unknown>({ key: 'a', load })).toBe(nothing);
    expect(load).not.toHaveBeenCalled();
  });
});

describe('read', () => {
  test('says where a value came from, how old it is and why it was loaded', async () => {
    const { cache, clock } = aCache();
    const load = async () => 'v';
    expect(await cache.read({ key: 'a', load })).toEqual({
      value: 'v',
      source: 'load',
      age: 0,
      stored: true,
      reason: 'nothing stored',
    });
    await clock.advance(1500);
    expect(await cache.read({ key: 'a', load })).toEqual({ value: 'v', source: 'near', age: 1500, stored: true });
  });

  test('tells the store from memory, and the age of a value from the moment it was loaded in another process', async () => {
    const { here, there, clock } = processes({ maxStale: 1000 });
    await here.getOrSet({ key: 'a', load: () => 'v' });
    await clock.advance(300);
    const load = () => 'never';
    expect(await there.read({ key: 'a', load })).toEqual({ value: 'v', source: 'store', age: 300, stored: true });
    expect(await there.read({ key: 'a', load })).toEqual({ value: 'v', source: 'near', age: 300, stored: true });
  });

  test('says that a value was invalidated', async () => {
    const { cache } = aCache();
    const read = () => cache.read({ key: 'a', tags: ['t'], load: () => 1 });
    await read();
    await cache.invalidate('t');
    expect(await read()).toMatchObject({ source: 'load', reason: 'invalidated' });
  });
});

describe('fresh', () => {
  test('loads whatever is stored, and stores the result', async () => {
    const { cache } = aCache();
    const load = counting();
    await cache.getOrSet({ key: 'a', load });
    expect(await cache.getOrSet({ key: 'a', load, fresh: true })).toBe(2);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(2);
  });

  test('does not join a load that is under way', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad();
    const first = cache.getOrSet({ key: 'a', load });
    const fresh = cache.getOrSet({ key: 'a', load, fresh: true });
    await turns();
    expect(load).toHaveBeenCalledTimes(2);
    runs[0]?.resolve('first');
    runs[1]?.resolve('fresh');
    expect([await first, await fresh]).toEqual(['first', 'fresh']);
  });

  test('false is as if it were not there', async () => {
    const { cache } = aCache();
    const load = counting();
    await cache.getOrSet({ key: 'a', load });
    expect(await cache.getOrSet({ key: 'a', load, fresh: false })).toBe(1);
  });
});

describe('copy', () => {
  const value = () => ({ list: [{ n: 1 }], at: new Date(0) });

  test("'frozen': everybody gets the same frozen value, the one who loaded it too", async () => {
    const { cache } = aCache();
    const first = await cache.getOrSet({ key: 'a', load: () => ({ list: [{ n: 1 }] }) });
    const hit = await cache.getOrSet({ key: 'a', load: () => ({ list: [{ n: 2 }] }) });
    expect(hit).toBe(first);
    expect(Object.isFrozen(hit.list[0])).toBe(true);
    expect(() => hit.list.push({ n: 3 })).toThrow(TypeError);
  });

  test("'frozen': a Date is copied for each reader, since freezing does not protect it", async () => {
    const { cache } = aCache();
    (await cache.getOrSet({ key: 'a', load: value })).at.setTime(5);
    expect((await cache.getOrSet({ key: 'a', load: value })).at.getTime()).toBe(0);
  });

  test('the object that the load returned stays its own: changing it later changes nothing stored', async () => {
    const { cache } = aCache();
    const own = value();
    await cache.getOrSet({ key: 'a', load: () => own });
    own.list.push({ n: 9 });
    expect(Object.isFrozen(own)).toBe(false);
    expect((await cache.getOrSet({ key: 'a', load: () => own })).list).toEqual([{ n: 1 }]);
  });

  test("'clone': each reader gets a private copy, the one who loaded it too", async () => {
    const { cache } = aCache({ copy: 'clone' });
    const first = await cache.getOrSet({ key: 'a', load: value });
    first.list.push({ n: 2 });
    const second = await cache.getOrSet({ key: 'a', load: value });
    second.list.push({ n: 3 });
    expect((await cache.getOrSet({ key: 'a', load: value })).list).toEqual([{ n: 1 }]);
  });

  test("'reference': everybody gets the very object", async () => {
    const { cache } = aCache();
    const own = value();
    const read = () => cache.getOrSet({ key: 'a', copy: 'reference', load: () => own });
    expect(await read()).toBe(own);
    expect(await read()).toBe(own);
    expect(Object.isFrozen(own)).toBe(false);
  });

  test('readers who share a load get private copies of it too', async () => {
    const { cache } = aCache({ copy: 'clone' });
    const { load, runs } = slowLoad<{ n: number }>();
    const reads = [cache.getOrSet({ key: 'a', load }), cache.getOrSet({ key: 'a', load })];
    await turns();
    runs[0]?.resolve({ n: 1 });
    const [first, second] = await Promise.all(reads);
    expect(first).not.toBe(second);
  });

  test('a reader who asks for clones gets one of a value that another reader stored frozen', async () => {
    const { cache } = aCache();
    await cache.getOrSet({ key: 'a', load: value });
    const mine = await cache.getOrSet({ key: 'a', copy: 'clone', load: value });
    mine.list.push({ n: 2 });
    const again = await cache.getOrSet({ key: 'a', copy: 'clone', load: value });
    expect(again.list).toEqual([{ n: 1 }]);
  });
});

describe('per call', () => {
  test('a read goes by its own ttl rather than the cache’s', async () => {
    const { cache, clock } = aCache({ ttl: '1h' });
    const load = counting();
    await cache.getOrSet({ key: 'a', ttl: '1s', load });
    await clock.advance(1000);
    expect(await cache.getOrSet({ key: 'a', ttl: '1s', load })).toBe(2);
  });

  test('the options of a read are left as they are', async () => {
    const { cache } = aCache();
    const read = Object.freeze({ key: Object.freeze(['a', 1]), tags: Object.freeze(['t']), ttl: 1000, load: () => 1 });
    await cache.getOrSet(read);
    expect(await cache.getOrSet(read)).toBe(1);
  });
});

describe('get, has, set, delete', () => {
  test('get never loads, and has nothing to say of what is not there', async () => {
    const { cache } = aCache();
    expect(await cache.get('a')).toBeUndefined();
    await cache.set('a', 1);
    expect(await cache.get('a')).toBe(1);
  });

  test('what was set is what getOrSet finds', async () => {
    const { cache } = aCache();
    await cache.set(['a', 1], 'set');
    const load = counting();
    expect(await cache.getOrSet<unknown>({ key: ['a', 1], load })).toBe('set');
    expect(load).not.toHaveBeenCalled();
  });

  test('set replaces, goes by its own ttl, and by negativeTtl for null', async () => {
    const { cache, clock } = aCache({ ttl: 5000, negativeTtl: 1000 });
    await cache.set('a', 1);
    await cache.set('a', 2, { ttl: 3000 });
    await cache.set('null', null);
    expect(await cache.get('a')).toBe(2);
    await clock.advance(1000);
    expect(await cache.has('null')).toBe(false);
    await clock.advance(1999);
    expect(await cache.get('a')).toBe(2);
    await clock.advance(1);
    expect(await cache.get('a')).toBeUndefined();
  });

  test('set is seen by other processes, which do not keep the old value either', async () => {
    const { here, there } = processes();
    await here.set('a', 1);
    expect(await there.get('a')).toBe(1);
    await here.set('a', 2);
    await turns();
    expect(await there.get('a')).toBe(2);
  });

  test('delete ends one key, in every process', async () => {
    const { here, there } = processes({ maxStale: 1000 });
    await here.set('a', 1);
    await here.set('b', 2);
    expect([await there.get('a'), await there.get('b')]).toEqual([1, 2]);
    await here.delete('a');
    expect([await there.get('a'), await there.get('b')]).toEqual([undefined, 2]);
  });

  test('a load that began before a delete is not served after it', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    await turns();
    await cache.delete('a');
    runs[0]?.resolve('old');
    await read;
    expect(await cache.has('a')).toBe(false);
  });

  test('an aged value is not there for get and has', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: '1h', staleOnError: '1h' });
    await cache.set('a', 1);
    await clock.advance(1000);
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.has('a')).toBe(false);
  });

  test('a value that cannot be stored is refused by set, and the old one stays', async () => {
    const { cache } = aCache();
    await cache.set('a', 1);
    await expect(cache.set('a', () => {})).rejects.toMatchObject({ code: 'UNSTORABLE', path: 'value' });
    expect(await cache.get('a')).toBe(1);
  });
});

describe('snapshot', () => {
  test('a value set under a snapshot ends with each of its tags', async () => {
    for (const tag of ['t', 'u']) {
      const { cache } = aCache();
      await cache.set('a', 1, { since: await cache.snapshot('t', 'u') });
      expect(await cache.get('a')).toBe(1);
      await cache.invalidate(tag);
      expect(await cache.get('a')).toBeUndefined();
    }
  });

  const changes = {
    'an invalidation': (cache: Cache) => cache.invalidate('t'),
    'a clear': (cache: Cache) => cache.clear(),
    'a delete': (cache: Cache) => cache.delete('a'),
  };
  for (const [what, change] of Object.entries(changes)) {
    test(`${what} between snapshot and set keeps the value out`, async () => {
      const { cache } = aCache();
      const since = await cache.snapshot('t');
      await change(cache);
      await cache.set('a', 'old', { since });
      expect(await cache.has('a')).toBe(false);
    });

    test(`${what} in another process between snapshot and set keeps the value out`, async () => {
      const { here, there } = processes();
      const since = await here.snapshot('t');
      await change(there);
      await here.set('a', 'old', { since });
      expect(await here.has('a')).toBe(false);
      expect(await there.has('a')).toBe(false);
    });
  }

  test('without a snapshot a value ends by age, delete or clear alone', async () => {
    const { cache } = aCache();
    await cache.set('a', 1);
    await cache.invalidate('a', 't');
    expect(await cache.get('a')).toBe(1);
    await cache.clear();
    expect(await cache.get('a')).toBeUndefined();
  });

  test('a snapshot of a namespace ends with a clear of it in between', async () => {
    const { cache } = aCache();
    const reports = cache.namespace('reports');
    const since = await reports.snapshot();
    await reports.clear();
    await reports.set('a', 'old', { since });
    expect(await reports.has('a')).toBe(false);
  });
});

describe('clear', () => {
  test('ends everything, in every process', async () => {
    const { here, there } = processes();
    await here.set('a', 1);
    await here.namespace('n').set('b', 2);
    await here.tenant('x').set('c', 3);
    await there.clear();
    expect(await here.has('a')).toBe(false);
    expect(await here.namespace('n').has('b')).toBe(false);
    expect(await here.tenant('x').has('c')).toBe(false);
  });
});
