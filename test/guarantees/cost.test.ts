import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { redisStore } from '../../adapters/redis/index.js';
import type { CacheView } from '../../src/core/cache.js';
import { type Cache, type CacheOptions, createCache } from '../../src/index.js';
import { type RedisServer, startRedis } from '../services/redis.js';

/** What the cache asks of Redis: counted by the server itself, so that nothing is overlooked. */
describe.skipIf(!inject('services').redis)('the price in commands', () => {
  let server: RedisServer;
  let observer: Redis;
  const caches: Cache[] = [];

  beforeAll(async () => {
    server = await startRedis();
    observer = new Redis(server.url);
  });
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()));
    await observer.flushall();
  });
  afterAll(async () => {
    observer?.disconnect();
    await server?.stop();
  });

  async function aCache(options: CacheOptions = {}): Promise<Cache> {
    const cache = createCache({ jitter: 0, ttl: '1h', store: redisStore(server.url), ...options });
    caches.push(cache);
    // Trusted once the first question is answered.
    await expect
      .poll(() =>
        cache.snapshot('ready').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    return cache;
  }

  /** Commands that Redis carried out during `work`, the heartbeat and connections aside. */
  async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    await writesAreDone();
    await observer.config('RESETSTAT');
    await work();
    await writesAreDone();
    const counted: Record<string, number> = {};
    for (const [, name, calls] of (await observer.info('commandstats')).matchAll(/cmdstat_([^:]+):calls=(\d+)/g))
      if (!housekeeping.has(name as string)) counted[name as string] = Number(calls);
    return counted;
  }

  /** Nobody waits for a value on its way into the store, but here it must be counted where it belongs. */
  async function writesAreDone(): Promise<void> {
    for (const cache of caches) await Promise.all((cache as unknown as CacheView).parts.writes);
    // A lease is given back when its write is done; one more answer of Redis comes after that.
    await observer.ping();
  }

  const tags = ['a', 'b', 'c', 'd', 'e'];
  /** Cheap enough for no lease, once the cache has seen it. */
  const load = async () => ({ id: 1 });

  /** Makes the versions of the tags known to the store, and the load known as a cheap one. */
  async function prepared(cache: Cache, keys: number): Promise<void> {
    // A few more: a busy machine can make one load look dear.
    for (let id = 0; id < keys + 5; id++) await cache.getOrSet({ key: ['row', id], tags, load });
    await cache.invalidate('a');
  }

  test('a cold read with five known tags: one question, and one command to store the value', async () => {
    const cache = await aCache({ memory: false });
    await prepared(cache, 1);
    const commands = await commandsOf(() => cache.getOrSet({ key: ['row', 0], tags, load }));
    expect(commands).toEqual({ mget: 1, set: 1 });
  });

  test('a hit in the store: one command, with any number of tags', async () => {
    const cache = await aCache({ memory: false });
    await cache.getOrSet({ key: ['row', 0], tags, load });
    expect(await commandsOf(() => cache.getOrSet({ key: ['row', 0], tags, load }))).toEqual({ mget: 1 });
  });

  test('a hundred reads of one tick: one command', async () => {
    const cache = await aCache();
    await prepared(cache, 1);
    const read = () =>
      Promise.all(Array.from({ length: 100 }, (_, id) => cache.getOrSet({ key: ['row', id], tags, load })));
    await read();
    expect(await commandsOf(read)).toEqual({ mget: 1 });
  });

  test('a batch of a hundred, half of it missing: one question, and one command for each new value', async () => {
    const cache = await aCache({ memory: false });
    const read = (inputs: number[]) =>
      cache.getOrSetMany({ inputs, key: (id) => ['row', id], load: async (ids) => ids.map((id) => ({ id })) });
    const all = Array.from({ length: 100 }, (_, id) => id);
    await read(all);
    await cache.clear();
    await read(all.slice(0, 50));
    expect(await commandsOf(() => read(all))).toEqual({ mget: 1, set: 50 });
  });

  test('a warm hit with a verified memory: no command at all', async () => {
    const cache = await aCache({ maxStale: '1s' });
    const read = () => cache.read({ key: ['row', 0], tags, load });
    await expect.poll(async () => Object.keys(await commandsOf(read))).toEqual([]);
    expect(await read()).toMatchObject({ source: 'near', value: { id: 1 } });
  });

  test('an invalidation of a tag of 20,000 entries: one script', async () => {
    const cache = await aCache();
    for (let from = 0; from < 20_000; from += 1000) {
      await cache.getOrSetMany({
        inputs: Array.from({ length: 1000 }, (_, i) => from + i),
        key: (id) => ['row', id],
        tags: () => ['many'],
        load: async (ids) => ids.map((id) => ({ id })),
      });
      await writesAreDone();
    }
    expect(await observer.dbsize()).toBeGreaterThan(20_000);
    const commands = await commandsOf(() => cache.invalidate('many'));
    expect(commands.evalsha).toBe(1);
    expect(await cache.has(['row', 19_999])).toBe(false);
  });
});

/** Not on behalf of a read or a write: heartbeat, trust, connections; `set` inside of a script. */
const housekeeping = new Set([
  'ping',
  'info',
  'config|resetstat',
  'client|id',
  'client|setinfo',
  'client|setname',
  'hello',
  'select',
  'time',
  'role',
]);
