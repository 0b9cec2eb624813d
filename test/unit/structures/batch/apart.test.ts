import { describe, expect, test, vi } from 'vitest';
import { ignoredStar, rowsStar, rowTag, tenantsStar, tenantTag } from '../../../../src/core/table-tags.js';
import type { Cache } from '../../../../src/index.js';
import { memoryStore } from '../../../../src/testing/index.js';
import { aCache, turns } from '../../core/a-cache.js';
import { type Asked, aClient } from '../../core/a-client.js';

// What an entry of a batch depends on, when its load has asked for many.

const T = 'table:shop.responses';
const byValue = (values: readonly unknown[]): Asked => ({
  tags: [...values.map((value) => tenantTag(T, value as string)), tenantsStar(T)],
  isApart: true,
});

type Ask = (inputs: readonly any[], client: ReturnType<typeof aClient>, cache: Cache) => Promise<unknown>;

async function ended(
  ask: Ask,
  inputs: readonly unknown[],
  tag: string,
  options: { apart?: boolean; store?: any } = {},
) {
  const { apart = true, ...rest } = options;
  const { cache } = aCache(rest);
  const client = aClient(cache);
  const batch = cache.batch({
    name: 'b',
    apart,
    load: async (all: readonly unknown[]) => {
      await ask(all, client, cache as Cache);
      return all.map(String);
    },
  });
  await batch.loadMany(inputs);
  await turns();
  const there = () => Promise.all(inputs.map((input) => cache.has(['b', input as string])));
  expect(await there()).toEqual(inputs.map(() => true));
  await client.port.acknowledge([tag], undefined);
  const after = await there();
  return inputs.filter((_, i) => !after[i]);
}

const one: Ask = (inputs, { query }) => query(byValue(inputs), () => []);

describe('a value whose query is apart', () => {
  for (const [place, options] of [['in memory', () => ({})], ['on a store', () => ({ store: memoryStore() })]] as const) // biome-ignore format: a line
    test(`ends with its own value, and with what names none, ${place}`, async () => {
      expect(await ended(one, [1, 2, 3], tenantTag(T, 2), options())).toEqual([2]);
      expect(await ended(one, [1, 2, 3], tenantsStar(T), options())).toEqual([1, 2, 3]);
      expect(await ended(one, [1, 2, 3], tenantTag(T, 9), options())).toEqual([]);
    });

  test('ends with its own row', async () => {
    const byRow: Ask = (inputs, { query }) => {
      const tags = [...inputs.map((id) => rowTag(T, id)), rowsStar(T), ignoredStar(T)];
      return query({ tags, droppable: [T], drop: [T], isApart: true }, () => []);
    };
    expect(await ended(byRow, [1, 2, 3], rowTag(T, 2))).toEqual([2]);
    for (const star of [rowsStar(T), ignoredStar(T)]) expect(await ended(byRow, [1, 2], star)).toEqual([1, 2]);
  });

  test('ends with the table when not every row was seen', async () => {
    const oneIsMissing: Ask = (inputs, { query }) =>
      query({ tags: inputs.map((id) => rowTag(T, id)), droppable: [T], isApart: true }, () => []);
    expect(await ended(oneIsMissing, [1, 2], T)).toEqual([1, 2]);
  });

  test.each([
    ['7', 9n, 8],
    ['0B4E2C8A-1D3F-4A5B-8C7D-9E0F1A2B3C4D', 'x', 'y'],
  ])('knows its value however it is written: %s', async (...inputs) => {
    const asDriver: Ask = (all, { query }) => query(byValue(all.map((value) => String(value).toLowerCase())), () => []);
    expect(await ended(asDriver, inputs, tenantTag(T, inputs[0]))).toEqual([inputs[0]]);
  });
});

describe('a value ends with all that its load has read', () => {
  const all = [1, 2, 3];
  const alike = { ...byValue(all), isApart: false };
  const other = 'table:shop.users';
  test.each<[string, Ask]>([
    ['when its rows are made of several', (_, { query }) => query(alike, () => [])],
    [
      'when it has asked twice: the same values may mean others',
      async (_, { query }) => {
        await query(byValue(all), () => []);
        await query({ tags: all.map((id) => tenantTag(other, id)), isApart: true }, () => []);
      },
    ],
    [
      'when there is a cached value in it',
      async (_, { query }, cache) => {
        await cache.getOrSet({ key: 'inner', tags: ['inner'], load: () => 1 });
        await query(byValue(all), () => []);
      },
    ],
    ['when the query names another value, too', (_, { query }) => query(byValue([...all, 4]), () => [])],
    [
      'when it names tables that are two',
      (_, { query }) => query({ tags: [...byValue(all).tags!, tenantTag(other, 1)], isApart: true }, () => []),
    ],
  ])('%s', async (_, ask) => {
    expect(await ended(ask, all, tenantTag(T, 2))).toEqual(all);
  });

  test('when the query names one value less', async () => {
    const less: Ask = (_, { query }) => query(byValue([1, 2]), () => []);
    expect(await ended(less, all, tenantTag(T, 2))).toEqual(all);
  });

  test('when its inputs are no single values', async () => {
    const bytes = [new Uint8Array([1]), new Uint8Array([2])];
    const ask: Ask = (_, { query }) => query(byValue([1, 2]), () => []);
    expect(await ended(ask, bytes, tenantTag(T, 2))).toHaveLength(2);
  });

  test('unless it is said to be apart', async () => {
    expect(await ended(one, all, tenantTag(T, 2), { apart: false })).toEqual(all);
  });
});

describe('a load around a batch', () => {
  const setting = (options = {}) => {
    const { cache, clock } = aCache(options);
    const { query } = aClient(cache);
    const batch = cache.batch({
      name: 'b',
      apart: true,
      load: (inputs: readonly number[]) => query(byValue(inputs), () => inputs.map((n) => n * n)),
    });
    const page = (n: number) => cache.read({ key: ['page', n], load: () => batch.load(n) });
    return { cache, clock, query, batch, page };
  };

  test.each(['cold', 'warm'])('depends on its own values alone, %s', async (how) => {
    const { cache, batch, page } = setting();
    if (how === 'warm') await batch.loadMany([1, 2, 3]);
    await Promise.all([1, 2].map(page));
    const whole = () => cache.getOrSet({ key: 'whole', load: () => batch.loadMany([1, 2, 3]) });
    expect(await whole()).toEqual([1, 4, 9]);
    await (cache as any)[Symbol.for('unstale.port')].acknowledge([tenantTag(T, 1)], undefined);
    expect([await cache.has(['page', 1]), await cache.has(['page', 2]), await cache.has('whole')]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('lives no longer than what the batch has read, and is not stored with what is not known', async () => {
    const { cache, clock } = aCache();
    aClient(cache);
    const inner = () => cache.getOrSet({ key: 'inner', ttl: '10s', tags: [], load: () => 1 });
    await inner();
    await clock.advance(4000);
    const aged = cache.batch({
      name: 'aged',
      load: async (inputs: readonly number[]) => Promise.all(inputs.map(() => inner())),
    });
    await aged.load(1);
    await clock.advance(5999);
    expect(await cache.has(['aged', 1])).toBe(true);
    await clock.advance(1);
    expect(await cache.has(['aged', 1])).toBe(false);
    const refused = cache.batch({
      name: 'refused',
      load: async (inputs: readonly number[]) => {
        (cache as any)[Symbol.for('unstale.port')].refuse('nobody knows');
        return inputs.map(() => 1);
      },
    });
    const page = await cache.read({ key: 'page', load: () => refused.load(1) });
    expect(page).toMatchObject({ stored: false, reason: 'nobody knows' });
    expect(await cache.has(['refused', 1])).toBe(false);
  });

  test('is told when no query was seen', async () => {
    const { cache } = aCache();
    aClient(cache);
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const untracked: string[] = [];
    cache.on('untracked', ({ name }) => untracked.push(name));
    const load = async (inputs: readonly number[]) => inputs.map((n) => n);
    await cache.batch({ name: 'unseen', load }).load(1);
    await cache.batch({ name: 'said', load, tags: () => [] }).load(1);
    expect(untracked).toEqual(['unseen']);
    expect([await cache.has(['unseen', 1]), await cache.has(['said', 1])]).toEqual([false, true]);
  });
});
