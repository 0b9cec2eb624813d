import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { Lease, StoreSession } from '../../../src/core/store.js';
import { startProxy } from '../../services/proxy.js';
import { ask, startRedis } from '../../services/redis.js';
import { aTrustedSession, onEveryNode, timed, until } from './a-session.js';

const { redis, cluster } = inject('services');
const minute = 60_000;

describe.skipIf(!redis)('leases', () => {
  const url = redis?.url as string;

  test('a release wakes the waiters of other sessions long before their time', async () => {
    const a = await aTrustedSession(url);
    const b = await aTrustedSession(url, { name: a.name });
    const lease = await a.session.lease('key', minute);
    const waiting = Array.from({ length: 50 }, () => timed(b.session.released('key', minute)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    lease?.release();
    for (const { took } of await Promise.all(waiting)) expect(took).toBeLessThan(1000);
    expect(await b.session.lease('key', minute)).toBeDefined();
  });

  test('nobody is woken by the release of another key', async () => {
    const { session } = await aTrustedSession(url);
    const [one] = await Promise.all([session.lease('one', minute), session.lease('two', minute)]);
    const wait = timed(session.released('two', 300));
    await new Promise((resolve) => setTimeout(resolve, 50));
    one?.release();
    expect((await wait).took).toBeGreaterThan(250);
  });

  test('a zombie gives back nothing: its lease had run out and belongs to somebody else', async () => {
    const a = await aTrustedSession(url);
    const b = await aTrustedSession(url, { name: a.name });
    const old = await a.session.lease('key', 20);
    await until('it has run out', () => b.session.lease('key', minute));
    old?.release();
    for (let n = 0; n < 20; n++) expect(await a.session.lease('key', minute)).toBeUndefined();
  });

  test('a long lease is kept while its owner lives, and is free soon after he was gone without a word', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const proxy = await startProxy(server.port);
    onTestFinished(() => proxy.stop());
    const owner = await aTrustedSession(`redis://127.0.0.1:${proxy.port}`);
    const other = await aTrustedSession(server.url, { name: owner.name });
    expect(await owner.session.lease('key', minute)).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await other.session.lease('key', minute)).toBeUndefined();
    proxy.hold();
    const freed = timed(until('it is free', () => other.session.lease('key', minute)));
    expect((await freed).took).toBeLessThan(2500);
  }, 15_000);

  describe('whoever waits for an owner', () => {
    test('whose connection is closed gives back his lease, and one of all follows', async () => {
      const { owner, others, proxy, last } = await anOwner();
      expect(await owner.lease('key', minute)).toBeDefined();
      proxy.cut();
      await last(minute);
      expect(await follow(others, 10_000)).toHaveLength(1);
    });

    test('who only does not answer takes nothing from him', async () => {
      const { owner, others, proxy, last } = await anOwner();
      expect(await owner.lease('key', minute)).toBeDefined();
      proxy.hold();
      await last(minute);
      expect(await follow(others, 500)).toEqual([]);
    });

    test('who has renewed his lease himself takes nothing from him, though his connection is closed', async () => {
      const { owner, others, proxy } = await anOwner();
      const lease = await owner.lease('key', minute);
      expect(await lease?.renew(minute)).toBe(true);
      proxy.cut();
      expect(await follow(others, 500)).toEqual([]);
    });

    test('and may not ask for connections waits until the lease has ended', async () => {
      const { owner, others, proxy, server } = await anOwner(['-client|list']);
      expect(await owner.lease('key', minute)).toBeDefined();
      proxy.cut();
      expect(await follow(others, 10_000)).toHaveLength(1);
      const log = (await ask(server, (redis) => redis.call('ACL', 'LOG', '100'))) as unknown[][];
      const times = log.filter((entry) => entry.includes('client|list')).map((entry) => Number(entry[1]));
      expect(times).toHaveLength(1);
      // Each of the two asks once, however often it waits.
      expect(times[0]).toBeLessThanOrEqual(2);
    });
  });

  test('who has lost his lease does not prolong that of somebody else', async () => {
    const { owner, others, server, key } = await anOwner();
    expect(await owner.lease('key', minute)).toBeDefined();
    await ask(server, (it) => it.set(key, 'somebody else', 'PX', minute));
    // He does not know yet, and renews what he takes for his own.
    expect(await follow(others, 800)).toEqual([]);
    expect(await ask(server, (it) => it.pttl(key))).toBeGreaterThan(minute / 2);
  });

  test('a session that is closed gives back what it holds', async () => {
    const a = await aTrustedSession(url);
    const b = await aTrustedSession(url, { name: a.name });
    await a.session.lease('key', minute);
    await a.session.close();
    expect(await b.session.lease('key', minute)).toBeDefined();
  });

  test('a session that never waits has no second connection', async () => {
    const server = await startRedis();
    try {
      const { session } = await aTrustedSession(server.url);
      (await session.lease('key', minute))?.release();
      const list = await ask(server, (it) => it.client('LIST'));
      expect(String(list).trim().split('\n')).toHaveLength(2);
    } finally {
      await server.stop();
    }
  });

  test('when the connection of messages is lost, waits end by their time, and the next ones are woken again', async () => {
    const server = await startRedis();
    try {
      const { session } = await aTrustedSession(server.url);
      await session.lease('key', minute);
      await session.released('key', 50);
      await ask(server, (it) => it.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      expect((await timed(session.released('key', 100))).took).toBeLessThan(500);
      await until('messages come again', async () => {
        const lease = await session.lease('another', minute);
        const wait = timed(session.released('another', 400));
        setTimeout(() => lease?.release(), 100);
        return (await wait).took < 350;
      });
    } finally {
      await server.stop();
    }
  });
});

/** The session of an owner whose connections can be cut or held, and those of two others. */
async function anOwner(rules: readonly string[] = []) {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  await ask(server, (it) => it.call('ACL', 'SETUSER', 'some', 'on', '>secret', '~*', '&*', '+@all', ...rules));
  const proxy = await startProxy(server.port);
  onTestFinished(() => proxy.stop());
  const open = (port: number, settings = {}) =>
    aTrustedSession(`redis://some:secret@127.0.0.1:${port}`, { timeout: '1s', ...settings });
  const { session: owner, name } = await open(proxy.port);
  const others = [(await open(server.port, { name })).session, (await open(server.port, { name })).session];
  const key = `${name}:l:{${name}:e:key}`;
  /** From here on the lease would last so long, if nobody changed that. */
  const last = (ms: number) => ask(server, (it) => it.pexpire(key, ms));
  return { server, proxy, owner, others, key, last };
}

/** Waits and asks as a cache does, until one has the lease or the time is over; the leases that were had. */
async function follow(sessions: readonly StoreSession[], ms: number): Promise<readonly Lease[]> {
  const end = performance.now() + ms;
  const had: Lease[] = [];
  const strive = async (session: StoreSession) => {
    while (had.length === 0 && performance.now() < end) {
      await session.released('key', 25);
      const lease = await session.lease('key', minute);
      if (lease !== undefined) had.push(lease);
    }
  };
  await Promise.all(sessions.map(strive));
  return had;
}

describe.skipIf(!cluster)('leases in a Cluster', () => {
  test('a message reaches whoever waits, at whichever node', async () => {
    const { Cluster } = await import('ioredis');
    const made = new Cluster(cluster?.nodes ?? [], { lazyConnect: true });
    const a = await aTrustedSession(made);
    const b = await aTrustedSession(made, { name: a.name });
    for (let n = 0; n < 10; n++) {
      const lease = await a.session.lease(`key ${n}`, minute);
      const wait = timed(b.session.released(`key ${n}`, minute));
      setTimeout(() => lease?.release(), 50);
      expect((await wait).took).toBeLessThan(1000);
    }
    made.disconnect();
  });

  test('who waits on any node hears that an owner is gone', async () => {
    const { Cluster } = await import('ioredis');
    const made = new Cluster(cluster?.nodes ?? [], { lazyConnect: true });
    onTestFinished(() => made.disconnect());
    const a = await onEveryNode(aTrustedSession(made, { timeout: '1s' }));
    const b = await onEveryNode(aTrustedSession(made, { timeout: '1s', name: a.name }));
    for (let n = 0; n < 6; n++) {
      const key = `${a.name}:l:{${a.name}:e:key ${n}}`;
      await b.session.lease(`key ${n}`, minute);
      // What a process leaves behind that is gone: the number of a connection that nobody has any more.
      await made.set(key, `${'x'.repeat(16)}999999999`, 'PX', minute);
      await a.session.released(`key ${n}`, minute);
      await until('it is free', () => a.session.lease(`key ${n}`, minute));
    }
  });
});
