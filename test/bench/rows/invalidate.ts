import KeyvRedis from '@keyv/redis';
import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { Cacheable } from 'cacheable';
import { Redis } from 'ioredis';
import { GroupLoader, RedisGroupCache } from 'layered-loader';
import { connected } from '../contenders/redis.js';
import { median, us } from '../harness.js';
import { IdealRedis } from '../ideal.js';
import { atLeast, atMost, type Row } from '../row.js';
import { idOf, plainRow } from '../samples.js';
import { type Served, Server } from '../server.js';

const hour = 3_600_000;
const chunk = 1000;
const load = async (key: string) => plainRow(idOf(key));
/** The first is what they have in common. */
const tagsOf = (key: string) => ['users', `org:${idOf(key) % 50}`, `team:${idOf(key) % 400}`];

interface Tagged {
  read(key: string): Promise<unknown>;
  invalidate(tag: string): Promise<unknown>;
  close(): unknown;
}

type MakeTagged = (url: string) => Promise<Tagged>;

/** One tag that all entries have is invalidated: how long that takes, and what the entries took in Redis. */
export const row: Row = {
  needsRedis: true,
  async run({ redis, quick, profile }) {
    const url = redis as string;
    const entries = quick ? 2000 : 20_000;
    const names = Object.keys(makes).filter((name) => !profile || name === us);
    const server = new Server(url);
    const times: Record<string, number[]> = {};
    const served: Record<string, Served> = {};
    let trips = Number.NaN;
    const bytes: Record<string, number> = {};
    const keys: Record<string, number> = {};
    for (let round = 0; round < (quick ? 1 : 3); round++)
      for (const name of names) {
        // Seconds for each invalidation: once is enough.
        if (name === 'async-cache-dedupe' && round > 0) continue;
        // The tags of keys are there for all entries that will ever be.
        await server.empty();
        if (name === us) await server.season(us);
        const cache = await (makes[name] as MakeTagged)(url);
        const before = await server.held();
        // Whoever learns from its first loads and first invalidations has learned.
        await cache.read('user:0');
        await cache.invalidate('others');
        for (let from = 0; from < entries; from += chunk) {
          const some = Array.from({ length: chunk }, (_, at) => cache.read(`user:${from + at}`));
          await Promise.all(some);
        }
        await settled(server);
        const after = await server.held();
        keys[name] = (after.keys - before.keys) / entries;
        // Of those that were kept: ours has keys for the tags too.
        const kept = Math.min(entries, after.keys - before.keys - (name === us ? 448 : 0));
        bytes[name] = Math.round((after.bytes - before.bytes) / kept);
        const once = await server.during(async () => {
          const began = performance.now();
          await cache.invalidate('users');
          (times[name] ??= []).push(performance.now() - began);
        });
        served[name] = once;
        // A single one is lost among what else Redis reads.
        if (name === us)
          trips =
            (
              await server.during(async () => {
                for (let n = 0; n < 100; n++) await cache.invalidate('users');
              })
            ).reads / 100;
        await cache.close();
      }
    await server.empty();
    server.close();
    const count = entries.toLocaleString('en');
    const figures = (of: (name: string) => number) => Object.fromEntries(names.map((name) => [name, of(name)]));
    const ms = figures((name) => median(times[name] as number[]));
    return [
      {
        title: `invalidate a tag of ${count} entries`,
        unit: 'ms',
        figures: ms,
        targets: [atMost(0.8, 'ms', ms[us] as number)],
      },
      {
        title: `invalidate a tag of ${count} entries: commands, those inside of scripts included`,
        unit: 'commands',
        figures: figures((name) => (served[name] as Served).commands),
        targets: [atMost(1.1, 'round trips', trips)],
      },
      {
        title: 'an entry with 3 tags in Redis',
        unit: 'bytes',
        figures: bytes,
        targets: [atMost(420, 'bytes', bytes[us] as number)],
      },
      {
        title: 'an entry with 3 tags in Redis: keys',
        unit: 'keys',
        figures: keys,
        targets: [
          atLeast(1, 'keys: all are kept', keys[us] as number),
          atMost(quick ? 1.3 : 1.03, 'keys, those of 451 tags included', keys[us] as number),
        ],
      },
    ];
  },
};

/** Some answer before they have stored. */
async function settled(server: Server): Promise<void> {
  for (let keys = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { keys: now } = await server.held();
    if (now === keys) return;
    keys = now;
  }
}

async function unstale(url: string): Promise<Tagged> {
  const cache = await connected(url, { name: us, memory: false });
  return {
    read: (key) => cache.getOrSet({ key, tags: tagsOf(key), load: () => load(key) }),
    invalidate: (tag) => cache.invalidate(tag),
    close: () => cache.close(),
  };
}

async function ideal(url: string): Promise<Tagged> {
  const cache = new IdealRedis(url);
  return {
    read: (key) => cache.get(key, tagsOf(key), () => load(key)),
    invalidate: (tag) => cache.invalidate(tag),
    close: () => cache.close(),
  };
}

/** A group is a tag, and an entry has one. */
async function layered(url: string): Promise<Tagged> {
  const redis = new Redis(url);
  const loader = new GroupLoader<unknown>({
    asyncCache: new RedisGroupCache(redis as never, { json: true, ttlInMsecs: hour }),
    dataSources: [{ name: 'source', getFromGroup: load, getManyFromGroup: () => Promise.resolve([]) }] as never,
  });
  return {
    read: (key) => loader.get(key, 'users'),
    invalidate: (tag) => loader.invalidateCacheForGroup(tag),
    close: () => redis.disconnect(),
  };
}

async function dedupe(url: string): Promise<Tagged> {
  const client = new Redis(url);
  const cache = createDedupe({
    ttl: 3600,
    storage: { type: 'redis', options: { client, invalidation: { referencesTTL: 3600 } } as never },
  }).define('load', { references: (key: string) => tagsOf(key) }, load as never);
  const { load: read } = cache as unknown as { load: Tagged['read'] };
  return { read, invalidate: (tag) => cache.invalidateAll(tag), close: () => client.disconnect() };
}

async function bento(url: string): Promise<Tagged> {
  const driver = redisDriver({ connection: new Redis(url) as never });
  const cache = new BentoCache({ default: 'redis', stores: { redis: bentostore().useL2Layer(driver) }, ttl: '1h' });
  return {
    read: (key) => cache.getOrSet({ key, tags: tagsOf(key), factory: () => load(key) }),
    invalidate: (tag) => cache.deleteByTag({ tags: [tag] }),
    close: () => cache.disconnectAll(),
  };
}

async function cacheable(url: string): Promise<Tagged> {
  const cache = new Cacheable({ secondary: new KeyvRedis(url, { namespace: 'invalidated' }), ttl: '1h', tags: true });
  return {
    read: async (key) => {
      const known = await cache.get(key);
      if (known !== undefined) return known;
      const value = await load(key);
      await cache.set(key, value, { tags: tagsOf(key) });
      return value;
    },
    invalidate: (tag) => cache.tags.invalidateTag(tag),
    close: () => cache.disconnect(),
  };
}

const makes: Readonly<Record<string, MakeTagged>> = {
  [us]: unstale,
  ideal,
  'layered-loader': layered,
  'async-cache-dedupe': dedupe,
  bentocache: bento,
  cacheable,
};
