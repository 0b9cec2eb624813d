import { describe, expect, test } from 'vitest';
import type { Cache } from '../../../src/index.js';
import { table } from '../../../src/table.js';
import { aCache, counting, heard } from './a-cache.js';
import { aClient } from './a-client.js';
import { warningsOf } from './warnings.js';

const reason = (name: string) => `0 queries seen in '${name}'; write \`tags: []\` if age alone should end it`;

/** A cache that has a client, whose queries no load here shows. */
function aWatchedCache(options = {}) {
  const { cache } = aCache(options);
  return { cache, ...aClient(cache) };
}

class Service {
  constructor(readonly cache: Cache) {}
  async rows() {
    return 1;
  }
}

/** Calls a load that shows nothing, in every way there is, with and without tags that say that this is meant. */
const ways: [string, (cache: Cache, tags: object) => Promise<unknown>][] = [
  ['getOrSet', (cache, tags) => cache.getOrSet({ key: 'dashboard', ...tags, load: () => 1 })],
  ['read', (cache, tags) => cache.read({ key: 'dashboard', ...tags, load: () => 1 })],
  ['fresh', (cache, tags) => cache.getOrSet({ key: 'dashboard', fresh: true, ...tags, load: () => 1 })],
  ['many', (cache, tags) => cache.getOrSetMany({ inputs: ['dashboard'], key: (key) => key, load: (n) => n, ...('tags' in tags ? { tags: () => [] } : {}) })],
  ['a function', (cache, tags) => cache.withCache(async () => 1, { name: 'dashboard', ...tags })()],
  ['a function of a tag function', (cache, tags) => cache.withCache(async () => 1, { name: 'dashboard', ...('tags' in tags ? { tags: () => [] } : {}) })()],
  ['a function with a ttl function', (cache, tags) => cache.withCache(async () => 1, { name: 'dashboard', ttl: () => '5m', ...tags })()],
  ['a method', (cache, tags) => {
    const decorate = cache.withCache({ name: 'dashboard', ...tags }) as unknown as (method: unknown, context: object) => (this: Service) => Promise<unknown>;
    return decorate(Service.prototype.rows, { kind: 'method', name: 'rows' }).call(new Service(cache));
  }],
]; // biome-ignore format: a table

describe.each(ways)('a load that shows no query, by %s,', (_, call) => {
  test('is handed out and not stored, told each time and warned of once', async () => {
    const { cache } = aWatchedCache();
    const untracked = heard(cache, 'untracked');
    const loads = heard(cache, 'load');
    const misses = heard(cache, 'miss');
    const warnings = await warningsOf(async () => {
      const other = cache.namespace('again');
      await call(cache, {});
      await call(other, {});
    });
    expect(loads.map(({ stored, reason }) => [stored, reason])).toEqual([
      [false, reason('dashboard')],
      [false, reason('dashboard')],
    ]);
    const told = { type: 'untracked', name: 'dashboard', reason: reason('dashboard') };
    expect(untracked).toEqual([
      { ...told, key: misses[0]?.key },
      { ...told, key: misses[1]?.key },
    ]);
    expect(warnings.map(({ message }) => message)).toEqual([
      `A value of 'dashboard' is not stored: ${reason('dashboard')}.`,
    ]);
  });

  test('is stored when its tags say that age alone ends it', async () => {
    const { cache } = aWatchedCache();
    const untracked = heard(cache, 'untracked');
    const loads = heard(cache, 'load');
    await call(cache, { tags: [] });
    expect([loads.map(({ stored }) => stored), untracked]).toEqual([[true], []]);
  });
});

test('what holds it is not stored either', async () => {
  const { cache } = aWatchedCache();
  const inner = () => cache.getOrSet({ key: 'inner', load: () => 1 });
  const outer = await cache.read({ key: 'outer', tags: ['T'], load: inner });
  expect(outer).toMatchObject({ stored: false, reason: reason('inner') });
});

describe('a load is stored that', () => {
  const tracked: [string, (cache: Cache, client: ReturnType<typeof aClient>) => Promise<unknown>][] = [
    ['shows a query', (cache, { query }) => cache.getOrSet({ key: 'a', load: () => query({ tags: ['T'] }, () => 1) })],
    ['shows a query without tags', (cache, { query }) => cache.getOrSet({ key: 'a', load: () => query({}, () => 1) })],
    ['holds a stored value', async (cache) => {
      const inner = () => cache.getOrSet({ key: 'b', tags: [], load: () => 1 });
      await inner();
      return cache.getOrSet({ key: 'a', load: inner });
    }],
    ['holds a value that it loads', (cache) => cache.getOrSet({ key: 'a', load: () => cache.getOrSet({ key: 'b', tags: ['T'], load: () => 1 }) })],
    ['holds one that says its tags and goes past the cache', (cache) => {
      const past = cache.withCache(async () => 1, { name: 'b', tags: [], when: () => false });
      return cache.getOrSet({ key: 'a', load: () => past() });
    }],
    ['names a tag', (cache) => cache.getOrSet({ key: 'a', load: ({ tag }) => tag('T') })],
    ['names no tag', (cache) => cache.getOrSet({ key: 'a', load: ({ tag }) => tag() })],
    ['has tags', (cache) => cache.getOrSet({ key: 'a', tags: [table('orders')], load: () => 1 })],
    ['has tagsOf', (cache) => cache.withCache(async () => 1, { name: 'f', key: () => [], tagsOf: () => [] })()],
    ['ran before there was a client, or after', (cache, { detach }) => {
      detach();
      detach();
      return cache.getOrSet({ key: 'a', load: () => 1 });
    }],
  ]; // biome-ignore format: a table
  test.each(tracked)('%s', async (_, call) => {
    const { cache, ...client } = aWatchedCache();
    const untracked = heard(cache, 'untracked');
    const loads = heard(cache, 'load');
    await call(cache, client);
    expect([loads.at(-1)?.stored, untracked]).toEqual([true, []]);
  });
});

test('a load that goes past the cache and says nothing tells the load around it nothing', async () => {
  const { cache } = aWatchedCache();
  const past = cache.withCache(async () => 1, { name: 'past', when: () => false });
  expect(await cache.read({ key: 'outer', load: () => past() })).toMatchObject({
    stored: false,
    reason: reason('outer'),
  });
});

test('a load that was not to be stored anyway is not told of, and still keeps out what holds it', async () => {
  const { cache } = aWatchedCache();
  const untracked = heard(cache, 'untracked');
  const inner = () => cache.getOrSet({ key: 'inner', load: ({ skip }) => skip('a draft') });
  expect(await cache.read({ key: 'inner', load: ({ skip }) => skip('a draft') })).toMatchObject({ reason: 'a draft' });
  expect(await cache.read({ key: 'outer', load: inner })).toMatchObject({ stored: false, reason: reason('inner') });
  expect(untracked).toEqual([]);
});

test('a client that was attached twice counts until both have gone', async () => {
  const { cache, detach } = aWatchedCache();
  const second = aClient(cache);
  detach();
  expect(await cache.read({ key: 'a', load: () => 1 })).toMatchObject({ stored: false });
  second.detach();
  expect(await cache.read({ key: 'a', load: () => 1 })).toMatchObject({ stored: true });
});

describe('explain', () => {
  test('says why the last load was not stored, until one is', async () => {
    const { cache, query } = aWatchedCache();
    const load = counting();
    expect((await cache.explain('a')).text).toBe('nothing is stored for a');
    await cache.getOrSet({ key: 'a', load });
    expect((await cache.explain('a')).text).toBe(
      `nothing is stored for a\nits last load was not stored: ${reason('a')}`,
    );
    await cache.getOrSet({ key: 'a', load: () => query({ tags: ['T'] }, load) });
    await cache.invalidate('T');
    expect((await cache.explain('a')).text).not.toContain('last load');
    await cache.getOrSet({ key: 'a', load });
    const { text, served } = await cache.explain('a');
    expect([served, text]).toEqual([false, expect.stringContaining(`its last load was not stored: ${reason('a')}`)]);
  });

  test('says that it failed', async () => {
    const { cache } = aCache();
    await cache.getOrSet({ key: 'a', load: () => Promise.reject(new Error('down')) }).catch(() => {});
    expect((await cache.explain('a')).text).toContain('its last load was not stored: it failed');
  });
});
