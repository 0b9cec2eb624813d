import { expect, test } from 'vitest';
import { Underkeyed } from '../../../src/core/underkeyed.js';
import type { Cache } from '../../../src/index.js';
import { aCache, heard, turns } from './a-cache.js';
import { type Asked, aClient } from './a-client.js';
import { warningsOf } from './warnings.js';

const select = 'select * from orders where tenant = $1';

/** Loads one key with these statements, one list for each load, and tells which were found to be under-keyed. */
async function found(...loads: (readonly Asked[])[]): Promise<string[]> {
  const { cache } = aCache();
  const { query } = aClient(cache);
  const underkeyed = heard(cache, 'underkeyed');
  for (const statements of loads)
    await cache.getOrSet({
      key: 'dashboard',
      fresh: true,
      load: () => Promise.all(statements.map((statement) => query(statement, () => turns()))),
    });
  return underkeyed.map(({ statement }) => statement);
}

test('another value in the same statement for the same key is told once, by its statement', async () => {
  const { cache } = aCache();
  const { query } = aClient(cache);
  const underkeyed = heard(cache, 'underkeyed');
  const service = { tenant: 'acme' };
  const dashboard = cache.withCache(async () => query({ text: select, params: [service.tenant] }, () => 1), {
    name: 'dashboard',
  });
  const warnings = await warningsOf(async () => {
    for (const tenant of ['acme', 'acme', 'other', 'third']) {
      service.tenant = tenant;
      await dashboard.fresh();
    }
  });
  expect(underkeyed).toEqual([{ type: 'underkeyed', key: 'dashboard[', name: 'dashboard', statement: select }]);
  expect(warnings.map(({ message }) => message)).toEqual([
    `'dashboard' ran \`${select}\` with other values for the same key: something it depends on is missing in its key.`,
  ]);
});

test('a value that stands in the text is a value, and is not shown', async () => {
  const text = (tenant: string) => `select 1 from "t1" where tenant = '${tenant}' and n > 5.5`;
  expect(await found([{ text: text('acme') }], [{ text: text("ot''her") }])).toEqual([
    'select ? from "t1" where tenant = ? and n > ?',
  ]);
});

test('loads of other keys may run it with other values', async () => {
  const { cache } = aCache();
  const { query } = aClient(cache);
  const underkeyed = heard(cache, 'underkeyed');
  for (const tenant of ['acme', 'other'])
    await cache.getOrSet({
      key: ['dashboard', tenant],
      load: () => query({ text: select, params: [tenant] }, () => 1),
    });
  for (const tenant of ['acme', 'other'])
    await cache
      .tenant(tenant)
      .getOrSet({ key: 'dashboard', load: () => query({ text: select, params: [tenant] }, () => 1) });
  expect(underkeyed).toEqual([]);
});

test('the order of parallel statements does not matter, nor which of them began early enough', async () => {
  const [a, b, c] = [1, 2, 3].map((id) => ({ text: 'select by id', params: [id] })) as unknown as [Asked, Asked, Asked];
  expect(await found([a, b], [b, a])).toEqual([]);
  expect(await found([a, b, c], [a])).toEqual([]);
  expect(await found([a, { text: 'x' }], [{ text: 'y' }, a])).toEqual([]);
  expect(await found([a, b], [a, c])).toEqual(['select by id']);
});

test('moments differ from load to load and do not count', async () => {
  const at = (moment: unknown): Asked => ({ text: 'select since $1', params: [moment, 'acme'] });
  expect(await found([at(new Date(1))], [at(new Date(2))])).toEqual([]);
  expect(await found([at('2026-01-01')], [at('2026-01-02T03:04:05Z')])).toEqual([]);
  expect(await found([at(1_760_000_000_000)], [at(1_760_000_000_001)])).toEqual([]);
  expect(await found([at('2026-01-01 or so')], [at('2026-01-02 or so')])).toHaveLength(1);
});

test('values that are no data are not compared', async () => {
  const odd = (value: unknown): Asked => ({ text: select, params: [value] });
  expect(await found([odd(() => 1)], [odd(() => 2)], [odd('acme')], [odd('acme')])).toEqual([]);
});

test('values by name are values', async () => {
  const named = (id: number): Asked => ({ text: 'select :id', params: { id } as never });
  expect(await found([named(1)], [named(2)])).toEqual(['select :id']);
});

/** A load whose second statement depends on what it got by `first`. */
function following(cache: Cache, query: ReturnType<typeof aClient>['query'], first: () => Promise<unknown>) {
  return (id: number) =>
    cache.getOrSet({
      key: 'dashboard',
      fresh: true,
      load: async () => {
        await first();
        return query({ text: select, params: [id] }, () => 1);
      },
    });
}

test('a statement may depend on what an earlier one or a cached value has told', async () => {
  const { cache } = aCache();
  const { query, port } = aClient(cache);
  const underkeyed = heard(cache, 'underkeyed');
  const settings = port.settings({});
  const ways = [
    () => query({ text: 'select settings' }, () => 1),
    () => query({ text: 'select settings' }, () => Promise.reject(new Error('none'))).catch(() => 1),
    () => cache.getOrSet({ key: 'settings', tags: [], load: () => 1 }),
    () =>
      port.read({ key: ['sql'], name: 'sql', settings, likely: [], load: () => query({ text: 'q' }, async () => 1) }),
  ];
  for (const first of ways) {
    const load = following(cache, query, first);
    await load(1);
    await load(2);
  }
  expect(underkeyed).toEqual([]);
});

test('a statement whose rows come from the cache counts for the load around it, and not for itself', async () => {
  const { cache } = aCache();
  const { query, port } = aClient(cache);
  const underkeyed = heard(cache, 'underkeyed');
  const rows = (id: number) => {
    const statement = { text: select, params: [id] };
    const load = () => query(statement, () => 1);
    return port.read({
      key: ['sql', select],
      name: 'sql',
      settings: port.settings({}),
      likely: [],
      statement,
      fresh: true,
      load,
    });
  };
  await rows(1);
  await rows(2);
  expect(underkeyed).toEqual([]);
  const dashboard = (id: number) =>
    cache.getOrSet({ key: 'dashboard', fresh: true, load: async () => (await rows(id)).value });
  await dashboard(1);
  await dashboard(2);
  expect(underkeyed).toMatchObject([{ name: 'dashboard', statement: select }]);
});

test('what is remembered is bounded', () => {
  const underkeyed = new Underkeyed();
  const check = (key: string, value: unknown, name = 'n') =>
    underkeyed.check(key, name, [{ text: 'q', params: [value] }]);
  for (let i = 0; i <= 10_000; i++) check(`key ${i}`, 1);
  expect(check('key 0', 2)).toBe(undefined);
  expect(check('key 9999', 2)).toBe('q');
  expect(check('key 9998', 2)).toBe(undefined);
  const long = [{ text: `select ${'x'.repeat(1000)}`, params: [] as unknown[] }];
  underkeyed.check('long', 'long', long);
  expect(underkeyed.check('long', 'long', [{ text: long[0]?.text ?? '', params: [1] }])).toHaveLength(301);
});
