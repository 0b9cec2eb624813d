import KeyvRedis from '@keyv/redis';
import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { Cacheable } from 'cacheable';
import { Redis } from 'ioredis';
import { Loader, RedisCache } from 'layered-loader';
import { connected } from '../contenders/redis.js';
import { type Contender, us } from '../harness.js';
import { atLeast, atMost, type Row } from '../row.js';
import { idOf, plainRow, rows } from '../samples.js';
import { Server } from '../server.js';
import { asOutcomes, measureStored } from '../stored.js';

const hour = 3_600_000;
const load = async (missing: readonly string[]) => missing.map((key) => plainRow(idOf(key)));

/** The keys of a batch: 50 that are there, and 50 that nobody has asked for. */
function batches(): () => string[] {
  const known = rows(50, (at) => `user:${at}`);
  let next = 100_000;
  return () => [...known, ...rows(50, () => `user:${next++}`)];
}

/** A hundred keys in one call, half of them stored; what is missing is loaded together, and stored. */
export const row: Row = {
  needsRedis: true,
  async run(setting) {
    const url = setting.redis as string;
    const server = new Server(url);
    await server.season('many');
    server.close();
    const contenders = await Promise.all([unstale(url), mget(url), layered(url), bento(url), cacheable(url)]);
    for (const { name, read } of contenders) {
      const got = (await read(0)) as { id: number }[];
      if (got.length !== 100) throw new Error(`${name} answered with ${got.length} values`);
    }
    const measured = await measureStored(contenders, { ...setting, quick: true }, 1);
    const outcomes = asOutcomes('batch of 100, half hits', measured, {
      cpu: [
        atLeast(0.85, '× MGET + SETs', measured.faster('MGET + SETs')),
        atLeast(3, '× bentocache', measured.faster('bentocache')),
      ],
    });
    const reads = Object.fromEntries(Object.entries(measured.served).map(([name, { reads }]) => [name, reads]));
    // Beside them, a cache of ours looks at its server once a second.
    const targets = [atMost(2.05, 'round trips', reads[us] as number)];
    return [
      ...outcomes,
      { title: 'batch of 100, half hits: round trips', unit: 'reads of a socket', figures: reads, targets },
    ];
  },
};

async function unstale(url: string): Promise<Contender> {
  const cache = await connected(url, { name: 'many', memory: false });
  const batch = batches();
  const read = () => cache.getOrSetMany({ inputs: batch(), key: (key) => key, load });
  return { name: us, read, close: () => cache.close() };
}

/** The floor. */
async function mget(url: string): Promise<Contender> {
  const redis = new Redis(url);
  const batch = batches();
  const read = async () => {
    const keys = batch();
    const found = await redis.mget(...keys.map((key) => `mget:${key}`));
    const values = found.map((text) => text && JSON.parse(text));
    const missing = keys.filter((_, at) => found[at] === null);
    const loaded = await load(missing);
    const sets = redis.pipeline();
    for (let at = 0; at < missing.length; at++) sets.set(`mget:${missing[at]}`, JSON.stringify(loaded[at]), 'PX', hour);
    await sets.exec();
    let at = 0;
    return values.map((value) => value ?? loaded[at++]);
  };
  return { name: 'MGET + SETs', read, close: () => redis.disconnect() };
}

async function layered(url: string): Promise<Contender> {
  const redis = new Redis(url);
  const loader = new Loader<unknown>({
    asyncCache: new RedisCache(redis as never, { json: true, ttlInMsecs: hour }),
    dataSourceGetOneFn: (async (key: string) => (await load([key]))[0]) as never,
    dataSourceGetManyFn: (keys: string[]) => load(keys),
    cacheKeyFromValueResolver: (value) => `user:${(value as { id: number }).id - 1000}`,
  });
  const batch = batches();
  return { name: 'layered-loader', read: () => loader.getMany(batch()), close: () => redis.disconnect() };
}

/** It has no reads of many. */
async function bento(url: string): Promise<Contender> {
  const driver = redisDriver({ connection: new Redis(url) as never });
  const cache = new BentoCache({ default: 'redis', stores: { redis: bentostore().useL2Layer(driver) }, ttl: '1h' });
  const batch = batches();
  const one = (key: string) => cache.getOrSet({ key, factory: async () => (await load([key]))[0] });
  return { name: 'bentocache', read: () => Promise.all(batch().map(one)), close: () => cache.disconnectAll() };
}

async function cacheable(url: string): Promise<Contender> {
  const cache = new Cacheable({ secondary: new KeyvRedis(url, { namespace: 'many' }), ttl: '1h' });
  const batch = batches();
  const read = async () => {
    const keys = batch();
    // Its memory always answers first; this is about what Redis knows.
    await cache.primary.clear();
    const found = await cache.getMany(keys);
    const missing = keys.filter((_, at) => found[at] === undefined);
    const loaded = await load(missing);
    await cache.setMany(missing.map((key, at) => ({ key, value: loaded[at] })));
    let at = 0;
    return found.map((value) => value ?? loaded[at++]);
  };
  return { name: 'cacheable', read, close: () => cache.disconnect() };
}
