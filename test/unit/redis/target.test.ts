import { Cluster, Redis as Redis6 } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sourceOf } from '../../../adapters/redis/connection.js';
import { type RedisTarget, redisStore } from '../../../adapters/redis/index.js';

function connectionOf(target: RedisTarget): Record<string, unknown> {
  return sourceOf(target).connect({ count: 0 }).options as Record<string, unknown>;
}

const ours = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: undefined,
  enableAutoPipelining: false,
  reconnectOnError: null,
  role: 'master',
  readOnly: false,
  protocol: 2,
};

describe('a target', () => {
  test('may be a URL, with everything that is in it', () => {
    const options = connectionOf('rediss://someone:secret@cache.example:6390/3');
    expect(options).toMatchObject({
      ...ours,
      host: 'cache.example',
      port: 6390,
      username: 'someone',
      password: 'secret',
      db: 3,
    });
    expect(options.tls).toBeTruthy();
  });

  test('may be options of ioredis, also those of Sentinel', () => {
    const sentinels = [{ host: 'one', port: 1 }];
    const options = connectionOf({
      sentinels,
      name: 'main',
      password: 'secret',
      role: 'slave',
      maxRetriesPerRequest: null,
    });
    expect(options).toMatchObject({ ...ours, sentinels, name: 'main', password: 'secret' });
  });

  test.each([
    ['ioredis 5', Redis5 as unknown as typeof Redis6],
    ['ioredis 6', Redis6],
  ])('may be an instance of %s: its address and credentials, our ways', (_, Redis) => {
    const redis = new Redis({
      host: 'cache.example',
      password: 'secret',
      lazyConnect: true,
      enableAutoPipelining: true,
      commandTimeout: 60_000,
      maxRetriesPerRequest: null,
      readOnly: true,
      reconnectOnError: () => 2,
      retryStrategy: () => null,
    });
    const options = connectionOf(redis);
    expect(options).toMatchObject({ ...ours, host: 'cache.example', password: 'secret' });
    const retry = options.retryStrategy as () => number;
    const waits = Array.from({ length: 30 }, retry);
    expect(waits.every((wait, n) => wait > 0 && wait <= Math.min(2000, 50 * 2 ** n))).toBe(true);
    expect(redis.status).toBe('wait');
  });

  test('may be a Cluster: its addresses and credentials, masters only', () => {
    const cluster = new Cluster(['redis://one:7001', { host: 'two', port: 7002 }, 7003], {
      lazyConnect: true,
      scaleReads: 'slave',
      redisOptions: { password: 'secret', commandTimeout: 60_000 },
      natMap: { '10.0.0.1:6379': { host: 'outside', port: 16379 } },
    });
    onTestFinished(() => cluster.disconnect());
    const source = sourceOf(cluster);
    expect(source.seeds).toEqual([
      { host: 'one', port: 7001 },
      { host: 'two', port: 7002 },
      { host: '127.0.0.1', port: 7003 },
    ]);
    expect(source.translate({ host: '10.0.0.1', port: 6379 })).toEqual({ host: 'outside', port: 16379 });
    const options = source.connect({ count: 0 }, { host: 'two', port: 7002 }).options;
    expect(options).toMatchObject({ ...ours, host: 'two', port: 7002, password: 'secret', db: 0 });
  });

  test.each([
    ['a number', 6379],
    ['nothing', undefined],
    ['an array', []],
    ['another URL', 'http://localhost'],
  ])('is never %s', (_, target) => {
    expect(() => redisStore(target as never)).toThrow(TypeError);
  });

  test.each([
    ['a client', () => new Redis6({ lazyConnect: true, keyPrefix: 'app:' })],
    ['options', () => ({ keyPrefix: 'app:' })],
    ['a URL', () => 'redis://localhost?keyPrefix=app:'],
    ['a Cluster', () => new Cluster([7000], { lazyConnect: true, keyPrefix: 'app:' })],
    ['the nodes of a Cluster', () => new Cluster([7000], { lazyConnect: true, redisOptions: { keyPrefix: 'app:' } })],
  ])('with a keyPrefix is refused: %s', (_, target) => {
    expect(() => redisStore(target() as never)).toThrow(/keyPrefix.*`name`/s);
  });

  test('that cannot be read is not quoted: it may hold a password', () => {
    for (const target of ['http://user:hunter2@host', 'redis://user:hunter2@host:notaport', 'user:hunter2@host']) {
      try {
        redisStore(target);
      } catch (error) {
        expect(JSON.stringify([String(error), (error as Error).stack, (error as Error).cause])).not.toContain(
          'hunter2',
        );
      }
    }
  });

  test('of Sentinel needs the name of the master', () => {
    expect(() => redisStore({ sentinels: [{ host: 'one', port: 1 }] })).toThrow(/`name`/);
  });
});

describe('options', () => {
  test.each([
    [{ timeout: 0 }],
    [{ timeout: 'soon' }],
    [{ maxInFlight: 0 }],
    [{ maxInFlight: 1.5 }],
    [{ maxEntryBytes: -1 }],
    [{ maxQueuedBytes: '1' }],
    [{ retries: 3 }],
  ])('%j is refused', (options) => {
    expect(() => redisStore('redis://localhost', options as never)).toThrow(TypeError);
  });

  test('the object given is left alone', () => {
    const options = Object.freeze({ timeout: '50ms' as const });
    expect(redisStore('redis://localhost', options).kind).toBe('redis');
  });
});
