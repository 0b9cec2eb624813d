import { randomUUID } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { redisStore } from '../../adapters/redis/index.js';
import { createCache } from '../../src/index.js';
import { forNobody, playTenants, waysOfOurs } from '../support/tenants.js';

const { redis } = inject('services');

describe.skipIf(redis === undefined)('twenty tenants on one Redis (skipped where there is none)', () => {
  for (const [what, ways] of [
    ['nobody reads what was made for another tenant', waysOfOurs],
    ['a cache whose keys do not have the tenant hands one the values of another', [forNobody]],
  ] as const)
    test(`in 200 random programs of two processes ${what}`, async () => {
      const name = `tenants-${randomUUID()}`;
      const options = { name, ackTimeout: '5s', memory: { maxEntries: 60 } } as const;
      const caches = [1, 2].map(() => createCache({ ...options, store: redisStore(redis?.url as string) }));
      await expect.poll(() => Promise.all(caches.map((cache) => cache.snapshot('ready')))).toHaveLength(2);
      const total = { reads: 0, crossed: 0, stored: 0 };
      for (let seed = 0; seed < 200; seed++) {
        // Names of functions are taken once in a cache: each program has a part of its own.
        const parts = caches.map((cache) => cache.namespace(`${seed}`));
        const { reads, crossed, stored } = await playTenants({ caches: parts, ways, seed });
        total.reads += reads;
        total.crossed += crossed;
        total.stored += stored;
      }
      await Promise.all(caches.map((cache) => cache.close()));
      if (ways === waysOfOurs) expect(total.crossed).toBe(0);
      else expect(total.crossed).toBeGreaterThan(1000);
      expect(total.reads).toBeGreaterThan(4000);
      expect(total.stored).toBeGreaterThan(500);
    }, 60_000);
});
