import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { Cacheable } from 'cacheable';
import { GroupLoader, Loader } from 'layered-loader';
import { LRUCache } from 'lru-cache';
import { type CacheOptions, createCache } from 'unstale';
import { type Contender, us } from '../harness.js';
import { IdealMemory } from '../ideal.js';

/** What each contender caches: a value for a key, with these tags. */
export interface Task {
  load(key: string): Promise<unknown>;
  keyAt(at: number): string;
  readonly tags?: readonly string[];
}
export type Make = (task: Task) => Contender;

/** Ours. `name` sets variants apart. */
export function unstale(task: Task, options: CacheOptions = {}, name = us): Contender {
  const cache = createCache({ ttl: '1h', memory: { maxEntries: 10_000, maxBytes: '2gb' }, ...options });
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

export function ideal({ load, keyAt, tags = [] }: Task): Contender {
  const cache = new IdealMemory();
  return {
    name: 'ideal',
    read: (at) => {
      const key = keyAt(at);
      return cache.get(key, tags, () => load(key));
    },
    close: () => cache.close(),
  };
}

/** The floor: a map with a bound, and a promise. */
export function lru({ load, keyAt }: Task): Contender {
  const cache = new LRUCache<string, object>({ max: 10_000 });
  return {
    name: 'lru-cache',
    read: async (at) => {
      const key = keyAt(at);
      const known = cache.get(key);
      if (known !== undefined) return known;
      const value = (await load(key)) as object;
      cache.set(key, value);
      return value;
    },
  };
}

export function layered({ load, keyAt, tags }: Task): Contender {
  const inMemoryCache = { cacheType: 'lru-map', ttlInMsecs: 3_600_000, maxItems: 10_000 } as const;
  if (tags === undefined) {
    const loader = new Loader<unknown>({ inMemoryCache, dataSourceGetOneFn: load as never });
    return { name: 'layered-loader', read: (at) => loader.get(keyAt(at)) };
  }
  // It has groups, and an entry is in one.
  const loader = new GroupLoader<unknown>({
    inMemoryCache: { ...inMemoryCache, maxGroups: 100, maxItemsPerGroup: 10_000 },
    dataSources: [{ name: 'source', getFromGroup: load, getManyFromGroup: () => Promise.resolve([]) }] as never,
  });
  const group = tags[0] as string;
  return { name: 'layered-loader', read: (at) => loader.get(keyAt(at), group) };
}

export function dedupe({ load, keyAt, tags }: Task): Contender {
  const cache = createDedupe({
    ttl: 3600,
    storage: { type: 'memory', options: { size: 10_000, ...(tags ? { invalidation: true } : {}) } },
  }).define('load', { references: () => tags as string[] | undefined as never }, load as never) as unknown as {
    load(key: string): Promise<unknown>;
  };
  return { name: 'async-cache-dedupe', read: (at) => cache.load(keyAt(at)) };
}

export function bento({ load, keyAt, tags }: Task): Contender {
  const cache = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000, maxSize: '2gb' as never })) },
    ttl: '1h',
  });
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
}

export function cacheable({ load, keyAt, tags }: Task): Contender {
  const cache = new Cacheable({ ttl: '1h', ...(tags ? { tags: true } : {}) });
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
}

export const peers: readonly Make[] = [layered, dedupe, bento, cacheable];
