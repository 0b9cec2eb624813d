import KeyvRedis from '@keyv/redis';
import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { Cacheable } from 'cacheable';
import { Redis } from 'ioredis';
import { createNotificationPair, Loader, RedisCache } from 'layered-loader';
import type { CacheOptions } from 'unstale';
import { us } from '../harness.js';
import { connected } from './redis.js';

/** A cache that several isolates share, set up with two levels as its manual recommends, for as many keys in memory. */
export interface Shared {
  read(key: string): Promise<unknown>;
  /** Resolves when it is acknowledged that the value of a key has ended. */
  invalidate(key: string): Promise<unknown>;
}
export type MakeShared = (redis: string, load: (key: string) => Promise<unknown>) => Promise<Shared>;

const hour = 3_600_000;
const maxItems = 10_000;

const unstale =
  (options: CacheOptions): MakeShared =>
  async (redis, load) => {
    const cache = await connected(redis, { memory: { maxEntries: maxItems, maxBytes: '2gb' }, ...options });
    return {
      read: (key) => cache.getOrSet({ key, tags: [key], load: () => load(key) }),
      invalidate: (key) => cache.invalidate(key),
    };
  };

/** No memory, and DEL on write. */
const plain: MakeShared = async (url, load) => {
  const redis = new Redis(url);
  return {
    read: async (key) => {
      const known = await redis.get(`plain:${key}`);
      if (known !== null) return JSON.parse(known);
      const value = await load(key);
      await redis.set(`plain:${key}`, JSON.stringify(value), 'PX', hour);
      return value;
    },
    invalidate: (key) => redis.del(`plain:${key}`),
  };
};

const layered: MakeShared = async (url, load) => {
  const { publisher, consumer } = createNotificationPair<object>({
    channel: 'layered',
    consumerRedis: new Redis(url) as never,
    publisherRedis: new Redis(url) as never,
  });
  const loader = new Loader<object>({
    inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: hour, maxItems },
    asyncCache: new RedisCache(new Redis(url) as never, { json: true, ttlInMsecs: hour, prefix: 'layered' }) as never,
    notificationConsumer: consumer,
    notificationPublisher: publisher,
    dataSourceGetOneFn: load as never,
  });
  await loader.init();
  return { read: (key) => loader.get(key), invalidate: (key) => loader.invalidateCacheFor(key) };
};

const bento: MakeShared = async (url, load) => {
  const connection = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  const cache = new BentoCache({
    default: 'both',
    stores: {
      both: bentostore()
        .useL1Layer(memoryDriver({ maxItems, maxSize: '2gb' as never }))
        .useL2Layer(redisDriver({ connection }))
        .useBus(redisBusDriver({ connection })),
    },
    ttl: '1h',
  });
  return {
    read: (key) => cache.getOrSet({ key, factory: () => load(key) }),
    invalidate: (key) => cache.delete({ key }),
  };
};

/** Its synchronisation between processes is a package of its own, which is not installed here. */
const cacheable: MakeShared = async (url, load) => {
  const cache = new Cacheable({ secondary: new KeyvRedis(url, { namespace: 'cacheable' }), ttl: '1h' });
  return { read: (key) => cache.getOrSet(key, () => load(key)), invalidate: (key) => cache.delete(key) };
};

/** It has one storage; several processes share Redis. */
const dedupe: MakeShared = async (url, load) => {
  const options = { client: new Redis(url) } as never;
  const cache = createDedupe({ ttl: 3600, storage: { type: 'redis', options } }).define('load', load as never);
  const { load: read } = cache as unknown as { load: Shared['read'] };
  return { read, invalidate: (key) => cache.clear('load' as never, key as never) };
};

export const shared: Readonly<Record<string, MakeShared>> = {
  [us]: unstale({ name: 'strict' }),
  [`${us}, maxStale: '1s'`]: unstale({ name: 'watched', maxStale: '1s' }),
  'GET + JSON': plain,
  'layered-loader': layered,
  'async-cache-dedupe': dedupe,
  bentocache: bento,
  cacheable,
};
