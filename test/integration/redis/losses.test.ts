import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { startSentinel } from '../../services/redis-sentinel.js';
import { aSession, aTrustedSession, until, versionOf } from './a-session.js';

const value = new Uint8Array([7]);
const hour = 3_600_000;

describe.skipIf(!inject('services').redis)('a Redis that loses something', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  test('a tag that was evicted comes back with a version that never was', async () => {
    const { session, name } = await aTrustedSession(server.url);
    const seen = new Set<unknown>();
    for (let round = 0; round < 20; round++) {
      const version = await versionOf(session, 'tag');
      expect(seen).not.toContain(version);
      seen.add(version);
      expect(await versionOf(session, 'tag')).toBe(version);
      await ask(server, (redis) => redis.unlink(`${name}:t:{tag}`));
    }
  });

  test('FLUSHALL begins a new epoch within the next heartbeat', async () => {
    const { session, heard } = await aTrustedSession(server.url);
    const before = session.epoch;
    const old = await versionOf(session, 'tag');
    await ask(server, (redis) => redis.flushall());
    expect(await versionOf(session, 'tag')).not.toBe(old);
    expect(await until('the epoch is another', () => session.epoch !== before)).toBeLessThan(2000);
    expect(heard.losses).toBe(1);
  });

  test('all sessions agree on the epoch after a loss, and lose nothing twice', async () => {
    const a = await aTrustedSession(server.url);
    const b = await aTrustedSession(server.url, { name: a.name });
    const c = await aTrustedSession(server.url, { name: a.name });
    await server.restart();
    await until('they agree', () => {
      const epochs = new Set([a, b, c].map(({ session }) => session.epoch));
      return epochs.size === 1 && !epochs.has(undefined);
    });
    for (const { heard } of [a, b, c]) expect(heard.losses).toBe(1);
  });

  /** Writes an entry, saves, replaces the tag's version, and restarts from what was saved. */
  async function goBack(name: string, { connected }: { connected: boolean }) {
    const { session } = await aTrustedSession(server.url, { name });
    const { versions, epoch } = await session.read('key', ['tag']);
    await session.write('key', value, hour);
    await ask(server, (redis) => redis.save());
    copyFileSync(join(server.folder, 'dump.rdb'), join(server.folder, 'older.rdb'));
    const [raised] = await session.raise(['tag'], 1000);
    expect(raised).not.toBe(versions[0]);
    if (!connected) await session.close();
    await server.kill();
    copyFileSync(join(server.folder, 'older.rdb'), join(server.folder, 'dump.rdb'));
    onTestFinished(() => rmSync(join(server.folder, 'dump.rdb'), { force: true }));
    await server.restart();
    return { session, before: { version: versions[0], epoch } };
  }

  test.each([true, false])(
    'a restart from an older snapshot begins a new epoch, before anything of the old one is read (connected: %s)',
    async (connected) => {
      const name = `older-snapshot-${connected}`;
      const { session, before } = await goBack(name, { connected });
      for (const each of [...(connected ? [session] : []), aSession(server.url, { name }).session]) {
        let read: Awaited<ReturnType<typeof session.read>> | undefined;
        await until('it is read again', async () => {
          read = await each.read('key', ['tag']);
          return true;
        });
        // The version that was replaced is back, with the entry that belongs to it: only the epoch tells.
        expect(read?.versions[0]).toBe(before.version);
        expect(read?.entry).toEqual(Buffer.from(value));
        expect(read?.epoch).not.toBe(before.epoch);
      }
    },
  );

  test('naive: who believes the epoch that the store itself keeps takes the older snapshot for the present', async () => {
    const { before } = await goBack('naive', { connected: false });
    // All that there is to compare without asking the server who it is: epoch, version and entry, and all of it fits.
    await ask(server, async (redis) => {
      expect(await redis.hget('naive:epoch', 'epoch')).toBe(before.epoch);
      expect(await redis.get('naive:t:{tag}')).toBe(before.version);
      expect(await redis.getBuffer('naive:e:key')).toEqual(Buffer.from(value));
    });
    const { session } = await aTrustedSession(server.url, { name: 'naive' });
    expect(session.epoch).not.toBe(before.epoch);
  });

  test("ages are counted by the server's clock, whatever the clock of this machine says", async () => {
    const wall = vi.spyOn(Date, 'now').mockImplementation(() => 0);
    onTestFinished(() => wall.mockRestore());
    const { session } = await aTrustedSession(server.url);
    wall.mockRestore();
    expect(Math.abs(session.now() - Date.now())).toBeLessThan(50);
  });

  test('the record counts as missing when it has no epoch, whatever else it has', async () => {
    const { session, name } = await aTrustedSession(server.url);
    const before = session.epoch;
    await ask(server, (redis) => redis.hdel(`${name}:epoch`, 'epoch'));
    await until('the epoch is another', () => session.epoch !== before && session.epoch !== undefined);
  });

  test('maxStale is published before memory is used, and the largest counts', async () => {
    const a = await aTrustedSession(server.url, { maxStale: 300 });
    const b = await aTrustedSession(server.url, { name: a.name, maxStale: 5000 });
    const c = await aTrustedSession(server.url, { name: a.name });
    for (const { session } of [a, b, c]) expect(await session.reach()).toBe(5000);
  });

  test('a full Redis still confirms invalidations', async () => {
    const full = await startRedis();
    onTestFinished(() => full.stop());
    const { session } = await aTrustedSession(full.url, { timeout: '1s' });
    const before = await versionOf(session, 'tag');
    await ask(full, (redis) => redis.config('SET', 'maxmemory', '100kb'));
    await expect(session.write('key', value, hour)).rejects.toThrow('OOM');
    const [raised] = await session.raise(['tag'], 1000);
    expect(raised).not.toBe(before);
    expect(await versionOf(session, 'tag')).toBe(raised);
    // No room for a version of a new tag: the read fails, and the cache turns to the database.
    await expect(versionOf(session, 'another')).rejects.toThrow('not available');
    expect(session.epoch).toBeDefined();
  });

  test('a fence survives a plain invalidation, and its version holds for nobody', async () => {
    const { session, name } = await aTrustedSession(server.url);
    await ask(server, async (redis) => {
      await redis.zadd(`${name}:w:{tag}`, Date.now() + 60_000, 'owner|1');
      await redis.set(`${name}:t:{tag}`, 'fsome');
    });
    const [raised] = await session.raise(['tag'], 1000);
    expect(raised).toMatch(/^f/);
    expect(await versionOf(session, 'tag')).toBe(raised);
  });
});

describe.skipIf(!inject('services').sentinel)('a failover by Sentinel', () => {
  test('begins a new epoch, and the promoted server is used', { timeout: 40_000 }, async () => {
    const { name, sentinels, master, stop } = await startSentinel();
    onTestFinished(stop);
    const { session, heard } = await aTrustedSession({
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      name,
    });
    const before = session.epoch;
    await session.raise(['tag'], 1000);
    await master.kill();
    const took = await until(
      'it is trusted again',
      () => session.epoch !== undefined && versionOf(session, 'tag'),
      20_000,
    );
    expect(session.epoch).not.toBe(before);
    expect(heard.losses).toBe(1);
    console.log(`sentinel failover: trusted again after ${Math.round(took)} ms`);
  });

  test('of a master that lives on is noticed: it is a replica now', { timeout: 40_000 }, async () => {
    const { name, sentinels, master, stop } = await startSentinel();
    onTestFinished(stop);
    const { session } = await aTrustedSession({ sentinels: sentinels.map(({ host, port }) => ({ host, port })), name });
    const before = session.epoch;
    await until('sentinel agrees', () =>
      ask(sentinels[0] as (typeof sentinels)[0], (redis) => redis.call('SENTINEL', 'FAILOVER', name)),
    );
    await until('another epoch', () => session.epoch !== undefined && session.epoch !== before, 20_000);
    await session.raise(['tag'], 1000);
    await until('the old master is a replica', () =>
      ask(master, async (redis) => (await redis.info('replication')).includes('role:slave')),
    );
  });
});
