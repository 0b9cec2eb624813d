import { describe, expect, test, vi } from 'vitest';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, counting, processes, slowLoad, turns } from './a-cache.js';

describe('tags known before the load', () => {
  test('any of them ends the value, others do not', async () => {
    const { cache } = aCache();
    const load = counting();
    const read = () => cache.getOrSet({ key: 'a', tags: ['t', 'u'], load });
    await read();
    await cache.invalidate('v');
    expect(await read()).toBe(1);
    await cache.invalidate('u');
    expect(await read()).toBe(2);
    await cache.invalidate('t', 'u');
    expect(await read()).toBe(3);
  });

  test('a tag of the user’s that looks like one of ours is another one', async () => {
    const { cache } = aCache();
    await cache.set('a', 1);
    for (let bucket = 0; bucket < 16; bucket++) await cache.invalidate('~*', `~*${bucket}`, `~d${bucket}`);
    expect(await cache.get('a')).toBe(1);
    await cache.getOrSet({ key: 'b', tags: ['~*'], load: () => 1 });
    await cache.invalidate('~*');
    expect(await cache.has('b')).toBe(false);
    expect(await cache.has('a')).toBe(true);
  });

  test('more than 1,024 are not worth it', async () => {
    const { cache } = aCache();
    const tags = Array.from({ length: 1100 }, (_, i) => `t${i}`);
    expect(await cache.read({ key: 'a', tags, load: () => 1 })).toMatchObject({
      stored: false,
      reason: 'it depends on more than 1024 tags',
    });
  });
});

describe('tags learned from the value', () => {
  test('in memory alone the first load is stored already', async () => {
    const { cache } = aCache();
    const load = vi.fn((context: { tag(...tags: string[]): void }) => (context.tag('t', 'u'), 1));
    await cache.getOrSet({ key: 'a', load });
    await cache.getOrSet({ key: 'a', load });
    expect(load).toHaveBeenCalledTimes(1);
    await cache.invalidate('u');
    expect(await cache.has('a')).toBe(false);
  });

  test('an invalidation during the load keeps the value out, although the tag was unknown then', async () => {
    const { cache } = aCache();
    const { load, runs } = slowLoad<number>();
    const read = cache.getOrSet({
      key: 'a',
      load: async (context) => {
        const value = await load();
        context.tag('t');
        return value;
      },
    });
    await turns();
    await cache.invalidate('t');
    runs[0]?.resolve(1);
    await read;
    expect(await cache.has('a')).toBe(false);
  });

  test('over a store the second load is stored, in whichever process it runs', async () => {
    const { here, there } = processes();
    const read = (cache: typeof here) => cache.read({ key: 'a', load: (context) => (context.tag('t'), 'v') });
    expect(await read(here)).toMatchObject({
      stored: false,
      reason: "'t' was learned from the result; the next load is stored",
    });
    await turns();
    expect(await read(there)).toMatchObject({ source: 'load', stored: true });
    await turns();
    expect(await read(here)).toMatchObject({ source: 'store' });
    await there.invalidate('t');
    expect((await read(here)).source).toBe('load');
  });

  test('a value with a tag that was not there last time is not stored until the next load', async () => {
    const { here } = processes();
    const read = (...tags: string[]) =>
      here.read({ key: 'a', fresh: true, load: (context) => (context.tag(...tags), 1) });
    await read('t');
    await turns();
    expect(await read('t')).toMatchObject({ stored: true });
    await turns();
    expect(await read('t', 'u')).toMatchObject({ stored: false });
    await turns();
    expect(await read('t', 'u')).toMatchObject({ stored: true });
  });
});

describe('values inside values', () => {
  test('what ends the inner one ends the outer one, hit or load', async () => {
    const { cache } = aCache();
    const inner = () => cache.getOrSet({ key: 'inner', tags: ['t'], load: () => 1 });
    await cache.getOrSet({ key: 'by load', load: inner });
    await cache.getOrSet({ key: 'by hit', load: inner });
    await cache.getOrSet({ key: 'in parallel', load: () => Promise.all([inner(), inner()]) });
    await cache.invalidate('t');
    for (const key of ['by load', 'by hit', 'in parallel']) expect(await cache.has(key)).toBe(false);
  });

  test('deleting the inner key ends the outer one', async () => {
    const { cache } = aCache();
    await cache.getOrSet({ key: 'outer', load: () => cache.getOrSet({ key: 'inner', load: () => 1 }) });
    await cache.delete('inner');
    expect(await cache.has('outer')).toBe(false);
  });

  test('an inner value that was reloaded in the middle tears the outer one', async () => {
    const { cache } = aCache();
    const inner = () => cache.getOrSet({ key: 'inner', tags: ['t'], load: () => 1 });
    const outer = await cache.read({
      key: 'outer',
      load: async () => {
        await inner();
        await cache.invalidate('t');
        await inner();
      },
    });
    expect(outer).toMatchObject({ stored: false, reason: expect.stringMatching(/invalidated while the load ran/) });
  });

  test('a value of another cache keeps the outer one out: its versions mean nothing here', async () => {
    const { cache } = aCache();
    const other = aCache().cache;
    const read = await cache.read({ key: 'outer', load: () => other.getOrSet({ key: 'a', load: () => 1 }) });
    expect(read).toMatchObject({ stored: false, reason: 'it holds a value of another cache' });
  });

  test('an inner value that is not stored for want of versions keeps the outer one out too', async () => {
    const { here } = processes();
    const inner = () => here.getOrSet({ key: 'inner', load: (context) => (context.tag('t'), 1) });
    expect((await here.read({ key: 'outer', load: inner })).stored).toBe(false);
  });

  test('an inner value that only its caller does not want stored does not', async () => {
    const { cache } = aCache();
    const inner = () => cache.getOrSet({ key: 'inner', tags: ['t'], load: (context) => (context.skip(), 1) });
    expect((await cache.read({ key: 'outer', load: inner })).stored).toBe(true);
    await cache.invalidate('t');
    expect(await cache.has('outer')).toBe(false);
  });
});

describe('tolerate', () => {
  test('accepts an invalidated value up to its age, and refreshes in the background', async () => {
    const { cache, clock } = aCache();
    const load = counting();
    const read = () => cache.read({ key: 'a', tags: ['t'], tolerate: '30s', load });
    await read();
    await clock.advance(10_000);
    await cache.invalidate('t');
    expect(await read()).toMatchObject({ value: 1, source: 'near', age: 10_000, reason: 'invalidated, and tolerated' });
    await turns();
    expect(await read()).toMatchObject({ value: 2, age: 0 });
  });

  test('not longer than said', async () => {
    const { cache, clock } = aCache();
    const load = counting();
    const read = () => cache.getOrSet({ key: 'a', tags: ['t'], tolerate: '30s', load });
    await read();
    await clock.advance(30_000);
    await cache.invalidate('t');
    expect(await read()).toBe(2);
  });

  test('is for the read that says so alone', async () => {
    const { cache } = aCache();
    const load = counting();
    await cache.getOrSet({ key: 'a', tags: ['t'], tolerate: '1h', load });
    await cache.invalidate('t');
    expect(await cache.has('a')).toBe(false);
    expect(await cache.getOrSet({ key: 'a', tags: ['t'], load })).toBe(2);
  });

  test('a tolerated value inside another keeps that one out', async () => {
    const { cache } = aCache();
    const inner = () => cache.getOrSet({ key: 'inner', tags: ['t'], tolerate: '1h', load: () => 1 });
    await inner();
    await cache.invalidate('t');
    expect((await cache.read({ key: 'outer', load: inner })).stored).toBe(false);
    await turns();
  });
});

describe('maxStale', () => {
  test('0: a read contains what another process acknowledged before it', async () => {
    const { here, there } = processes();
    let row = 'old';
    const read = () => here.getOrSet({ key: 'a', tags: ['t'], load: () => row });
    await read();
    row = 'new';
    await there.invalidate('t');
    expect(await read()).toBe('new');
  });

  test('0: a hit in memory does not read the entry again', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const read = (n: number) => cache.getOrSet({ key: ['a', n], load: () => n });
    for (const n of [1, 2, 3]) await read(n);
    await turns();
    store.forget();
    await Promise.all([read(1), read(2), read(3)]);
    expect(store.counts).toMatchObject({ write: 0, lease: 0 });
    expect(store.calls.every(({ key }) => key === undefined)).toBe(true);
  });

  test('above 0: a hit asks nobody, and a change that is reported counts at once', async () => {
    const store = memoryStore();
    const watched = faultyStore(store);
    const { here, there, clock } = processes({ store: watched, maxStale: '1s' });
    let row = 'old';
    const read = () => here.getOrSet({ key: 'a', tags: ['t'], load: () => row });
    await read();
    await turns();
    watched.forget();
    await clock.advance(500);
    expect(await read()).toBe('old');
    expect(watched.counts.read).toBe(0);
    row = 'new';
    await there.invalidate('t');
    expect(await read()).toBe('new');
  });
});

describe('a store', () => {
  test('that loses everything ends every value', async () => {
    const store = memoryStore();
    const { here } = processes({ store });
    const load = counting();
    const read = () => here.getOrSet({ key: 'a', load });
    await read();
    await turns();
    store.lose();
    expect(await read()).toBe(2);
  });

  test('that is out of reach: reads go to the database and say why', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    await cache.getOrSet({ key: 'a', load: () => 1 });
    store.down();
    expect(await cache.read({ key: 'a', load: () => 2 })).toMatchObject({
      value: 2,
      stored: false,
      reason: 'the store is not available',
    });
    store.up();
    expect(await cache.getOrSet({ key: 'a', load: () => 3 })).toBe(1);
  });

  test('whose bytes are damaged: a miss, and an event', async () => {
    const shared = memoryStore();
    const store = faultyStore(shared, { corrupt: (bytes) => bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) });
    const { clock } = aCache({ store: shared });
    const writer = aCache({ store: shared, clock }).cache;
    const reader = aCache({ store, clock }).cache;
    const damaged: unknown[] = [];
    reader.on('damaged', (event) => damaged.push(event));
    await writer.set('a', 'secret');
    expect(await reader.getOrSet({ key: 'a', load: () => 'loaded' })).toBe('loaded');
    expect(damaged).toEqual([{ key: 'a', bytes: expect.any(Number) }]);
  });

  test('one process loads, the others wait for it and take its value', async () => {
    const { caches } = processes({ count: 4 });
    const { load, runs } = slowLoad();
    const reads = caches.map((cache) => cache.getOrSet({ key: 'a', load }));
    await turns(10);
    runs[0]?.resolve('v');
    expect(await Promise.all(reads)).toEqual(['v', 'v', 'v', 'v']);
    expect(load).toHaveBeenCalledTimes(1);
  });
});
