import { expect, test } from 'vitest';
import { aCache } from './a-cache.js';

const keys = 1000;

/** Of so many keys, stored at once and read all the time, the most that were loaded within 100 ms at the end of their life. */
async function rush(jitter: number, cost: number): Promise<number> {
  const { cache, clock } = aCache({ ttl: '1m', jitter });
  const loads: number[] = [];
  const readAll = () =>
    Array.from({ length: keys }, (_, n) =>
      cache.getOrSet({
        key: ['page', n],
        load: async () => {
          loads.push(clock.now());
          if (cost > 0) await new Promise<void>((resolve) => clock.after(cost, resolve));
        },
      }),
    );
  const first = readAll();
  await clock.advance(cost);
  await Promise.all(first);
  loads.length = 0;
  const reads: Promise<unknown>[] = [];
  for (let at = 0; at < 65_000; at += 50) {
    if (at > 29_000) reads.push(...readAll());
    await clock.advance(50);
  }
  await Promise.all(reads);
  expect(loads.length).toBeGreaterThanOrEqual(keys);
  return Math.max(...loads.map((from) => loads.filter((at) => at >= from && at < from + 100).length));
}

test.each([1, 20, 500])('keys that were stored at once are not loaded at once again: a load of %i ms', async (cost) => {
  expect(await rush(0.1, cost)).toBeLessThanOrEqual(0.05 * keys);
});

test('those without jitter are', async () => {
  expect(await rush(0, 1)).toBe(keys);
});
