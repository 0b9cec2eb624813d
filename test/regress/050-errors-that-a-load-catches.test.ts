import { describe, expect, test } from 'vitest';
import { type Cache, createCache } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';
import { aClient } from '../unit/core/a-client.js';

// A load asked for a cached value whose own load failed, caught the error, and was stored: without the dependencies of
// what had failed, which nobody had handed up. "There is no such user" then outlived the user's arrival.

describe.each([
  ['in memory', () => ({})],
  ['on a store', () => ({ store: memoryStore() })],
])('a load that catches the error of a cached value in it is not stored, %s', (_, options) => {
  const ways: Record<string, (cache: Cache, load: () => Promise<never>) => Promise<unknown>> = {
    getOrSet: (cache, load) => cache.getOrSet({ key: 'inner', load }),
    getOrSetMany: (cache, load) => cache.getOrSetMany({ inputs: [1], key: (n) => ['inner', n], load }),
    withCache: (cache, load) => cache.withCache(load, { name: 'inner' })(),
    batch: (cache, load) => cache.batch({ name: 'inner', load: (_: readonly number[]) => load() }).load(1),
  };
  for (const [name, ask] of Object.entries(ways))
    test(name, async () => {
      const cache = createCache(options());
      const { query } = aClient(cache);
      const fails = () =>
        query({ tags: ['users'] }, () => {
          throw new Error('no such user');
        });
      const page = async () => {
        await query({ tags: ['pages'] }, () => 'page');
        return ask(cache, fails).catch(() => 'nobody');
      };
      expect(await cache.read({ key: 'page', load: page })).toMatchObject({
        value: 'nobody',
        stored: false,
        reason: 'a cached value in it could not be loaded',
      });
      await cache.close();
    });
});
