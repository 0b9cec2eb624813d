import { Cluster, type RedisOptions } from 'ioredis';
import type { RedisTarget } from '../../../adapters/redis/index.js';
import { startProxy } from '../../services/proxy.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { type RedisCluster, startCluster } from '../../services/redis-cluster.js';
import { type RedisSentinel, startSentinel } from '../../services/redis-sentinel.js';
import { until } from '../../services/server-process.js';
import type { Random } from '../../transparency/random.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** How a process finds its Redis, as data. */
export type Target =
  | { readonly kind: 'single'; readonly url: string }
  | { readonly kind: 'cluster'; readonly nodes: readonly Address[] }
  | { readonly kind: 'sentinel'; readonly name: string; readonly sentinels: readonly Address[] };

/** Makes what `redisStore` takes of it. */
export function targetOf(target: Target): RedisTarget {
  if (target.kind === 'single') return target.url;
  if (target.kind === 'cluster') return new Cluster([...target.nodes], { lazyConnect: true });
  return { sentinels: [...target.sentinels], name: target.name } satisfies RedisOptions;
}

/** A Redis of any kind, with what may happen to it. Each fault takes its time, and leaves a whole one behind. */
export interface Storage {
  readonly target: Target;
  readonly faults: Readonly<Record<string, (random: Random) => Promise<void>>>;
  stop(): Promise<void>;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const storages: Record<Target['kind'], () => Promise<Storage>> = {
  async single() {
    const redis = await startRedis({ args: ['--maxmemory', '64mb', '--maxmemory-policy', 'volatile-lru'] });
    const wire = await startProxy(redis.port);
    return {
      target: { kind: 'single', url: `redis://127.0.0.1:${wire.port}` },
      async stop() {
        await wire.stop();
        await redis.stop();
      },
      faults: {
        /** Subscribers hear nothing more, and no connection says that it has ended. */
        async deafen(random) {
          wire.deafen('invalidate');
          await wait(1000 + random.below(2000));
          wire.flow();
        },
        evict: (random) => evict(redis, random),
        drop: () => drop(redis),
        hang: (random) => hang(redis, random),
        /** Dies, and comes back with what it had some seconds ago. */
        async restart(random) {
          await ask(redis, (client) => client.save());
          await wait(500 + random.below(1500));
          await redis.kill();
          await wait(random.below(500));
          await redis.restart();
        },
      },
    };
  },
  async cluster() {
    const cluster = await startCluster();
    return {
      target: { kind: 'cluster', nodes: cluster.nodes.map(({ host, port }) => ({ host, port })) },
      stop: cluster.stop,
      faults: {
        evict: async (random) => evict(random.one(await mastersOf(cluster)), random),
        drop: (random) => drop(random.one(cluster.nodes)),
        hang: async (random) => hang(random.one(await mastersOf(cluster)), random),
        /** A master dies; its replica takes over, without the writes that had not reached it. */
        async failover(random) {
          const doomed = random.one(await mastersOf(cluster));
          await doomed.kill();
          await until('the cluster has recovered', () => isWhole(cluster, 3, doomed));
          await doomed.restart();
          await until('the cluster is complete', () => isWhole(cluster, 3));
        },
        /** A replica takes over from a master that lives; both keep their connections. */
        async promote(random) {
          const masters = await mastersOf(cluster);
          const replica = random.one(cluster.nodes.filter((node) => !masters.includes(node)));
          await ask(replica, (client) => client.call('CLUSTER', 'FAILOVER', 'FORCE')).catch(() => {});
          await wait(1500);
          await until('the cluster is complete', () => isWhole(cluster, 3));
        },
        migrate: (random) => migrate(cluster, random),
      },
    };
  },
  async sentinel() {
    const sentinel = await startSentinel();
    const { master, replica, name } = sentinel;
    const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
    // Not what they say of themselves: both may call themselves master.
    const current = async () => ((await meant(sentinels, name)) === master.port ? master : replica);
    /** Has the sentinels change over, and resolves with the old master when they have. */
    const changeOver = async () => {
      const before = await current();
      let asked = Number.NEGATIVE_INFINITY;
      const isOver = async () => {
        if ((await current()) !== before) return true;
        // On a busy machine a change may be given up half-way.
        if (performance.now() - asked < 5000) return false;
        asked = performance.now();
        await ask(sentinels[0] as Address, (client) => client.call('SENTINEL', 'FAILOVER', name));
        return false;
      };
      await until('the sentinels mean the other', isOver, 60_000);
      return before;
    };
    return {
      target: { kind: 'sentinel', name, sentinels },
      stop: sentinel.stop,
      faults: {
        evict: async (random) => evict(await current(), random),
        drop: async () => drop(await current()),
        /** The master dies; when it comes back it follows the other. */
        async failover() {
          const doomed = await current();
          await doomed.kill();
          const other = doomed === master ? replica : master;
          await until('the other has taken over', () => isMaster(other));
          await doomed.restart();
          await followed(sentinel);
        },
        /** The sentinels are told to change over; the old master lives and keeps its connections until it is told. */
        async promote() {
          await changeOver();
          await followed(sentinel);
        },
        /** The same, and some lose their connection to the old master while it still calls itself one. */
        async split(random) {
          const before = await changeOver();
          for (let i = 0; i < 3 && (await isMaster(before)); i++) {
            await dropSome(before, random);
            await wait(300 + random.below(700));
          }
          await followed(sentinel);
        },
      },
    };
  },
};

/** Keys vanish one by one, entries and tags alike. */
async function evict(redis: RedisServer, random: Random): Promise<void> {
  await ask(redis, async (client) => {
    const keys = await Promise.all(Array.from({ length: 60 + random.below(120) }, () => client.randomkey()));
    for (const key of keys) if (key !== null) await client.unlink(key);
  });
}

/** All connections break. */
async function drop(redis: RedisServer): Promise<void> {
  await ask(redis, async (client) => {
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  });
}

/** Each connection breaks, or does not. */
async function dropSome(redis: RedisServer, random: Random): Promise<void> {
  await ask(redis, async (client) => {
    const list = (await client.call('CLIENT', 'LIST', 'TYPE', 'NORMAL')) as string;
    for (const [, id] of list.matchAll(/^id=(\d+)/gm))
      if (random.below(2) === 0) await client.call('CLIENT', 'KILL', 'ID', id as string);
  });
}

/** The port of the master that the first sentinel means. */
async function meant([first]: readonly Address[], name: string): Promise<number> {
  const address = await ask(first as Address, (client) => client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name));
  return Number((address as string[])[1]);
}

/** It says nothing for a while, and then carries out what it was sent. */
async function hang(redis: RedisServer, random: Random): Promise<void> {
  redis.pause();
  await wait(200 + random.below(1800));
  redis.resume();
}

async function isMaster(redis: RedisServer): Promise<boolean> {
  return ask(redis, async (client) => (await client.info('replication')).includes('role:master')).catch(() => false);
}

async function mastersOf(cluster: RedisCluster): Promise<RedisServer[]> {
  const are = await Promise.all(cluster.nodes.map(isMaster));
  return cluster.nodes.filter((_, i) => are[i]);
}

async function isWhole(cluster: RedisCluster, masters: number, without?: RedisServer): Promise<boolean> {
  const nodes = cluster.nodes.filter((node) => node !== without);
  const infos = await Promise.all(nodes.map((node) => ask(node, (client) => client.call('CLUSTER', 'INFO'))));
  if (!infos.every((info) => String(info).includes('cluster_state:ok'))) return false;
  const replications = await Promise.all(nodes.map((node) => ask(node, (client) => client.info('replication'))));
  const linked = replications.filter((it) => it.includes('role:master') || it.includes('master_link_status:up'));
  const heads = replications.filter((it) => it.includes('role:master'));
  return linked.length === nodes.length && heads.length === masters;
}

/** Until one of the two follows the other again, so that there is somebody to take over. */
async function followed({ master, replica }: RedisSentinel): Promise<void> {
  const follows = (node: RedisServer) =>
    ask(node, async (client) => (await client.info('replication')).includes('master_link_status:up'));
  await until('the old master follows', async () => (await follows(master)) || (await follows(replica)), 60_000);
}

/** Moves some slots, with the keys that are in them, from one master to another. */
async function migrate(cluster: RedisCluster, random: Random): Promise<void> {
  const masters = await mastersOf(cluster);
  const [from, to] = [random.one(masters), random.one(masters)];
  if (from === to) return;
  const idOf = (node: RedisServer) => ask(node, async (client) => String(await client.call('CLUSTER', 'MYID')));
  const [source, target] = await Promise.all([idOf(from), idOf(to)]);
  await ask(from, async (client) => {
    const keys = (await Promise.all(Array.from({ length: 40 }, () => client.randomkey()))).filter((it) => it !== null);
    const slots = new Set<number>();
    for (const key of keys) slots.add(Number(await client.call('CLUSTER', 'KEYSLOT', key)));
    for (const slot of slots) {
      await ask(to, (other) => other.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source));
      await client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
      for (;;) {
        const inside = (await client.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
        if (inside.length === 0) break;
        await client.call('MIGRATE', to.host, to.port, '', 0, 5000, 'REPLACE', 'KEYS', ...inside);
        await wait(random.below(10));
      }
      for (const node of [to, from]) await ask(node, (it) => it.call('CLUSTER', 'SETSLOT', slot, 'NODE', target));
    }
  });
}
