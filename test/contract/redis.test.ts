import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { redisStore } from '../../adapters/redis/index.js';
import { systemClock } from '../../src/core/clock.js';
import type { Store, StoreListener } from '../../src/core/store.js';
import { type ContractOptions, storeContract } from '../../src/testing/index.js';
import { makeFolder, removeFolder } from '../services/folders.js';
import { type Proxy, startProxy } from '../services/proxy.js';
import { ask, type RedisServer, startRedis, startRedisAt } from '../services/redis.js';
import { quiet } from '../unit/testing/listeners.js';

const { redis, cluster, sentinel } = inject('services');
/** A busy machine may take longer than the 100 ms that a cache waits. */
const patiently = { timeout: '1s' } as const;

describe.skipIf(redis === undefined)('redisStore on one Redis (skipped where there is none)', () => {
  const url = redis?.url as string;
  for (const maxStale of [0, 400])
    describe(`maxStale ${maxStale}`, () => {
      check({ ...opening(() => redisStore(url, patiently), maxStale) });
    });
  describe('strict, all of it', () =>
    check(
      opening(() => redisStore(url, patiently), 0, true),
      mayBeStrict,
    ));
});

describe.skipIf(redis === undefined)('redisStore on a Redis that is emptied and cut off', () => {
  // One of our own: what is done to it must not meet other tests.
  let server: RedisServer;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startProxy(server.port);
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });
  const throughProxy = () => redisStore(`redis://127.0.0.1:${proxy.port}`);
  const faults = {
    lose: async () => {
      await ask(server, (client) => client.flushall());
    },
    patience: 12_000,
  };
  describe.each([0, 400])('maxStale %i', (maxStale) => {
    describe('connections are reset and refused', () => {
      check(
        { ...opening(throughProxy, maxStale), ...faults, down: async () => proxy.cut(), up: async () => proxy.flow() },
        /^[145]: |emptied/,
      );
    });
    describe('connections hang', () => {
      check(
        { ...opening(throughProxy, maxStale), ...faults, down: async () => proxy.hold(), up: async () => proxy.flow() },
        /^5: /,
      );
    });
  });
});

describe.skipIf(redis === undefined)('redisStore on a Redis that restarts from an older snapshot', () => {
  let server: RedisServer;
  let folder: string | undefined;
  let settings: string[];
  beforeAll(async () => {
    folder = makeFolder('contract');
    settings = ['--dir', folder];
    server = await startRedis({ args: settings });
  });
  afterAll(async () => {
    await server?.stop();
    if (folder !== undefined) removeFolder(folder);
  });
  const rewind = async () => {
    await ask(server, (client) => client.save());
    return async () => {
      await server.stop();
      server = await startRedisAt(server.port, settings);
    };
  };
  describe.each([0, 400])('maxStale %i', (maxStale) => {
    check({ ...opening(() => redisStore(server.url, patiently), maxStale), rewind, patience: 12_000 }, /went back/);
  });
});

describe.skipIf(cluster === undefined)('redisStore on a Cluster (skipped where there is none)', () => {
  const nodes = cluster?.nodes ?? [];
  const client = new Cluster([...nodes], { lazyConnect: true });
  client.on('error', () => {});
  afterAll(() => client.disconnect());
  describe.each([0, 400])('maxStale %i', (maxStale) => {
    check(opening(() => redisStore(client, patiently), maxStale));
  });
  describe('strict, all of it', () =>
    check(
      opening(() => redisStore(client, patiently), 0, true),
      mayBeStrict,
    ));
});

describe.skipIf(sentinel === undefined)('redisStore behind Sentinel (skipped where there is none)', () => {
  const client = new Redis({ ...sentinel, lazyConnect: true } as object);
  client.on('error', () => {});
  afterAll(() => client.disconnect());
  describe.each([0, 400])('maxStale %i', (maxStale) => {
    check(opening(() => redisStore(client, patiently), maxStale));
  });
});

/** In the other one some are not. */
const mayBeStrict = /^(?!strict: a session that is strict)/;

/** Sessions of two store objects, which share nothing but the server; `always`: all of them are strict. */
function opening(make: () => Store, maxStale: number, always = false): ContractOptions {
  const clock = systemClock();
  const openOn =
    (own: () => Store) =>
    async (name: string, listener?: StoreListener, strict = always) => {
      const session = own().open({
        name,
        clock,
        maxStale: listener ? maxStale : 0,
        strict,
        listener: listener ?? quiet,
      });
      return { session, clock, dispose: () => session.close() };
    };
  return { open: openOn(once(make)), another: openOn(once(make)), maxStale, fences: true };
}

function check(options: ContractOptions, only = /./): void {
  for (const { name, run } of storeContract(options)) if (only.test(name)) test(name, { timeout: 60_000 }, run);
}

/** The store is made when the first case runs: the server's address is not known before. */
function once<T>(make: () => T): () => T {
  let made: { readonly it: T } | undefined;
  return () => {
    made ??= { it: make() };
    return made.it;
  };
}
