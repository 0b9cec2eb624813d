import { expect, test } from 'vitest';
import { type Cache, createCache } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';
import { forNobody, playTenants, waysOfOurs } from '../support/tenants.js';

// Twenty tenants in one cache. On a real Redis: `tenants.test.ts`.

async function programs(count: number, open: () => Cache[], ways = waysOfOurs) {
  const total = { reads: 0, crossed: 0, stored: 0 };
  for (let seed = 0; seed < count; seed++) {
    const caches = open();
    const { reads, crossed, stored } = await playTenants({ caches, ways, seed });
    expect(ways === waysOfOurs ? crossed : 0, `reads of another's values under the seed ${seed}`).toBe(0);
    total.reads += reads;
    total.crossed += crossed;
    total.stored += stored;
    await Promise.all(caches.map((cache) => cache.close()));
  }
  return total;
}

const inMemory = () => [createCache({ memory: { maxEntries: 60 } })];
const onStore = () => {
  const store = memoryStore({ maxEntries: 500, maxVersions: 5000 });
  return [createCache({ store, memory: { maxEntries: 60 } }), createCache({ store, memory: { maxEntries: 60 } })];
};

test('in 500 random programs in memory nobody reads what was made for another tenant', async () => {
  const { reads, stored } = await programs(500, inMemory);
  expect(reads).toBeGreaterThan(10_000);
  expect(stored).toBeGreaterThan(1000);
}, 120_000);

test('nor in 500 on a store that two processes share', async () => {
  const { reads, stored } = await programs(500, onStore);
  expect(reads).toBeGreaterThan(10_000);
  expect(stored).toBeGreaterThan(1000);
}, 120_000);

test('a cache whose keys do not have the tenant hands one the values of another', async () => {
  expect((await programs(5, inMemory, [forNobody])).crossed).toBeGreaterThan(50);
  expect((await programs(5, onStore, [forNobody])).crossed).toBeGreaterThan(50);
});

/** What is left of the memory of nine quiet tenants when a tenth writes a hundred times as much as there is room for. */
async function leftOfTheQuiet(tenantShare: number, memory: { maxEntries?: number; maxBytes?: number }, size = 1) {
  const cache = createCache({ memory: { ...memory, tenantShare } });
  const value = 'x'.repeat(size);
  const own = async (tenant: number) => {
    for (let i = 0; i < 10; i++) await cache.tenant(tenant).getOrSet({ key: `${i}`, load: () => value });
  };
  for (let tenant = 1; tenant < 10; tenant++) await own(tenant);
  const noisy = cache.tenant('noisy');
  for (let i = 0; i < 5000; i++) await noisy.getOrSet({ key: `${i}`, load: () => value });
  let left = 0;
  for (let tenant = 1; tenant < 10; tenant++)
    for (let i = 0; i < 10; i++) left += (await cache.tenant(tenant).has(`${i}`)) ? 1 : 0;
  const { entries } = cache.stats();
  await cache.close();
  return { left, entries };
}

test('one noisy tenant takes nothing of what the others have, in entries and in bytes', async () => {
  const byEntries = await leftOfTheQuiet(0.5, { maxEntries: 200 });
  expect(byEntries.left).toBe(90);
  expect(byEntries.entries, 'and has all the room that they leave').toBeGreaterThan(180);
  expect((await leftOfTheQuiet(0.5, { maxBytes: 500_000 }, 1000)).left).toBe(90);
});

test('without a share it empties them', async () => {
  expect((await leftOfTheQuiet(1, { maxEntries: 200 })).left).toBe(0);
  expect((await leftOfTheQuiet(1, { maxBytes: 500_000 }, 1000)).left).toBe(0);
});
