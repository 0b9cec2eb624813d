import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { StoreUnavailableError } from '../../../src/adapter/index.js';
import { isFenced } from '../../../src/core/store.js';
import { startProxy } from '../../services/proxy.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { aStrictSession, expired, fence, timed, until, versionOf } from './a-session.js';

// What fences promise is in the contract suite, which runs on Redis and on a Cluster. Here is what is peculiar to them:
// keys, evictions, memory, late commands.

const minute = 60_000;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  return server;
}

describe.skipIf(!inject('services').redis)('fences in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  test("neither a fenced tag nor its owners end by themselves; the owner's time is the server's", async () => {
    const { session, name } = await aStrictSession(server.url);
    await session.read(undefined, ['tag']);
    await fence(session, ['tag'], 'owner', 5000);
    const [tag, owners] = [`${name}:t:{tag}`, `${name}:w:{tag}`];
    const found = await ask(server, async (redis) => ({
      ttls: [await redis.pttl(tag), await redis.pttl(owners)],
      count: await redis.zcard(owners),
      end: Number(await redis.zscore(owners, 'owner')),
      time: await redis.time(),
    }));
    expect(found.ttls).toEqual([-1, -1]);
    expect(found.count).toBe(1);
    const left = found.end - Number(found.time[0]) * 1000 - Number(found.time[1]) / 1000;
    expect(left).toBeGreaterThan(3000);
    expect(left).toBeLessThanOrEqual(5000);
    await session.raise(['tag'], 1000, 'owner');
    const after = await ask(server, async (redis) => [await redis.pttl(tag), await redis.exists(owners)]);
    expect(after[0]).toBeGreaterThan(minute);
    expect(after[1]).toBe(0);
  });

  test('a fenced tag that somebody deletes by hand comes back fenced', async () => {
    const { session, name } = await aStrictSession(server.url);
    await fence(session, ['tag'], 'owner');
    await ask(server, (redis) => redis.del(`${name}:t:{tag}`));
    const [one, two] = [await versionOf(session, 'tag'), await versionOf(session, 'tag')];
    expect(one).toMatch(/^f/);
    expect(two).toBe(one);
  });

  test('a fenced version whose owners somebody deletes by hand is told as one of nobody, who can end it', async () => {
    const { session, name } = await aStrictSession(server.url);
    await fence(session, ['tag'], 'owner');
    await ask(server, (redis) => redis.del(`${name}:w:{tag}`));
    expect(isFenced(await versionOf(session, 'tag'))).toBe(true);
    expect(await expired(session, 'tag')).toEqual(['']);
    await session.raise(['tag'], 1000);
    expect(isFenced(await versionOf(session, 'tag'))).toBe(false);
    expect(await expired(session, 'tag')).toEqual([]);
  });

  test('a server that is emptied answers no reader who does not know it yet', async () => {
    const own = await ownServer();
    const { session, name } = await aStrictSession(own.url);
    const other = await aStrictSession(own.url, { name });
    await fence(session, ['tag'], 'owner');
    const before = session.epoch;
    await ask(own, (redis) => redis.flushall());
    // At once: a heartbeat may be a second away.
    const reads = await Promise.allSettled([session, other.session].map((it) => it.read(undefined, ['tag'])));
    expect(reads.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await until('both have another epoch', () =>
      [session, other.session].every(({ epoch }) => epoch !== undefined && epoch !== before),
    );
    expect((await session.read(undefined, ['tag'])).epoch).toBe(other.session.epoch);
  });

  test('a server that evicts what has a TTL keeps every fence', async () => {
    const own = await ownServer(['--maxmemory', '3mb', '--maxmemory-policy', 'volatile-random']);
    const { session } = await aStrictSession(own.url);
    const [fenced, free] = [numbers(50).map((n) => `fenced ${n}`), numbers(200).map((n) => `free ${n}`)];
    const before = (await session.read(undefined, [...free, ...fenced])).versions;
    await fence(session, fenced, 'owner');
    const held = (await session.read(undefined, fenced)).versions;
    for (let n = 0; n < 600; n++) await session.write(`key ${n}`, new Uint8Array(20_000), minute).catch(() => {});
    // The pressure was real: free tags were evicted, and come back with versions that never existed.
    const after = (await session.read(undefined, free)).versions;
    expect(after.filter((version, at) => version !== before[at]).length).toBeGreaterThan(10);
    expect((await session.read(undefined, fenced)).versions).toEqual(held);
    expect(held.every(isFenced)).toBe(true);
  });

  test('a server that is full refuses fences, keeps those that it has, and lets their owners go', async () => {
    const own = await ownServer();
    const { session } = await aStrictSession(own.url);
    await fence(session, ['held', 'alone'], 'owner');
    await fence(session, ['held'], 'another');
    await ask(own, (redis) => redis.config('SET', 'maxmemory', '100kb'));
    const free = await session.raise(['free'], 1000);
    expect(isFenced(free[0])).toBe(false);
    const { error } = await timed(fence(session, ['free', 'new'], 'third'));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toContain('OOM');
    expect(isFenced((await session.raise(['held'], 1000))[0])).toBe(true);
    const raised = await session.raise(['held', 'alone'], 1000, 'owner');
    expect(raised.map(isFenced)).toEqual([true, false]);
    expect(isFenced(await versionOf(session, 'held'))).toBe(true);
    await ask(own, (redis) => redis.config('SET', 'maxmemory', '0'));
    // Those who could not fence are not among the owners.
    expect((await session.read(undefined, ['free', 'new', 'alone'])).versions.map(isFenced)).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe.skipIf(!inject('services').redis)('a fence that was given up and is carried out all the same', () => {
  test('is let go right behind it, while the connection holds', async () => {
    const server = await ownServer();
    const { session, name } = await aStrictSession(server.url);
    const other = await aStrictSession(server.url, { name });
    const before = await versionOf(other.session, 'tag');
    server.pause();
    const { error } = await timed(fence(session, ['tag'], 'owner', minute, 200));
    server.resume();
    expect(error).toBeInstanceOf(StoreUnavailableError);
    const read = async () => (await other.session.read(undefined, ['tag'])).versions[0];
    await until('both have arrived', async () => (await read()) !== before && !isFenced(await read()));
    expect(await ask(server, (redis) => redis.exists(`${name}:w:{tag}`))).toBe(0);
  });

  test('is told as one whose owner is over, when the connection was lost', async () => {
    const server = await ownServer();
    const proxy = await startProxy(server.port);
    onTestFinished(() => proxy.stop());
    const { session, name } = await aStrictSession(`redis://127.0.0.1:${proxy.port}`);
    const other = await aStrictSession(server.url, { name });
    // The server knows the script from then on: a fence takes one command.
    await fence(session, ['another'], 'warm');
    proxy.hold('answers');
    const placing = timed(fence(session, ['tag'], 'owner', 300, 5000));
    await until('it is carried out', async () => isFenced(await versionOf(other.session, 'tag')));
    proxy.cut();
    expect((await placing).error).toBeInstanceOf(StoreUnavailableError);
    await until('the time of its owner is over', async () => (await expired(other.session, 'tag'))?.includes('owner'));
    expect(isFenced(await versionOf(other.session, 'tag'))).toBe(true);
    await other.session.raise(['tag'], 1000, 'owner');
    expect(isFenced(await versionOf(other.session, 'tag'))).toBe(false);
  });
});
