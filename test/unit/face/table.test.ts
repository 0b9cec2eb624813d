import { describe, expect, test } from 'vitest';
import type { Dependency } from '../../../src/core/dependency.js';
import type { Cache } from '../../../src/index.js';
import { table } from '../../../src/table.js';
import { aCache, heard } from '../core/a-cache.js';
import { aClient, portOfCache } from '../core/a-client.js';

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

describe('the database of a table', () => {
  /** The tags that a write of `written` ends, without those of its rows and tenants. */
  async function tables(cache: Cache, written: Dependency): Promise<string[]> {
    const { tags } = await cache.invalidate(written);
    return tags.filter((tag) => !/[#@!]/.test(tag));
  }

  test('is none while no client is wrapped', async () => {
    const { cache } = aCache();
    expect(await tables(cache, table('orders'))).toEqual(['table:orders']);
    expect(await tables(cache, table('sales.orders'))).toEqual(['table:sales.orders']);
  });

  test('is that of the wrapped clients, also after they are gone', async () => {
    const { cache } = aCache();
    const { detach } = aClient(cache, 'shop');
    expect(await tables(cache, table('orders'))).toEqual(['table:shop.orders']);
    aClient(cache, 'stock');
    aClient(cache, 'stock');
    detach();
    expect(await tables(cache, table('sales.orders'))).toEqual(['table:shop.sales.orders', 'table:stock.sales.orders']);
    expect(await tables(cache, table('public.orders', { id: 7 }))).toEqual(['table:shop.orders', 'table:stock.orders']);
  });

  test('is the one that is named, wrapped or not', async () => {
    const { cache } = aCache();
    aClient(cache, 'shop');
    expect(await tables(cache, table('orders', { database: 'shop' }))).toEqual(['table:shop.orders']);
    expect(await tables(cache, table('main.orders', { database: 'stock', id: 7 }))).toEqual(['table:stock.orders']);
    // Whether that one tells upper case from lower case nobody knows here.
    expect(await tables(cache, table('Orders', { database: 'stock' }))).toEqual([
      'table:stock.Orders',
      'table:stock.orders',
    ]);
  });

  test('decides how its names are compared', async () => {
    const { cache } = aCache();
    const tableTag = (schema: string | undefined, name: string) => `table:${schema ?? 'shop'}.${name.toLowerCase()}`;
    portOfCache(cache).attach({ database: 'shop', unitOf: () => undefined, tableTag });
    expect(await tables(cache, table('Orders'))).toEqual(['table:shop.orders']);
    expect(await tables(cache, table('stock.Orders', { database: 'shop' }))).toEqual(['table:stock.orders']);
  });

  test('is found when the cache uses it, not when it is written down', async () => {
    const { cache } = aCache();
    const read = cache.withCache(async () => 1, { name: 'f', tags: [table('orders')] });
    const byMethod = cache.invalidates({ tags: [table('orders')] }) as unknown as (
      method: () => Promise<void>,
      context: object,
    ) => () => Promise<void>;
    const write = byMethod(async () => {}, { kind: 'method', name: 'write' });
    aClient(cache, 'shop');
    const invalidations = heard(cache, 'invalidate');
    await read();
    expect((await read.explain()).tags.map(({ tag }) => tag)).toContain('table:shop.orders');
    await write();
    expect(invalidations[0]?.tags[0]).toBe('table:shop.orders');
    expect((await read.explain()).served).toBe(false);
  });
});

test('a write by hand also ends what depends on columns that are mostly ignored', async () => {
  for (const written of [table('orders'), table('orders', { id: 7 }), table('orders', { tenant: 'acme' })]) {
    const { cache } = aCache();
    expect((await cache.invalidate(written)).tags).toContain('table:orders!ignored');
  }
});

test('a list of no rows is all of them, which is never too few', async () => {
  expect(await ends(table('t', { id: [] }), table('t', { id: 7 }))).toBe(true);
  expect(await ends(table('t', { id: 7 }), table('t', { id: [] }))).toBe(true);
});
