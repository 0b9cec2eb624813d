import { randomUUID } from 'node:crypto';
import { Redis as Redis6 } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { type Proxy, startProxy } from '../../services/proxy.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { aTrustedSession, aWatchingSession, clock, until, versionOf } from './a-session.js';

const { redis } = inject('services');
const delta = 400;

async function aServer(): Promise<RedisServer> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  return server;
}

async function aProxy(server: { port: number }): Promise<Proxy & { url: string }> {
  const proxy = await startProxy(server.port);
  onTestFinished(() => proxy.stop());
  return Object.assign(proxy, { url: `redis://127.0.0.1:${proxy.port}` });
}

/** Reads until the answer is watched: the first read of a tag gives it a version, which is a change too. */
async function watchedRead(session: Awaited<ReturnType<typeof aTrustedSession>>['session'], tags: readonly string[]) {
  await until('the read is watched', async () => (await session.read(undefined, tags)).watched);
}

/** Connections by what they are there for, as the server lists them. */
async function clientsOf(server: RedisServer, flag: RegExp): Promise<string[]> {
  const list = await ask(server, (it) => it.client('LIST'));
  return String(list)
    .split('\n')
    .filter((line) => flag.test(line))
    .map((line) => /id=(\d+)/.exec(line)?.[1] as string);
}
const listeners = /flags=P /;
const readers = /redir=[1-9]/;

describe.skipIf(!redis)('the watched pair', () => {
  const url = redis?.url as string;

  test('at maxStale 0 nothing is watched, and there is one connection', async () => {
    const server = await aServer();
    const { session } = await aTrustedSession(server.url);
    await session.read(undefined, ['tag']);
    expect((await session.read(undefined, ['tag'])).watched).toBe(false);
    expect(await clientsOf(server, listeners)).toEqual([]);
    expect((await clientsOf(server, /./)).length).toBe(2); // the other one asks this question
  });

  test("another process's change is reported once, by the tag's own text", async () => {
    const { session, heard, name } = await aWatchingSession(url, { maxStale: delta });
    const other = await aTrustedSession(url, { name });
    const tags = ['plain', 'a:b|c*{d}[e]', 'x'.repeat(2000), 'ünï', 'with,comma', ''];
    await watchedRead(session, tags);
    heard.tags.length = 0;
    await other.session.raise(tags, 1000);
    await until('all are reported', () => heard.tags.length === tags.length);
    expect(new Set(heard.tags)).toEqual(new Set(tags));
    expect(heard.losses).toBe(0);
  });

  test('a proof of a moment comes after the report of every change before it', async () => {
    const { session, heard, name } = await aWatchingSession(url, { maxStale: 20 });
    const other = await aTrustedSession(url, { name });
    for (let round = 0; round < 50; round++) {
      await watchedRead(session, ['tag']);
      heard.tags.length = 0;
      await other.session.raise(['tag'], 1000);
      const raised = clock.now();
      await until('the raise is covered', () => {
        if (heard.provenAt <= raised) return false;
        expect(heard.tags).toContain('tag');
        return true;
      });
    }
  });

  test('entries beside watched tags take the time of one round trip', async () => {
    const server = await aServer();
    const proxy = await aProxy(server);
    const { session } = await aWatchingSession(proxy.url, { maxStale: 2000, timeout: '1s' });
    await watchedRead(session, ['tag']);
    proxy.delay(50);
    const begun = performance.now();
    const read = await session.read('key', ['tag']);
    expect(read.watched).toBe(true);
    // There and back is 100 ms.
    expect(performance.now() - begun).toBeLessThan(190);
  });

  test.each([
    ['listens', listeners],
    ['reads', readers],
  ])('when the connection that %s is lost, so is everything, and a new pair takes over', async (_, flag) => {
    const server = await aServer();
    const { session, heard } = await aWatchingSession(server.url, { maxStale: delta });
    await watchedRead(session, ['tag']);
    const before = await clientsOf(server, listeners);
    const [id] = await clientsOf(server, flag);
    const losses = heard.losses;
    await ask(server, (it) => it.client('KILL', 'ID', id as string));
    await until('it is reported', () => heard.losses > losses);
    const at = clock.now();
    expect((await session.read(undefined, ['tag'])).versions).toHaveLength(1);
    await until('a later moment is proven', () => heard.provenAt > at);
    await watchedRead(session, ['tag']);
    const after = await clientsOf(server, listeners);
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });

  test('when nothing comes through any more, without a word, proofs stop: nobody trusts memory longer than maxStale', async () => {
    const server = await aServer();
    const proxy = await aProxy(server);
    const { session, heard, name } = await aWatchingSession(proxy.url, { maxStale: delta });
    const other = await aTrustedSession(server.url, { name });
    await watchedRead(session, ['tag']);
    await until('its first version was reported', () => heard.tags.includes('tag'));
    heard.tags.length = 0;
    proxy.hold('answers');
    onTestFinished(() => proxy.flow());
    const heldAt = clock.now();
    await other.session.raise(['tag'], 1000);
    await new Promise((resolve) => setTimeout(resolve, 2 * delta));
    expect(heard.tags).not.toContain('tag');
    expect(heard.provenAt).toBeLessThanOrEqual(heldAt);
    await until('it is noticed', () => heard.losses > 0);
    proxy.flow();
    const at = clock.now();
    await until('a later moment is proven', () => heard.provenAt > at);
  });

  test('a server that forgot what was read is noticed: the tag connection is asked too', async () => {
    const server = await aServer();
    const { session, heard } = await aWatchingSession(server.url, { maxStale: delta });
    await watchedRead(session, ['tag']);
    // The reading connection hangs half open for the client; the server has let it go, and with it what was read.
    const [id] = await clientsOf(server, readers);
    const losses = heard.losses;
    await ask(server, (it) => it.client('KILL', 'ID', id as string));
    await until('it is noticed', () => heard.losses > losses);
  });

  test('FLUSHALL is a loss', async () => {
    const server = await aServer();
    const { session, heard } = await aWatchingSession(server.url, { maxStale: delta });
    await watchedRead(session, ['tag']);
    await ask(server, (it) => it.flushall());
    await until('it is reported', () => heard.losses > 0, 500);
  });

  test('a tag that is evicted or that runs out is reported as changed', async () => {
    const { session, heard, name } = await aWatchingSession(url, { maxStale: delta });
    await watchedRead(session, ['gone', 'over']);
    heard.tags.length = 0;
    const [host, port] = new URL(url).host.split(':');
    await ask({ host: host as string, port: Number(port) }, async (it) => {
      await it.unlink(`${name}:t:{gone}`);
      await it.pexpire(`${name}:t:{over}`, 1);
    });
    await until('both are reported', () => heard.tags.includes('gone') && heard.tags.includes('over'));
  });

  test('nothing is watched before the server has proven that messages arrive', async () => {
    const server = await aServer();
    const proxy = await aProxy(server);
    const { session } = await aTrustedSession(proxy.url, { maxStale: delta });
    // Whatever the timing of the handshake: a read that says it is watched is followed by the report of a change.
    const { session: writer } = await aTrustedSession(server.url);
    expect(await versionOf(writer, 'tag')).toBeDefined();
    for (let round = 0; round < 20; round++) {
      const { watched } = await session.read(undefined, [`tag ${round}`]);
      expect(watched).toBe(false); // a new tag never is: it was given its version after it was asked for
    }
  });

  test('where tracking is refused, reads work at one round trip, and it is said once', async () => {
    const server = await aServer();
    await ask(server, (it) => it.acl('SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-client|tracking'));
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const target = `redis://plain:secret@127.0.0.1:${server.port}`;
    const { session, heard, name } = await aTrustedSession(target, { maxStale: delta });
    await until('it is said', () => warned.mock.calls.some(([text]) => /maxStale/.test(String(text))));
    await session.read('key', ['tag']);
    const read = await session.read('key', ['tag']);
    expect(read.watched).toBe(false);
    expect(heard.provenAt).toBe(Number.NEGATIVE_INFINITY);
    const other = await aTrustedSession(server.url, { name });
    const [raised] = await other.session.raise(['tag'], 1000);
    expect(await versionOf(session, 'tag')).toBe(raised);
    expect(JSON.stringify(warned.mock.calls)).not.toContain('secret');
  });

  test('a pair made from an instance of ioredis 5 hears the same', async () => {
    const instance = new Redis5(url, { lazyConnect: true, autoResubscribe: true, enableReadyCheck: true });
    onTestFinished(() => instance.disconnect());
    const { session, heard, name } = await aWatchingSession(instance, { maxStale: delta });
    const other = await aTrustedSession(url, { name });
    await watchedRead(session, ['with,comma']);
    heard.tags.length = 0;
    await other.session.raise(['with,comma'], 1000);
    await until('it is reported', () => heard.tags.includes('with,comma'));
  });

  describe('naive', () => {
    /** Tracking by hand: what was heard, and the two connections. */
    async function byHand(server: RedisServer, { subscribeFirst = true } = {}) {
      const open = () => {
        const client = new Redis6({ port: server.port, protocol: 2, retryStrategy: null });
        client.on('error', () => {});
        onTestFinished(() => client.disconnect());
        return client;
      };
      const [listener, reader] = [open(), open()];
      const heard: string[] = [];
      listener.on('messageBuffer', (_, keys) => heard.push(String(keys)));
      const id = await listener.client('ID');
      if (subscribeFirst) await listener.subscribe('__redis__:invalidate');
      await reader.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id);
      return { listener, reader, heard };
    }

    test('who asks only the listening connection does not learn that the server forgot what was read', async () => {
      const server = await aServer();
      const { listener, reader, heard } = await byHand(server);
      await reader.get('tag');
      await ask(server, async (it) => it.client('KILL', 'ID', await reader.client('ID')));
      await ask(server, (it) => it.set('tag', 'changed'));
      await listener.ping();
      expect(heard).toEqual([]); // the PONG is there, the report of the change is not
    });

    test('who asks for tracking before the channel is subscribed to hears nothing of what was read until then', async () => {
      const server = await aServer();
      const { listener, reader, heard } = await byHand(server, { subscribeFirst: false });
      await reader.get('tag');
      await ask(server, (it) => it.set('tag', 'changed'));
      await listener.subscribe('__redis__:invalidate');
      await listener.ping();
      expect(heard).toEqual([]);
    });

    test('who gives a tag its version by SET NX GET is not told of its change', async () => {
      const server = await aServer();
      const { listener, reader, heard } = await byHand(server);
      await reader.call('SET', 'tag', 'first', 'NX', 'GET');
      await ask(server, (it) => it.set('tag', 'changed'));
      await listener.ping();
      expect(heard).toEqual([]);
    });
  });

  test('after close nothing is heard, and no connection is left', async () => {
    const server = await aServer();
    const { session, heard } = await aWatchingSession(server.url, { name: randomUUID(), maxStale: 20 });
    await session.close();
    const { provenAt, losses } = heard;
    await until('the server has noticed', async () => (await clientsOf(server, /./)).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect({ provenAt: heard.provenAt, losses: heard.losses }).toEqual({ provenAt, losses });
  });
});
