import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startProxy } from '../../services/proxy.js';
import { ask, startRedis } from '../../services/redis.js';
import { aTrustedSession, timed, until } from './a-session.js';

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
    expect((await freed).took).toBeLessThan(3500);
  }, 15_000);

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
});
