import KeyvRedis from '@keyv/redis';
import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { Cacheable } from 'cacheable';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import { GroupLoader, Loader, RedisCache, RedisGroupCache } from 'layered-loader';
import { pack, unpack } from 'msgpackr';
import { type Cache, type CacheOptions, createCache } from 'unstale';
import { redisStore } from 'unstale/redis';
import { type Contender, us } from '../harness.js';
import { IdealRedis } from '../ideal.js';
import type { Task } from './memory.js';

/** Values that are kept in Redis, and nowhere else unless a contender says so. */
export interface StoredTask extends Task {
  readonly redis: string;
}
export type MakeStored = (task: StoredTask) => Promise<Contender>;

const hour = 3_600_000;

/** Ours, without memory of its own. `name` sets variants apart. */
export async function unstale(task: StoredTask, options: CacheOptions = {}, name = us): Promise<Contender> {
  const cache = await connected(task.redis, { name: name.replace(/[^\w.-]+/g, '-'), memory: false, ...options });
  const { load, keyAt, tags } = task;
  return {
    name,
    read:
      tags === undefined
        ? (at) => {
            const key = keyAt(at);
            return cache.getOrSet({ key, load: () => load(key) });
          }
        : (at) => {
            const key = keyAt(at);
            return cache.getOrSet({ key, tags, load: () => load(key) });
          },
    close: () => cache.close(),
  };
}

/** A cache of ours that has found its Redis. */
export async function connected(url: string, options: CacheOptions): Promise<Cache> {
  // On a machine that is busy with other things, time-outs would be measured instead of what they interrupt.
  const store = redisStore(url, { timeout: 10_000 });
  const cache = createCache({ ttl: '1h', ...options, store });
  for (let tries = 0; ; tries++) {
    try {
      await cache.snapshot();
      return cache;
    } catch (error) {
      if (tries > 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** What everybody writes first. */
export const getJson: MakeStored = async ({ redis: url, load, keyAt }) => {
  const redis = new Redis(url);
  return {
    name: 'GET + JSON',
    read: async (at) => {
      const key = keyAt(at);
      const known = await redis.get(`json:${key}`);
      if (known !== null) return JSON.parse(known);
      const value = await load(key);
      await redis.set(`json:${key}`, JSON.stringify(value), 'PX', hour);
      return value;
    },
    close: () => redis.disconnect(),
  };
};

export const getMsgpackr: MakeStored = async ({ redis: url, load, keyAt }) => {
  const redis = new Redis(url);
  return {
    name: 'getBuffer + msgpackr',
    read: async (at) => {
      const key = keyAt(at);
      const known = await redis.getBuffer(`pack:${key}`);
      if (known !== null) return unpack(known);
      const value = await load(key);
      await redis.set(`pack:${key}`, pack(value), 'PX', hour);
      return value;
    },
    close: () => redis.disconnect(),
  };
};

export const ideal: MakeStored = async ({ redis, load, keyAt, tags = [] }) => {
  const cache = new IdealRedis(redis);
  return {
    name: 'ideal',
    read: (at) => {
      const key = keyAt(at);
      return cache.get(key, tags, () => load(key));
    },
    close: () => cache.close(),
  };
};

export const layered: MakeStored = async ({ redis: url, load, keyAt, tags }) => {
  const redis = new Redis(url);
  const name = 'layered-loader';
  const options = { json: true, ttlInMsecs: hour, prefix: tags === undefined ? 'layered' : 'grouped' };
  const close = () => redis.disconnect();
  if (tags === undefined) {
    const loader = new Loader<unknown>({
      asyncCache: new RedisCache(redis as never, options),
      dataSourceGetOneFn: load as never,
    });
    return { name, read: (at) => loader.get(keyAt(at)), close };
  }
  const loader = new GroupLoader<unknown>({
    asyncCache: new RedisGroupCache(redis as never, options),
    dataSources: [{ name: 'source', getFromGroup: load, getManyFromGroup: () => Promise.resolve([]) }] as never,
  });
  const group = tags[0] as string;
  return { name, read: (at) => loader.get(keyAt(at), group), close };
};

export const dedupe: MakeStored = async ({ redis: url, load, keyAt, tags }) => {
  const client = new Redis(url);
  const invalidation = tags === undefined ? {} : { invalidation: { referencesTTL: 3600 } };
  const options = { client, ...invalidation } as never;
  const references = { references: () => tags as string[] | undefined as never };
  const cache = createDedupe({ ttl: 3600, storage: { type: 'redis', options } }).define(
    'load',
    tags === undefined ? {} : references,
    load as never,
  ) as unknown as { load(key: string): Promise<unknown> };
  return { name: 'async-cache-dedupe', read: (at) => cache.load(keyAt(at)), close: () => client.disconnect() };
};

export const bento: MakeStored = async ({ redis, load, keyAt, tags }) => {
  const driver = redisDriver({ connection: new Redis(redis) as never });
  const cache = new BentoCache({ default: 'redis', stores: { redis: bentostore().useL2Layer(driver) }, ttl: '1h' });
  return {
    name: 'bentocache',
    read:
      tags === undefined
        ? (at) => {
            const key = keyAt(at);
            return cache.getOrSet({ key, factory: () => load(key) });
          }
        : (at) => {
            const key = keyAt(at);
            return cache.getOrSet({ key, tags: tags as string[], factory: () => load(key) });
          },
    close: () => cache.disconnectAll(),
  };
};

export const cacheable: MakeStored = async ({ redis, load, keyAt, tags }) => {
  // It always has a memory; this one forgets.
  const primary = new Keyv({ store: forgetful as never });
  const secondary = new KeyvRedis(redis, { namespace: tags === undefined ? 'cacheable' : 'tagged' });
  const cache = new Cacheable({ primary, secondary, ttl: '1h', ...(tags ? { tags: true } : {}) });
  return {
    name: 'cacheable',
    read:
      tags === undefined
        ? (at) => {
            const key = keyAt(at);
            return cache.getOrSet(key, () => load(key));
          }
        : async (at) => {
            const key = keyAt(at);
            const known = await cache.get(key);
            if (known !== undefined) return known;
            const value = await load(key);
            await cache.set(key, value, { tags: tags as string[] });
            return value;
          },
    close: () => cache.disconnect(),
  };
};

const forgetful = {
  get: async () => undefined,
  set: async () => true,
  delete: async () => true,
  clear: async () => {},
  has: async () => false,
};

export const peers: readonly MakeStored[] = [layered, dedupe, bento, cacheable];
