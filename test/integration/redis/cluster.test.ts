import { Cluster } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { RedisTarget } from '../../../adapters/redis/index.js';
import { slotOf } from '../../../adapters/redis/slots.js';
import { StoreUnavailableError } from '../../../src/adapter/index.js';
import { ask } from '../../services/redis.js';
import { type RedisCluster, startCluster } from '../../services/redis-cluster.js';
import { aTrustedSession, aWatchingSession, onEveryNode, until, versionOf } from './a-session.js';

const hour = 3_600_000;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe.skipIf(!inject('services').cluster)('a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  function instance(
    options: ConstructorParameters<typeof Cluster>[1] = {},
    Kind: typeof Cluster = Cluster,
  ): RedisTarget {
    const made = new Kind(
      cluster.nodes.slice(0, 2).map(({ host, port }) => ({ host, port })),
      { lazyConnect: true, ...options },
    );
    onTestFinished(() => made.disconnect());
    return made;
  }

  test.each([
    ['ioredis 6', Cluster],
    ['ioredis 5', Cluster5 as unknown as typeof Cluster],
  ])('%s: entries and tags of all slots are read, written and raised', async (_, Kind) => {
    const { session, name } = await onEveryNode(aTrustedSession(instance({ scaleReads: 'slave' }, Kind)));
    const other = await onEveryNode(aTrustedSession(instance(), { name }));
    const tags = numbers(200).map((n) => `tag ${n}`);
    const before = await session.read('key', tags);
    await Promise.all(numbers(100).map((n) => session.write(`key ${n}`, new Uint8Array([n]), hour)));
    const reads = await Promise.all(numbers(100).map((n) => other.session.read(`key ${n}`, tags.slice(n, n + 10))));
    reads.forEach((read, n) => {
      expect(read.entry).toEqual(Buffer.from([n]));
      expect(read.versions).toEqual(before.versions.slice(n, n + 10));
    });
    const raised = await session.raise(tags, 2000);
    expect((await other.session.read(undefined, tags)).versions).toEqual(raised);
  });

  test('keys are looked for where the servers put them', async () => {
    const keys = numbers(300).map((n) => (n % 2 ? `name:t:{tag ${n} ü}` : `name:e:${n * 7919}`));
    const [node] = cluster.nodes as [(typeof cluster.nodes)[0]];
    const slots = await ask(node, (redis) => Promise.all(keys.map((key) => redis.call('CLUSTER', 'KEYSLOT', key))));
    expect(keys.map(slotOf)).toEqual(slots);
  });

  test.each([0, 1, 2])('node %i, when it hangs, takes down its own share and nothing else', async (n) => {
    const { session } = await onEveryNode(aTrustedSession(instance()));
    const tags = numbers(60).map((it) => `tag ${it}`);
    await until('all of them answer', () => session.read(undefined, tags));
    const hung = cluster.nodes[n] as (typeof cluster.nodes)[0];
    const own = (tag: string) => [5461, 10923, 16384].findIndex((end) => slotOf(tag) < end) === n;
    hung.pause();
    onTestFinished(() => hung.resume());
    // In one tick: the reads of the others must not fail with it. Also later, when its connection was given up.
    for (const wait of [0, 500]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      const outcomes = await Promise.allSettled(tags.map((tag) => session.read(undefined, [tag])));
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(tags.map(own));
    }
    hung.resume();
    await until('all of them answer', () => session.read(undefined, tags));
  });

  test('slots that move while they are used never show as anything but a version', { timeout: 60_000 }, async () => {
    const { session, name } = await onEveryNode(aTrustedSession(instance()));
    const [from, to] = cluster.nodes as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
    const tag = numbers(1000)
      .map((n) => `moving ${n}`)
      .find((it) => slotOf(it) < 5000) as string;
    const slot = slotOf(tag);
    const [fromId, toId] = await Promise.all(
      [from, to].map((node) => ask(node, (redis) => redis.call('CLUSTER', 'MYID'))),
    );
    const errors = new Set<string>();
    let last = await versionOf(session, tag);
    let over = false;
    const using = (async () => {
      while (!over) {
        try {
          const [raised] = await session.raise([tag], 1000);
          expect(await versionOf(session, tag)).toBe(raised);
          last = raised;
        } catch (error) {
          if (!(error instanceof StoreUnavailableError)) throw error;
          errors.add(error.message);
        }
      }
    })();
    const move = async (a: typeof from, aId: unknown, b: typeof from, bId: unknown) => {
      await ask(b, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', aId as string));
      await ask(a, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', bId as string));
      await new Promise((resolve) => setTimeout(resolve, 100));
      await ask(a, (redis) => redis.call('MIGRATE', b.host, b.port, `${name}:t:{${tag}}`, 0, 1000));
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const node of [b, a])
        await ask(node, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', bId as string));
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    await move(from, fromId, to, toId);
    await move(to, toId, from, fromId);
    over = true;
    await using;
    expect([...errors]).toEqual([]);
    expect(await versionOf(session, tag)).toBe(last);
  });

  test('changes are reported from every master', async () => {
    const { session, heard, name } = await onEveryNode(aWatchingSession(instance(), { maxStale: 300, timeout: '1s' }));
    const other = await onEveryNode(aTrustedSession(instance(), { name }));
    const tags = numbers(30).map((n) => `watched ${n}`);
    await until('all are watched', async () => (await session.read(undefined, tags)).watched);
    await until('their first versions were reported', () => new Set(heard.tags).size === tags.length);
    heard.tags.length = 0;
    const { losses } = heard;
    await other.session.raise(tags, 2000);
    // A loss says it of all of them at once; the test before has moved slots, and news of that may still be on its way.
    await until('all are reported', () => new Set(heard.tags).size === tags.length || heard.losses > losses);
  });

  // Last: it changes who is master.
  test('a failover begins a new epoch, and the promoted node is used', { timeout: 60_000 }, async () => {
    const { session, heard } = await onEveryNode(aTrustedSession(instance()));
    const tags = numbers(60).map((n) => `tag ${n}`);
    const raised = await session.raise(tags, 2000);
    const before = session.epoch;
    const [master] = cluster.nodes as [(typeof cluster.nodes)[0]];
    const rejected: unknown[] = [];
    await master.kill();
    const took = await until(
      'all slots are served again',
      () =>
        session.read(undefined, tags).catch((error) => {
          if (!(error instanceof StoreUnavailableError)) rejected.push(error);
          throw error;
        }),
      30_000,
    );
    console.log(`cluster failover: all slots served again after ${Math.round(took)} ms`);
    expect(rejected).toEqual([]);
    expect(session.epoch).not.toBe(before);
    expect(heard.losses).toBeGreaterThan(0);
    expect((await session.read(undefined, tags)).versions).toHaveLength(raised.length);
  });
});
