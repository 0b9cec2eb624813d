import { Redis as Redis6, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type RedisTarget, redisStore } from '../../adapters/redis/index.js';
import { type Cache, createCache, InvalidationPendingError } from '../../src/index.js';
import { type RedisServer, startRedis } from '../services/redis.js';

/** A read never fails because the cache failed, and an invalidation always says so. */
describe.skipIf(!inject('services').redis)('while Redis is away', () => {
  let server: RedisServer;
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);

  beforeEach(async () => {
    server = await startRedis();
    process.on('unhandledRejection', note).on('uncaughtException', note);
  });
  afterEach(async () => {
    process.off('unhandledRejection', note).off('uncaughtException', note);
    await server.stop();
    expect(unhandled.splice(0)).toEqual([]);
  });

  function aCache(target: RedisTarget): Cache {
    const cache = createCache({ jitter: 0, ttl: '1h', store: redisStore(target) });
    onTestFinished(() => cache.close({ timeout: 100 }).catch(() => {}));
    return cache;
  }

  async function ready(cache: Cache): Promise<void> {
    await expect
      .poll(
        () =>
          cache.snapshot('t').then(
            () => true,
            () => false,
          ),
        { timeout: 5000 },
      )
      .toBe(true);
  }

  const outages: [string, () => Promise<unknown> | unknown][] = [
    ['hung', () => server.pause()],
    ['killed', () => server.kill()],
  ];
  const instances: [string, (options: RedisOptions) => RedisTarget][] = [
    ['ioredis 5', (options) => new Redis5({ port: server.port, ...(options as object) })],
    ['ioredis 6', (options) => new Redis6({ port: server.port, ...(options as object) })],
  ];
  const habits: [string, RedisOptions][] = [
    ['its defaults', {}],
    ["BullMQ's options", { maxRetriesPerRequest: null, enableReadyCheck: false }],
  ];

  for (const [library, connect] of instances)
    for (const [habit, options] of habits)
      for (const [outage, begin] of outages)
        test(`${library} with ${habit}, Redis ${outage}: reads are answered by the load, invalidations refuse in time and arrive later`, async () => {
          const theirs = connect(options) as Redis6;
          theirs.on('error', () => {});
          onTestFinished(() => theirs.disconnect());
          const cache = aCache(theirs);
          const other = aCache(server.url);
          await Promise.all([ready(cache), ready(other)]);
          let row = 'old';
          const read = (from: Cache) => from.getOrSet({ key: 'row', tags: ['t'], load: async () => row });
          expect([await read(cache), await read(other)]).toEqual(['old', 'old']);

          await begin();
          row = 'new';
          const asked = performance.now();
          const refusal = await cache.invalidate('t').then(
            () => undefined,
            (error: unknown) => error,
          );
          expect(refusal).toBeInstanceOf(InvalidationPendingError);
          expect(performance.now() - asked).toBeLessThan(1500);
          for (let i = 0; i < 5; i++) {
            const began = performance.now();
            expect(await read(cache)).toBe('new');
            expect(performance.now() - began).toBeLessThan(400);
          }

          if (outage === 'hung') await server.resume();
          else await server.restart();
          await cache.settled({ timeout: '10s' });
          expect(await read(other)).toBe('new');
          expect(await read(cache)).toBe('new');
        });

  test('a cache whose Redis was never there answers from the load, and closes', async () => {
    await server.kill();
    const cache = aCache(server.url);
    expect(await cache.read({ key: 'a', load: async () => 1 })).toMatchObject({ value: 1, stored: false });
    await expect(cache.invalidate('t')).rejects.toBeInstanceOf(InvalidationPendingError);
    await expect(cache.close({ timeout: 50 })).rejects.toMatchObject({ code: 'INVALIDATION_PENDING', tags: ['t'] });
  });
});
