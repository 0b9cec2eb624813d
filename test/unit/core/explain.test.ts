import { describe, expect, test } from 'vitest';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, heard, processes, turns } from './a-cache.js';

describe('explain', () => {
  test('says that nothing is stored', async () => {
    const { cache } = aCache();
    expect(await cache.explain('a')).toEqual({
      text: 'nothing is stored for a',
      served: false,
      source: undefined,
      age: undefined,
      freshFor: undefined,
      origin: undefined,
      tags: [],
    });
  });

  test('says where an entry is, how old, who loaded it, and what it depends on', async () => {
    const { cache, clock } = aCache({ ttl: '1m' });
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 'secret' });
    await clock.advance(1500);
    const { text, ...facts } = await cache.explain('a');
    expect(facts).toMatchObject({ served: true, source: 'near', age: 1500, freshFor: 58_500 });
    expect(facts.origin).toMatch(new RegExp(`/${process.pid}$`));
    expect(facts.tags).toContainEqual({ tag: 't', holds: true });
    expect(text.split('\n').slice(0, 3)).toEqual([
      'a: would be served',
      `found in memory, loaded 1.5 s ago by ${facts.origin}`,
      'fresh for another 58.5 s',
    ]);
    expect(text).toMatch(/^depends on .*t/m);
    expect(text).not.toContain('secret');
  });

  test('names the tag that ended it', async () => {
    const { cache } = aCache();
    await cache.getOrSet({ key: 'a', tags: ['t', 'u'], load: () => 1 });
    await cache.invalidate('u');
    const { text, served, tags } = await cache.explain('a');
    expect(served).toBe(false);
    expect(tags.filter(({ holds }) => !holds)).toEqual([{ tag: 'u', holds: false }]);
    expect(text).toMatch(/^a: would be loaded$/m);
    expect(text).toMatch(/^ended by a change of u$/m);
  });

  test('says that it has aged', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: '1h' });
    await cache.set('a', 1);
    await clock.advance(3500);
    const { text, served, freshFor } = await cache.explain('a');
    expect([served, freshFor]).toEqual([false, -2500]);
    expect(text).toMatch(/^aged since 2\.5 s$/m);
  });

  test('looks into the store too', async () => {
    const { here, there } = processes();
    await here.set('a', 1);
    const { served, source, text } = await there.explain('a');
    expect([served, source]).toEqual([true, 'store']);
    expect(text).toMatch(/found in the store/);
  });

  test('says that the store has lost data since', async () => {
    const store = memoryStore();
    const { here } = processes({ store });
    await here.set('a', 1);
    store.lose();
    expect((await here.explain('a')).text).toMatch(/may have lost data since/);
  });

  test('says that the store could not be asked', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    store.down();
    expect((await cache.explain('a')).text).toMatch(/^the store could not be asked about a: /);
  });

  test('tells of a load that has left its tags and no value', async () => {
    const { here, there } = processes();
    await here.getOrSet({ key: 'a', load: (context) => (context.tag('t'), 1) });
    await turns();
    const { text, served } = await there.explain('a');
    expect(served).toBe(false);
    expect(text).toMatch(/left its tags here, and no value yet/);
  });

  test('counts nothing, tells nobody and changes nothing', async () => {
    const { here, there } = processes();
    await here.set('a', 1);
    const events = heard(there, 'hit', 'miss');
    await there.explain('a');
    expect(events).toEqual([]);
    expect(there.stats().entries).toBe(0);
    expect(there.stats().counts()).toEqual({ hits: 0, misses: 0, loads: 0 });
  });

  test('of a wrapped function goes by its arguments, also when it has a version of its own', async () => {
    const { here, there } = processes();
    const wrap = (cache: typeof here) => cache.withCache(async (id: number) => id, { name: 'f', version: 3 });
    const [mine, theirs] = [wrap(here), wrap(there)];
    await mine(7);
    await turns();
    expect(await mine.explain(7)).toMatchObject({ served: true, source: 'near' });
    expect(await mine.explain(8)).toMatchObject({ served: false });
    expect(await theirs.explain(7)).toMatchObject({ served: true, source: 'store' });
  });

  test('names the mode when it is what keeps a value from being served', async () => {
    let mode: 'on' | 'bypass' = 'on';
    const { cache } = aCache({ mode: () => mode });
    await cache.set('a', 1);
    mode = 'bypass';
    const { served, text } = await cache.explain('a');
    expect(served).toBe(false);
    expect(text).toMatch(/^reads go past the cache: the cache's mode is 'bypass'$/m);
  });
});
