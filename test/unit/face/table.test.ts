import { describe, expect, test } from 'vitest';
import type { Dependency } from '../../../src/core/dependency.js';
import type { Cache } from '../../../src/core/face.js';
import { table } from '../../../src/table.js';
import { aCache, heard } from '../core/a-cache.js';

/** Whether a write of `written` ends what depends on `read`. */
async function ends(written: Dependency, read: Dependency): Promise<boolean> {
  const { cache } = aCache();
  await cache.set('a', 1, { since: await cache.snapshot(read) });
  await cache.invalidate(written);
  return !(await cache.has('a'));
}

describe('tags of reads may be rows of tables:', () => {
  const rows = table('orders', { id: 7 });
  const reads: [string, (cache: Cache) => Promise<unknown>][] = [
    ['tags', (cache) => cache.getOrSet({ key: 'a', tags: ['t', rows], load: () => 1 })],
    ['ctx.tag', (cache) => cache.getOrSet({ key: 'a', load: (context) => context.tag('t', rows) })],
    ['tags of many', (cache) => cache.getOrSetMany({ inputs: ['a'], key: (a) => a, tags: () => [rows], load: (n) => n })],
    ['tags of a function', (cache) => cache.withCache(async () => 1, { name: 'f', key: () => 'a', tags: [rows] })()],
    ['tags by the arguments', (cache) => cache.withCache(async () => 1, { name: 'f', tags: () => [rows] })()],
    ['tagsOf', (cache) => cache.withCache(async () => 1, { name: 'f', tagsOf: () => [rows] })()],
  ]; // biome-ignore format: a table
  test.each(reads)('%s', async (_, read) => {
    for (const written of [rows, table('orders')]) {
      const { cache } = aCache();
      const misses = heard(cache, 'miss');
      const isServed = async () => (await cache.explain(misses[0]?.key ?? '')).served;
      await read(cache);
      await cache.invalidate(table('users', { id: 7 }));
      expect(await isServed()).toBe(true);
      await cache.invalidate(written);
      expect(await isServed()).toBe(false);
    }
  });
});

describe('a write of', () => {
  const [all, row, other, acme, umbrella] = [
    table('orders'),
    table('orders', { id: 7 }),
    table('orders', { id: 8 }),
    table('orders', { tenant: 'acme' }),
    table('orders', { tenant: 'umbrella' }),
  ];

  test('a row ends what was read from it or from the whole table', async () => {
    expect([await ends(row, row), await ends(row, all)]).toEqual([true, true]);
  });

  test('a row leaves alone what was read from other rows', async () => {
    expect(await ends(row, other)).toBe(false);
  });

  test('the table ends everything read from it', async () => {
    for (const read of [all, row, acme]) expect(await ends(all, read)).toBe(true);
  });

  test('a tenant ends what was read from it and from the table, not from other tenants', async () => {
    expect([await ends(acme, acme), await ends(acme, all), await ends(acme, umbrella)]).toEqual([true, true, false]);
  });

  test('rows of nobody knows which tenant end every tenant’s, and a tenant’s rows every row’s', async () => {
    expect([await ends(row, acme), await ends(acme, row)]).toEqual([true, true]);
  });

  test('several rows ends each of them', async () => {
    const written = table('orders', { id: [7, 9] });
    expect([await ends(written, row), await ends(written, table('orders', { id: 9 }))]).toEqual([true, true]);
  });

  test('another table ends nothing', async () => {
    expect(await ends(table('users'), all)).toBe(false);
  });

  test.each([
    [7, '7'],
    [7, 7n],
    ['7', '7.0'],
    ['007', 7],
    [-0, 0],
    ['ABC', 'abc '],
    ['é', 'e'],
    [
      [1, 'a'],
      ['1', 'A'],
    ],
  ])('id %o also ends what was read by %o, which the database may take for the same', async (written, read) => {
    const [one, two] = [table('t', { id: [written] }), table('t', { id: [read] })];
    expect(await ends(one, two)).toBe(true);
  });
});
