import { expect, test } from 'vitest';
import { aCache, partsOf } from './a-cache.js';

const keys = (of: number) => Array.from({ length: of }, (_, i) => `${i}`);

/** Which of its keys a tenant has in memory. */
async function present(cache: ReturnType<typeof aCache>['cache'], tenant: string | number, of: number) {
  const view = cache.tenant(tenant);
  const found: string[] = [];
  for (const key of keys(of)) if ((await view.explain(key)).source === 'near') found.push(key);
  return found;
}

test('a tenant that is alone has all the room there is', async () => {
  const { cache } = aCache({ memory: { maxEntries: 100 } });
  for (const key of keys(100)) await cache.tenant('a').set(key, 1);
  expect(await present(cache, 'a', 100)).toHaveLength(100);
});

test('one over its share gives up its own, the least recently used first, whoever writes', async () => {
  const { cache } = aCache({ memory: { maxEntries: 64 } });
  const fill = async (tenant: string, from: number, to: number) => {
    for (let i = from; i < to; i++) await cache.tenant(tenant).getOrSet({ key: `${i}`, load: () => i });
  };
  await fill('quiet', 0, 8);
  await fill('noisy', 0, 56);
  expect(cache.stats().entries).toBe(64);
  // The oldest of all are the quiet one's; of the noisy one's own, 0 to 3 have just been used.
  await fill('noisy', 0, 4);
  await fill('quiet', 8, 10);
  expect(await present(cache, 'quiet', 10)).toHaveLength(10);
  const left = await present(cache, 'noisy', 56);
  expect(left).toEqual(expect.arrayContaining(['0', '1', '2', '3', '55']));
  expect(left).not.toContain('4');
});

test('when nobody is over its share, the least recently used of all goes', async () => {
  const { cache } = aCache({ memory: { maxEntries: 30 } });
  for (const tenant of ['a', 'b', 'c'])
    for (const key of keys(10)) await cache.tenant(tenant).getOrSet({ key, load: () => 1 });
  await cache.tenant('c').getOrSet({ key: 'one more', load: () => 1 });
  expect(await present(cache, 'a', 10)).toEqual(keys(10).slice(1));
  expect(await present(cache, 'b', 10)).toHaveLength(10);
});

test('what belongs to no tenant has no share, and is not taken by one that is over its own', async () => {
  const { cache } = aCache({ memory: { maxEntries: 40 } });
  for (const key of keys(10)) await cache.getOrSet({ key, load: () => 1 });
  for (const key of keys(200)) await cache.tenant('noisy').getOrSet({ key, load: () => 1 });
  const left = await Promise.all(keys(10).map((key) => cache.has(key)));
  expect(left).not.toContain(false);
});

test('a value that is replaced, deleted, cleared or too large is not counted twice', async () => {
  const { cache } = aCache({ memory: { maxEntries: 50, maxBytes: '40kb', tenantShare: 0.2 } });
  let seed = 3;
  const dice = (sides: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * sides);
  };
  for (let step = 0; step < 3000; step++) {
    const tenant = cache.tenant(dice(4));
    const key = `${dice(30)}`;
    if (dice(50) === 0) await tenant.delete(key);
    else await tenant.set(key, 'x'.repeat(dice(100) === 0 ? 4000 : dice(500)));
    if (dice(200) === 0) await cache.clear();
  }
  partsOf(cache).near.clear();
  // An account that ran away would let somebody keep too much, or nobody anything.
  for (const key of keys(40)) await cache.tenant(1).getOrSet({ key, load: () => 1 });
  expect(await present(cache, 1, 40)).toHaveLength(40);
  for (const key of keys(9)) await cache.tenant(2).getOrSet({ key, load: () => 1 });
  for (const key of keys(100)) await cache.tenant(1).getOrSet({ key: ['again', key], load: () => 1 });
  expect(await present(cache, 2, 9)).toHaveLength(9);
});

test.each([0, -1, 1.1, Number.NaN, '50%'])('a share of %o is refused', (tenantShare) => {
  expect(() => aCache({ memory: { tenantShare: tenantShare as number } })).toThrow(
    'Expected `memory.tenantShare` to be a number above 0 and at most 1, got',
  );
});
