import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { redisStore } from '../../adapters/redis/index.js';
import { type Cache, createCache, InvalidationPendingError } from '../../src/index.js';
import { type Proxy, startProxy } from '../services/proxy.js';
import { ask, type RedisServer, startRedis, startRedisAt } from '../services/redis.js';
import { contains } from '../support/database.js';

// A Redis of our own that is emptied, goes back in time, hangs and is cut off, and two caches: one behind a wire that
// can be held, one that is connected directly.

const { redis } = inject('services');

describe.skipIf(redis === undefined)('two caches on a Redis with faults (skipped where there is none)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unstale-faults-'));
  let server: RedisServer;
  let wire: Proxy;
  let [here, there] = [] as unknown as [Cache, Cache];
  let row = 0;
  const read = (cache: Cache, key = 'row') => cache.getOrSet({ key, tags: ['rows'], load: async () => row });
  const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  beforeAll(async () => {
    server = await startRedis({ args: ['--dir', folder] });
    wire = await startProxy(server.port);
  });
  afterAll(async () => {
    await wire?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async () => {
    const name = `faults-${randomUUID()}`;
    here = createCache({ name, jitter: 0, store: redisStore(`redis://127.0.0.1:${wire.port}`) });
    there = createCache({ name, jitter: 0, store: redisStore(server.url) });
    // Until both are connected and trust what they see.
    for (const cache of [here, there])
      for (let i = 0; i < 200; i++) {
        await read(cache);
        if ((await cache.read({ key: 'row', tags: ['rows'], load: async () => row })).source !== 'load') break;
        await later(10);
      }
  };
  afterEach(async () => {
    wire.flow();
    await Promise.all([here?.close().catch(() => {}), there?.close().catch(() => {})]);
  });

  /** Both serve from the store again, and nothing older than `newest`. */
  const everybodyContains = async (newest: number) => {
    for (let i = 0; i < 5; i++) for (const cache of [here, there]) contains(newest, await read(cache));
  };

  test('that is emptied: a write afterwards is in every read, also of what was being loaded', async () => {
    await open();
    for (let i = 0; i < 10; i++) {
      let answer = () => {};
      const slow = new Promise<void>((resolve) => {
        answer = resolve;
      });
      await everybodyContains(row);
      let asked = () => {};
      const began = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const loading = here.getOrSet({
        key: `slow ${i}`,
        tags: ['rows'],
        load: async () => {
          const value = row;
          asked();
          await slow;
          return value;
        },
      });
      await began;
      await ask(server, (client) => client.flushall());
      const newest = ++row;
      await there.invalidate('rows');
      answer();
      await loading;
      await everybodyContains(newest);
      for (const cache of [here, there]) contains(newest, await read(cache, `slow ${i}`));
    }
  });

  test('that goes back to an older snapshot: what came back with it is not served', { timeout: 30_000 }, async () => {
    await open();
    await everybodyContains(row);
    await ask(server, (client) => client.save());
    const newest = ++row;
    await there.invalidate('rows');
    await everybodyContains(newest);
    await server.stop();
    server = await startRedisAt(server.port, ['--dir', folder]);
    for (let i = 0; i < 100; i++) {
      for (const cache of [here, there]) contains(newest, await read(cache));
      await later(20);
    }
  });

  for (const [what, begin] of [
    ['hangs', () => wire.hold()],
    ['hears, and does not answer', () => wire.hold('answers')],
    ['cannot be reached', () => wire.cut()],
  ] as const)
    test(`that ${what}: an invalidation rejects in time, nothing is served meanwhile, and it is delivered`, {
      timeout: 30_000,
    }, async () => {
      await open();
      await everybodyContains(row);
      begin();
      const newest = ++row;
      const began = performance.now();
      const refused = await here.invalidate('rows').catch((error) => error);
      expect(refused).toBeInstanceOf(InvalidationPendingError);
      expect(refused.tags).toEqual(['rows']);
      expect(performance.now() - began).toBeLessThan(1500);
      for (let i = 0; i < 20; i++) {
        const began = performance.now();
        contains(newest, await read(here), 'the process that wrote');
        expect(performance.now() - began).toBeLessThan(500);
      }
      await expect(here.settled({ timeout: 50 })).rejects.toThrow(InvalidationPendingError);
      wire.flow();
      await here.settled({ timeout: '15s' });
      await everybodyContains(newest);
    });
});
