import { expect, test } from 'vitest';
import type { CacheView } from '../../../src/core/cache.js';
import { currentScope } from '../../../src/core/context.js';
import type { Cache } from '../../../src/index.js';
import { aCache } from './a-cache.js';

/** What an adapter does: takes the version of what a query depends on, reports it to the load, then runs the query. */
function reporterOf(cache: Cache) {
  const { parts } = cache as unknown as CacheView;
  return async <T>(tag: string, query: () => Promise<T>): Promise<T> => {
    currentScope(parts)?.add(tag, parts.tags.cell(tag).version ?? '');
    return query();
  };
}

test('what its queries depend on ends a value, without a tag in sight', async () => {
  const { cache } = aCache();
  const query = reporterOf(cache);
  const rows = { users: 1, moods: 10 };
  const dashboard = () =>
    cache.getOrSet({
      key: 'dashboard',
      load: async () => {
        const [users, moods] = await Promise.all([
          query('users', async () => rows.users),
          query('moods', async () => rows.moods),
        ]);
        return users + moods;
      },
    });
  expect([await dashboard(), await dashboard()]).toEqual([11, 11]);
  rows.moods = 20;
  expect(await dashboard()).toBe(11);
  await cache.invalidate('moods');
  expect(await dashboard()).toBe(21);
});

test('a write between two queries of a load keeps the torn mix out of the cache', async () => {
  const { cache } = aCache();
  const query = reporterOf(cache);
  let row = 'old';
  const read = () =>
    cache.read({
      key: 'twice',
      load: async () => {
        const first = await query('row', async () => row);
        if (row === 'old') {
          row = 'new';
          await cache.invalidate('row');
        }
        return [first, await query('row', async () => row)];
      },
    });
  expect(await read()).toMatchObject({
    value: ['old', 'new'],
    stored: false,
    reason: "'row' was invalidated while the load ran",
  });
  expect(await read()).toMatchObject({ value: ['new', 'new'], stored: true });
});

test('a query of a call inside is reported to the calls around it', async () => {
  const { cache } = aCache();
  const query = reporterOf(cache);
  let row = 1;
  const inner = () => cache.getOrSet({ key: 'inner', load: () => query('row', async () => row) });
  const outer = () => cache.getOrSet({ key: 'outer', load: async () => (await inner()) * 10 });
  await inner();
  expect(await outer()).toBe(10);
  row = 2;
  await cache.invalidate('row');
  expect(await outer()).toBe(20);
});
