import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { slotOf } from '../../../adapters/redis/slots.js';
import { StoreUnavailableError } from '../../../src/adapter/index.js';
import { isFenced } from '../../../src/core/store.js';
import { ask, type RedisServer } from '../../services/redis.js';
import { type RedisCluster, startCluster } from '../../services/redis-cluster.js';
import { aStrictSession, expired, fence, onEveryNode, timed, until, versionOf } from './a-session.js';

const minute = 60_000;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe.skipIf(!inject('services').cluster)('fences in a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  function instance(): Cluster {
    const made = new Cluster(
      cluster.nodes.slice(0, 2).map(({ host, port }) => ({ host, port })),
      { lazyConnect: true },
    );
    onTestFinished(() => made.disconnect());
    return made;
  }

  test('tags of all nodes are fenced and let go', async () => {
    const { session, name } = await onEveryNode(aStrictSession(instance()));
    const other = await onEveryNode(aStrictSession(instance(), { name }));
    const tags = numbers(200).map((n) => `tag ${n}`);
    await fence(session, tags, 'owner');
    expect((await other.session.read(undefined, tags)).versions.every(isFenced)).toBe(true);
    const raised = await session.raise(tags, 2000, 'owner');
    expect((await other.session.read(undefined, tags)).versions).toEqual(raised);
    expect(raised.some(isFenced)).toBe(false);
  });

  test('a fence of which one node does not answer is no fence on any of them', { timeout: 30_000 }, async () => {
    const { session, name } = await onEveryNode(aStrictSession(instance()));
    const other = await onEveryNode(aStrictSession(instance(), { name }));
    const tags = numbers(60).map((n) => `tag ${n}`);
    // Every node knows the scripts from then on.
    await fence(session, tags, 'warm');
    await session.raise(tags, 1000, 'warm');
    const [hung] = cluster.nodes as [RedisServer];
    hung.pause();
    const { error } = await timed(fence(session, tags, 'owner', minute, 300));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    const elsewhere = tags.filter((tag) => slotOf(tag) >= 5461);
    const free = async (among: readonly string[]) =>
      !(await other.session.read(undefined, among)).versions.some(isFenced);
    await until('those that were placed are let go', () => free(elsewhere));
    hung.resume();
    await until('so are those that arrived late', async () => {
      // What could not be let go has an owner, for whom somebody else does that.
      await other.session.raise(tags, 1000, 'owner');
      return free(tags);
    });
  });

  const tagOfFirst = (name: string) =>
    numbers(1000)
      .map((n) => `${name} ${n}`)
      .find((it) => slotOf(it) < 5000) as string;

  test('a raise of a tag whose keys are on two nodes makes it one that nobody owns', { timeout: 30_000 }, async () => {
    const { session, name } = await onEveryNode(aStrictSession(instance()));
    const tag = tagOfFirst('apart');
    const [from, to] = cluster.nodes as [RedisServer, RedisServer];
    await session.raise([tag], 1000);
    const between = async () => {
      // Whether somebody fences it meanwhile cannot be known.
      expect(await session.raise([tag], 2000)).toEqual([expect.stringMatching(/^f/)]);
    };
    await move(from, to, { name, tag, between });
    await until('it is told', async () => (await expired(session, tag))?.includes(''));
    const [version] = await session.raise([tag], 1000);
    expect(version).toMatch(/^v/);
    expect(await expired(session, tag)).toEqual([]);
    await move(to, from, { name, tag });
  });

  test('a slot that moves from node to node takes its fences along', { timeout: 60_000 }, async () => {
    const { session, name } = await onEveryNode(aStrictSession(instance()));
    const other = await onEveryNode(aStrictSession(instance(), { name }));
    const tag = tagOfFirst('moving');
    const [from, to] = cluster.nodes as [RedisServer, RedisServer];
    let over = false;
    let fences = 0;
    const refusals = new Set<string>();
    const attempt = async <T>(call: Promise<T>): Promise<T | undefined> =>
      call.catch((error) => {
        if (!(error instanceof StoreUnavailableError)) throw error;
        refusals.add(error.message);
        return undefined;
      });
    const writer = async () => {
      for (let round = 0; !over; round++) {
        const owner = `owner ${round}`;
        // Waits until the keys have met again; a write that is refused is worse.
        await attempt(fence(session, [tag], owner, minute, 10_000));
        fences++;
        for (let look = 0; look < 5; look++)
          expect((await attempt(other.session.read(undefined, [tag])))?.versions[0]).toMatch(/^f/);
        await attempt(session.raise([tag], 10_000, owner));
      }
    };
    /** Somebody without a fence, who raises the same tag all the time. */
    const stranger = async () => {
      for (; !over; await new Promise((resolve) => setTimeout(resolve, 1)))
        await attempt(other.session.raise([tag], 10_000));
    };
    const all = [writer(), stranger()];
    await move(from, to, { name, tag });
    await move(to, from, { name, tag });
    over = true;
    await Promise.all(all);
    // The moves are over, and at most a version is left that nobody owns.
    expect([...refusals]).toEqual([]);
    expect(fences).toBeGreaterThan(5);
    const left = (await expired(session, tag)) ?? [];
    expect(left.filter((owner) => owner !== '')).toEqual([]);
    const [version] = await session.raise([tag], 1000);
    expect(version).toMatch(/^v/);
    expect(await versionOf(other.session, tag)).toBe(version);
  });
});

/** Moves a slot as `redis-cli --cluster reshard` does, with time in between. */
async function move(
  from: RedisServer,
  to: RedisServer,
  { name, tag, between }: { name: string; tag: string; between?: () => Promise<unknown> },
): Promise<void> {
  const [fromId, toId] = await Promise.all(
    [from, to].map((node) => ask(node, async (redis) => String(await redis.call('CLUSTER', 'MYID')))),
  );
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const keys = [`${name}:t:{${tag}}`, `${name}:w:{${tag}}`];
  const slot = slotOf(tag);
  await ask(to, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId as string));
  await ask(from, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId as string));
  await wait(100);
  // One by one: the tag has arrived, its owners have not.
  for (const key of keys) {
    await ask(from, (redis) => redis.call('MIGRATE', to.host, to.port, key, 0, 1000));
    await wait(100);
    if (key === keys[0]) await between?.();
  }
  for (const node of [to, from])
    await ask(node, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId as string));
  await wait(300);
}
