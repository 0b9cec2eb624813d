import Knex, { type Knex as Instance } from 'knex';
import { withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { type Cache, type CacheOptions, createCache, fenceSql } from '../../../src/index.js';
import { type FaultyStore, faultyStore } from '../../../src/testing/index.js';
import { type Proxy, startProxy } from '../../services/proxy.js';
import { startRedis } from '../../services/redis.js';
import { aShop, type Database } from '../knex/a-shop.js';

/** One process: a cache, a client, and a wire to each server that can be held and cut. */
export interface Process {
  readonly cache: Cache;
  readonly knex: Instance;
  readonly redis: Proxy;
  /** Its way to Redis, call by call: a fence or a raise can be held for as long as a story takes. */
  readonly store: FaultyStore;
  /** To the database; SQLite has none. */
  readonly wire: Proxy | undefined;
  /** The name of the user, through the cache. */
  read(): Promise<string>;
  /** Reads until what was read is stored, and says so by another read that loads nothing. */
  prime(): Promise<string>;
  /** How often the database was asked for it. */
  readonly loads: number;
}

export async function aWorld(database: Database) {
  const shop = await aShop(database);
  const redis = await startRedis();
  const ends: (() => Promise<unknown>)[] = [];
  /** Past the cache. */
  const bare = Knex(shop.config);
  if (database === 'mysql') await bare.raw(fenceSql('mysql').up);
  let rows = 100;
  const aRow = async () => {
    const id = ++rows;
    await bare('users').insert({ id, email: `${id}@x`, name: 'old', org: 'acme' });
    return id;
  };
  let names = 0;
  const name = () => `strict${++names}`;

  /** @param id - of the row that it reads */
  const open = async (id: number, options: CacheOptions = {}): Promise<Process> => {
    const wires: Proxy[] = [];
    const wired = async (port: number) => {
      const proxy = await startProxy(port);
      wires.push(proxy);
      return proxy;
    };
    const toRedis = await wired(redis.port);
    const connection = shop.config.connection;
    const url = typeof connection === 'string' ? new URL(connection) : undefined;
    const wire = url && (await wired(Number(url.port)));
    if (url !== undefined && wire !== undefined) url.port = String(wire.port);
    const store = faultyStore(redisStore(`redis://127.0.0.1:${toRedis.port}`, { timeout: '5s' }));
    const cache = createCache({ store, strict: true, ttl: '1h', ackTimeout: '2s', ...options });
    const config = url === undefined ? shop.config : { ...shop.config, connection: url.href };
    const knex = withCache(Knex({ ...config, log }), { cache });
    // What a test cuts is no news.
    cache.on('error', () => {});
    cache.on('breaker', () => {});
    ends.push(async () => {
      for (const proxy of wires) proxy.flow();
      await cache.close({ timeout: 0 }).catch(() => {});
      await knex.destroy();
      for (const proxy of wires) await proxy.stop();
    });
    let loads = 0;
    const read = () =>
      cache.getOrSet({
        key: ['user'],
        load: async () => {
          loads++;
          return (await knex('users').where({ id }).first()).name as string;
        },
      });
    return {
      ...{ cache, knex, redis: toRedis, store, wire, read },
      get loads() {
        return loads;
      },
      prime: () =>
        until(async () => {
          const before = loads;
          const value = await read();
          return loads === before ? value : undefined;
        }),
    };
  };
  return {
    bare,
    aRow,
    name,
    open,
    async close() {
      await Promise.all(ends.map((end) => end()));
      await bare.destroy();
      await redis.stop();
      await shop.drop();
    },
  };
}

/** Knex writes down what a test has cut. */
const log = { warn() {}, error() {} };

/** Asks again and again, until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined, ms = 20_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`Nothing came of it within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
