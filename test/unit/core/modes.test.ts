import { describe, expect, test } from 'vitest';
import type { Mode } from '../../../src/core/options.js';
import { aCache, counting, heard, processes, slowLoad, turns } from './a-cache.js';

describe("mode: 'bypass'", () => {
  test('serves nothing and stores nothing', async () => {
    const { cache } = aCache({ mode: 'bypass' });
    const load = counting();
    expect(await cache.getOrSet({ key: 'a', load })).toBe(1);
    expect(await cache.read({ key: 'a', load })).toEqual({
      value: 2,
      source: 'database',
      age: 0,
      stored: false,
      reason: "the cache's mode is 'bypass'",
    });
    expect(cache.stats().entries).toBe(0);
    expect(cache.stats().counts()).toMatchObject({ hits: 0, misses: 0 });
  });

  test('what was stored before is not seen by get and has', async () => {
    let mode: Mode = 'on';
    const { cache } = aCache({ mode: () => mode });
    await cache.set('a', 1);
    mode = 'bypass';
    expect([await cache.get('a'), await cache.has('a')]).toEqual([undefined, false]);
  });

  test('set stores nothing, and ends what was there', async () => {
    let mode: Mode = 'on';
    const { cache } = aCache({ mode: () => mode });
    await cache.set('a', 'old');
    mode = 'bypass';
    await cache.set('a', 'new');
    mode = 'on';
    expect(await cache.has('a')).toBe(false);
  });

  test('invalidations are still sent, so that switching on again is safe', async () => {
    let mode: Mode = 'on';
    const { here, there } = processes({ mode: () => mode });
    await here.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    mode = 'bypass';
    await there.invalidate('t');
    mode = 'on';
    expect(await here.has('a')).toBe(false);
  });

  test('callers do not share loads', async () => {
    const { cache } = aCache({ mode: 'bypass' });
    const load = counting();
    expect(await Promise.all([cache.getOrSet({ key: 'a', load }), cache.getOrSet({ key: 'a', load })])).toEqual([1, 2]);
  });

  test('an error of the load is what the caller gets', async () => {
    const { cache } = aCache({ mode: 'bypass' });
    await expect(cache.getOrSet({ key: 'a', load: () => Promise.reject(new Error('down')) })).rejects.toThrow('down');
  });

  test('a load may use its context all the same', async () => {
    const { cache } = aCache({ mode: 'bypass' });
    const value = await cache.getOrSet({
      key: 'a',
      load: (context) => (context.tag('t'), context.ttl('1s'), context.skip(), context.signal.aborted),
    });
    expect(value).toBe(false);
  });
});

describe("mode: 'shadow'", () => {
  test('loads always, serves nothing, and says nothing while both agree', async () => {
    const { cache } = aCache({ mode: 'shadow' });
    const mismatches = heard(cache, 'mismatch');
    const load = () => ({ list: [1, new Date(0)] });
    for (let i = 0; i < 3; i++) expect(await cache.read({ key: 'a', load })).toMatchObject({ source: 'load' });
    expect(mismatches).toEqual([]);
    expect(await cache.get('a')).toBeUndefined();
  });

  test('tells of a value that changed although nothing was invalidated, without the value', async () => {
    const { cache, clock } = aCache({ mode: 'shadow' });
    const mismatches = heard(cache, 'mismatch');
    await cache.getOrSet({ key: ['user', 7], tags: ['t'], load: () => 'secret 1' });
    expect(await cache.getOrSet({ key: ['user', 7], tags: ['t'], load: () => 'secret 2' })).toBe('secret 2');
    await turns();
    await clock.advance(2000);
    await turns();
    expect(mismatches).toEqual([
      {
        ...{ type: 'mismatch', by: 'shadow', key: expect.any(String), name: 'user' },
        tags: expect.arrayContaining(['t']),
        versions: expect.any(Array),
        ...{ stored: expect.any(String), loaded: expect.any(String) },
      },
    ]);
    expect(cache.stats().audits).toMatchObject({ audited: 1, mismatches: 1 });
    expect(JSON.stringify(mismatches)).not.toContain('secret');
  });

  test('a change that was invalidated is none, also while the load runs', async () => {
    const { cache, clock } = aCache({ mode: 'shadow' });
    const mismatches = heard(cache, 'mismatch');
    const { load, runs } = slowLoad();
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    await cache.invalidate('t');
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 2 });
    const read = cache.getOrSet({ key: 'a', tags: ['t'], load });
    await turns();
    await cache.invalidate('t');
    runs[0]?.resolve(3);
    await read;
    await turns();
    await clock.advance(2000);
    expect(mismatches).toEqual([]);
  });

  test('a change is none whose invalidation was on its way when it was loaded', async () => {
    const { cache, clock } = aCache({ mode: 'shadow' });
    const mismatches = heard(cache, 'mismatch');
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    expect(await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 2 })).toBe(2);
    await turns();
    await cache.invalidate('t');
    await clock.advance(2000);
    await turns();
    expect(mismatches).toEqual([]);
    expect(cache.stats().audits).toMatchObject({ audited: 0, undecided: 1 });
  });

  test('a value that somebody has made what cannot be stored fails no read', async () => {
    const { cache } = aCache({ mode: 'shadow', copy: 'reference' });
    const read = () => cache.getOrSet({ key: 'a', tags: ['t'], load: () => ({}) as { f?: () => void } });
    const first = await read();
    first.f = () => {};
    expect(await read()).toEqual({});
    await turns();
    expect(cache.stats().audits).toMatchObject({ undecided: 1 });
  });

  test('an aged value is not compared', async () => {
    const { cache, clock } = aCache({ mode: 'shadow', ttl: 1000, swr: '1h' });
    const mismatches = heard(cache, 'mismatch');
    await cache.getOrSet({ key: 'a', load: () => 1 });
    await clock.advance(1000);
    await cache.getOrSet({ key: 'a', load: () => 2 });
    await turns();
    await clock.advance(2000);
    await turns();
    expect(mismatches).toEqual([]);
  });

  test('a load that fails is the caller’s error, also where an aged value could stand in', async () => {
    const { cache, clock } = aCache({ mode: 'shadow', ttl: 1000, staleOnError: '1h' });
    await cache.getOrSet({ key: 'a', load: () => 1 });
    await clock.advance(1000);
    const load = () => Promise.reject(new Error('down'));
    await expect(cache.getOrSet({ key: 'a', load })).rejects.toThrow('down');
  });

  test('wrapped functions load always too', async () => {
    const { cache } = aCache({ mode: 'shadow' });
    const f = cache.withCache(counting(), { name: 'f' });
    expect([await f(), await f(), await f.fresh()]).toEqual([1, 2, 3]);
  });
});

test('a function says the mode at each call', async () => {
  let mode: Mode = 'on';
  const { cache } = aCache({ mode: () => mode });
  const load = counting();
  const read = () => cache.getOrSet({ key: 'a', load });
  await read();
  mode = 'bypass';
  expect(await read()).toBe(2);
  mode = 'on';
  expect(await read()).toBe(1);
  mode = 'shadow';
  expect(await read()).toBe(3);
});
