import { setTimeout as wait } from 'node:timers/promises';
import { redisStore } from '../../adapters/redis/index.js';
import { type Cache, type CacheOptions, createCache } from '../../src/index.js';

/**
 * A cache over Redis that is connected. A service need not wait for that: until then its reads go to the database. Here
 * they would be counted.
 */
export async function openShared(url: string, name: string, options: CacheOptions = {}): Promise<Cache> {
  const cache = createCache({ store: redisStore(url), name, ...options });
  const end = performance.now() + 5000;
  for (;;) {
    try {
      await cache.snapshot('anything');
      return cache;
    } catch (error) {
      if (performance.now() > end) throw error;
      await wait(2);
    }
  }
}
