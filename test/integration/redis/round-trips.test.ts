import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startProxy } from '../../services/proxy.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { aTrustedSession, until } from './a-session.js';

const hour = 3_600_000;
const bytes = new Uint8Array(50);
/** What the heartbeat sends, and what this test itself does. */
const heartbeat = /^"(info|time|echo|hello|client|monitor)"|:epoch"/;

describe.skipIf(!inject('services').redis)('what is sent to Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
    return () => server.stop();
  });

  /** Commands, as the server sees them come, while `during` runs; those of the heartbeat are left out. */
  async function commandsOf(during: () => Promise<unknown>): Promise<string[]> {
    // By hand: ioredis loses count of its answers when something is sent just as it begins to monitor.
    const socket = connect(server.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.write('MONITOR\r\n');
    await until('the server is watched', () => text.includes('+OK'));
    await during();
    const end = randomUUID();
    await ask(server, (redis) => redis.echo(end));
    await until('all commands are seen', () => text.includes(end));
    const commands = text.split('\r\n').flatMap((line) => {
      const [, source, ...args] = /\[\d+ (\S+)\] (.*)/.exec(line)?.slice(0) ?? [];
      return source === undefined || source === 'lua' ? [] : [args.join(' ').toLowerCase()];
    });
    return commands
      .filter((command) => !heartbeat.test(command))
      .map((command) => /^"([^"]*)"/.exec(command)?.[1] as string);
  }

  test('a hit with any number of known tags is one command', async () => {
    const { session } = await aTrustedSession(server.url);
    for (const count of [0, 1, 3, 10, 30, 200]) {
      const tags = Array.from({ length: count }, (_, n) => `tag ${n}`);
      await session.read('key', tags);
      await session.write('key', bytes, hour);
      expect(await commandsOf(() => session.read('key', tags)), `${count} tags`).toEqual(['mget']);
    }
  });

  test('a miss and its fill are two commands', async () => {
    const { session } = await aTrustedSession(server.url);
    await session.read(undefined, ['a', 'b', 'c']);
    const sent = await commandsOf(async () => {
      await session.read('key', ['a', 'b', 'c']);
      await session.write('key', bytes, hour);
    });
    expect(sent).toEqual(['mget', 'set']);
  });

  test('all reads of a tick are one command, in which each key is named once', async () => {
    const { session } = await aTrustedSession(server.url);
    const keys = Array.from({ length: 64 }, (_, n) => `key ${n}`);
    await session.read(undefined, ['a', 'b', 'c']);
    await Promise.all(keys.map((key) => session.write(key, bytes, hour)));
    const used = await commandsOf(async () => {
      const reads = await Promise.all([...keys, ...keys].map((key) => session.read(key, ['a', 'b', 'c'])));
      expect(reads.every(({ entry }) => entry?.length === bytes.length)).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(used).toEqual(['mget']);
  });

  test('a read of another tick does not join a request that was sent', async () => {
    const { session } = await aTrustedSession(server.url);
    await session.read('key', ['tag']);
    const sent = await commandsOf(async () => {
      const first = session.read('key', ['tag']);
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([first, session.read('key', ['tag'])]);
    });
    expect(sent).toEqual(['mget', 'mget']);
  });

  test('large batches are split, and are still one round trip', async () => {
    const proxy = await startProxy(server.port);
    onTestFinished(() => proxy.stop());
    const { session } = await aTrustedSession(`redis://127.0.0.1:${proxy.port}`, { timeout: '5s' });
    const keys = Array.from({ length: 40 }, (_, n) => `large ${n}`);
    await Promise.all(keys.map((key) => session.write(key, new Uint8Array(20_000).fill(7), hour)));
    await Promise.all(keys.map((key) => session.read(key, []))); // learns how large entries are
    proxy.delay(40);
    let took = 0;
    const sent = await commandsOf(async () => {
      const begun = performance.now();
      const reads = await Promise.all(keys.map((key) => session.read(key, [])));
      took = performance.now() - begun;
      expect(reads.every(({ entry }) => entry?.length === 20_000)).toBe(true);
    });
    expect(sent.length).toBeGreaterThan(3);
    expect(new Set(sent)).toEqual(new Set(['mget']));
    expect(took).toBeLessThan(80 + 100);
  });

  test('unseen tags cost a second round trip, whatever their number', async () => {
    const { session } = await aTrustedSession(server.url);
    const sent = await commandsOf(() => session.read('key', ['x', 'y', 'z']));
    expect(sent).toEqual(['mget', 'set', 'get', 'set', 'get', 'set', 'get']);
  });

  test('the entries that are written in a tick leave in one chunk', async () => {
    const proxy = await startProxy(server.port);
    onTestFinished(() => proxy.stop());
    const { session } = await aTrustedSession(`redis://127.0.0.1:${proxy.port}`, { timeout: '5s' });
    await Promise.all(Array.from({ length: 20 }, (_, n) => session.write(`key ${n}`, bytes, hour)));
    const stats = await ask(server, (redis) => redis.info('commandstats'));
    expect(stats).toContain('cmdstat_set');
    const { total_reads_processed: before } = await readsOf();
    await Promise.all(Array.from({ length: 100 }, (_, n) => session.write(`key ${n}`, bytes, hour)));
    const { total_reads_processed: after } = await readsOf();
    // This question is a connection of its own; a heartbeat may fall in between.
    expect(after - before).toBeLessThan(20);
  });

  async function readsOf(): Promise<{ total_reads_processed: number }> {
    const info = await ask(server, (redis) => redis.info('stats'));
    return { total_reads_processed: Number(/total_reads_processed:(\d+)/.exec(info)?.[1]) };
  }

  test('a raise is one script for each tag; a server that does not know it is told', async () => {
    const { session } = await aTrustedSession(server.url);
    await ask(server, (redis) => redis.script('FLUSH'));
    expect(await commandsOf(() => session.raise(['a', 'b'], 1000))).toEqual(['evalsha', 'evalsha', 'eval', 'eval']);
    expect(await commandsOf(() => session.raise(['a', 'b', 'a'], 1000))).toEqual(['evalsha', 'evalsha']);
  });

  test('reading does not prolong the life of a tag', async () => {
    const { session, name } = await aTrustedSession(server.url);
    await session.read(undefined, ['tag']);
    const key = `${name}:t:{tag}`;
    await ask(server, (redis) => redis.pexpire(key, 5000));
    await session.read(undefined, ['tag']);
    expect(await ask(server, (redis) => redis.pttl(key))).toBeLessThanOrEqual(5000);
    await session.raise(['tag'], 1000);
    expect(await ask(server, (redis) => redis.pttl(key))).toBeGreaterThan(29 * 24 * hour);
  });
});
