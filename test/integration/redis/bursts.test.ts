import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { redisStore } from '../../../adapters/redis/index.js';
import { createCache } from '../../../src/index.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { aTrustedSession, until } from './a-session.js';

const hour = 3_600_000;

describe.skipIf(!inject('services').redis)('bursts', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  /** How many keys of each kind a cache has in Redis: `e` entries, `l` leases. */
  async function keysOf(name: string): Promise<{ entries: number; leases: number }> {
    const keys = await ask(server, (redis) => redis.keys(`${name}:*`));
    const count = (kind: string) => keys.filter((key) => key.startsWith(`${name}:${kind}:`)).length;
    return { entries: count('e'), leases: count('l') };
  }

  /** The event loop has little time between slices of other work. */
  function busy(slice: number) {
    const timer = setInterval(() => {
      const end = performance.now() + slice;
      while (performance.now() < end);
    }, 1);
    onTestFinished(() => clearInterval(timer));
  }

  test.each([0, 20])(
    'whatever was loaded in bursts is in Redis, and no lease is left (busy: %d ms)',
    async (slice) => {
      const name = `burst-${randomUUID()}`;
      // Time-outs are not what this is about.
      const cache = createCache({ name, ttl: '1h', store: redisStore(server.url, { timeout: '30s' }) });
      onTestFinished(() => cache.close());
      const errors: unknown[] = [];
      cache.on('error', ({ error }) => errors.push(error));
      if (slice > 0) busy(slice);
      // Nobody knows yet what such a load costs: each takes a lease, twice as many as requests may be in flight.
      for (let from = 0; from < 6000; from += 2000)
        await Promise.all(
          Array.from({ length: 2000 }, (_, i) =>
            cache.getOrSet({ key: ['row', from + i], tags: ['rows'], load: async () => ({ id: from + i }) }),
          ),
        );
      await cache.close();
      expect([...errors]).toEqual([]);
      expect(await keysOf(name)).toEqual({ entries: 6000, leases: 0 });
    },
    60_000,
  );

  test('leases and releases of a tick take one place in flight', async () => {
    const { session, name } = await aTrustedSession(server.url, { maxInFlight: 4, timeout: '30s' });
    const leases = await Promise.all(Array.from({ length: 50 }, (_, n) => session.lease(`key ${n}`, hour)));
    expect(leases.every((lease) => lease !== undefined)).toBe(true);
    expect(await keysOf(name)).toEqual({ entries: 0, leases: 50 });
    for (const lease of leases) lease?.release();
    await until('all are given back', async () => (await keysOf(name)).leases === 0);
  });

  test('what is more than fits into flight waits for its turn', async () => {
    const { session, name } = await aTrustedSession(server.url, { maxInFlight: 4, timeout: '30s' });
    const writes: Promise<void>[] = [];
    server.pause();
    for (let n = 0; n < 40; n++) {
      writes.push(session.write(`key ${n}`, new Uint8Array(200_000), hour));
      await new Promise((resolve) => setImmediate(resolve));
    }
    server.resume();
    await Promise.all(writes);
    expect(await keysOf(name)).toEqual({ entries: 40, leases: 0 });
  });

  test('a lease is given back together with the entry that its owner writes', async () => {
    const { session, name } = await aTrustedSession(server.url);
    const lease = await session.lease('key', hour);
    await session.write('key', new Uint8Array(10), hour);
    expect(await keysOf(name)).toEqual({ entries: 1, leases: 0 });
    // The next owner's is not ended by the release that still comes.
    const next = await session.lease('key', hour);
    lease?.release();
    await session.read('key', []);
    expect(await keysOf(name)).toEqual({ entries: 1, leases: 1 });
    next?.release();
  });
});
