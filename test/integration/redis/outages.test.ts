import { Redis as Redis6, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { RedisTarget } from '../../../adapters/redis/index.js';
import { StoreUnavailableError } from '../../../src/adapter/index.js';
import type { StoreSession } from '../../../src/core/store.js';
import { type RedisServer, startRedis } from '../../services/redis.js';
import { aSession, aTrustedSession, timed, unhandled, until, versionOf } from './a-session.js';

const bytes = new Uint8Array([1, 2, 3]);

/** Ways in which people have configured ioredis, for good reasons of their own. */
const habits: Record<string, RedisOptions> = {
  'the defaults of ioredis': {},
  "BullMQ's options": { maxRetriesPerRequest: null, enableReadyCheck: false },
  'enableAutoPipelining and a command time-out': { enableAutoPipelining: true, commandTimeout: 10_000 },
  'no reconnecting': { retryStrategy: () => null },
  'a retry strategy that throws': {
    retryStrategy: () => {
      throw new Error('from the retry strategy');
    },
  },
  'reconnecting and resending on every error': { reconnectOnError: () => 2 },
  lazyConnect: { lazyConnect: true },
};

/** Every call that can reject. */
function callsOf(session: StoreSession): Record<string, () => Promise<unknown>> {
  return {
    read: () => session.read('key', ['tag']),
    'a read of versions': () => session.read(undefined, ['tag']),
    write: () => session.write('key', bytes, 1000),
    raise: () => session.raise(['tag'], 100),
    lease: () => session.lease('key', 1000),
  };
}

async function expectRefusals(session: StoreSession, within: number): Promise<void> {
  for (const [what, call] of Object.entries(callsOf(session))) {
    const { error, took } = await timed(call());
    expect(error, what).toBeInstanceOf(StoreUnavailableError);
    expect(took, `${what} waits`).toBeLessThan(within);
  }
}

describe.skipIf(!inject('services').redis)('a Redis that is not there', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  describe.each([
    ['ioredis 5', Redis5],
    ['ioredis 6', Redis6],
  ] as const)('%s', (_, Redis) => {
    const instance = (options: RedisOptions): RedisTarget => {
      const redis = new (Redis as typeof Redis6)({ port: server.port, ...options } as never);
      redis.on('error', () => {});
      // The user's own connection is the user's: a strategy that throws would take this test down with it.
      if (options.retryStrategy) redis.disconnect();
      onTestFinished(() => redis.disconnect());
      return redis;
    };

    test.each(Object.keys(habits))('with %s: a Redis that hangs costs one time-out, then nothing', async (habit) => {
      const strays = unhandled();
      const { session } = await aTrustedSession(instance(habits[habit] as RedisOptions));
      await session.read('key', ['tag']);
      server.pause();
      onTestFinished(() => server.resume());
      const first = await timed(session.read('key', ['tag']));
      expect(first.error).toBeInstanceOf(StoreUnavailableError);
      expect(first.took).toBeLessThan(300);
      await until('it is known to be down', () => session.epoch === undefined);
      await expectRefusals(session, 20);
      server.resume();
      await until('it is trusted again', () => versionOf(session, 'tag'));
      expect(strays).toEqual([]);
    });

    test.each(Object.keys(habits))(
      'with %s: a Redis that is killed is refused at once, and found again',
      async (habit) => {
        const strays = unhandled();
        const { session, heard } = await aTrustedSession(instance(habits[habit] as RedisOptions));
        const before = session.epoch;
        const under = Object.values(callsOf(session)).map((call) => timed(call()));
        await server.kill();
        await Promise.all(under);
        await expectRefusals(session, 20);
        expect(session.epoch).toBeUndefined();
        await server.restart();
        await until('it is trusted again', () => versionOf(session, 'tag'));
        expect(session.epoch).not.toBe(before);
        expect(heard.losses).toBeGreaterThan(0);
        expect(heard.ups).toBeGreaterThan(1);
        expect(strays).toEqual([]);
      },
    );

    test('a session that is opened while Redis hangs waits once for its time, and works when Redis does', async () => {
      server.pause();
      onTestFinished(() => server.resume());
      const { session } = aSession(instance({}));
      const { error, took } = await timed(session.read('key', ['tag']));
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(took).toBeLessThan(200);
      await expectRefusals(session, 60);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await expectRefusals(session, 60);
      server.resume();
      await until('it is trusted', () => versionOf(session, 'tag'));
    });

    test('a session that is opened while Redis is down works when Redis does', async () => {
      const strays = unhandled();
      await server.kill();
      onTestFinished(() => server.restart()); // the others need it, whatever happens here
      const { session } = aSession(instance({}));
      const { error } = await timed(session.read('key', ['tag']));
      expect(error).toBeInstanceOf(StoreUnavailableError);
      await expectRefusals(session, 60);
      await server.restart();
      await until('it is trusted', () => versionOf(session, 'tag'));
      expect(strays).toEqual([]);
    });
  });

  test('the breaker opens within 600 ms of a hang and closes within 1.5 s of its end', async () => {
    const { session, heard } = await aTrustedSession(server.url);
    server.pause();
    onTestFinished(() => server.resume());
    const reading = setInterval(() => void session.read('key', ['tag']).catch(() => {}), 20);
    onTestFinished(() => clearInterval(reading));
    expect(await until('the breaker is open', () => heard.states.includes('open'))).toBeLessThan(600);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(session.epoch).toBeUndefined();
    server.resume();
    expect(await until('it is trusted again', () => session.epoch !== undefined)).toBeLessThan(1500);
    expect(heard.states.at(-1)).toBe('closed');
  });

  test('without use the heartbeat opens the breaker', async () => {
    const { heard } = await aTrustedSession(server.url);
    server.pause();
    onTestFinished(() => server.resume());
    expect(await until('the breaker is open', () => heard.states.includes('open'))).toBeLessThan(1700);
  });

  test('a process that was busy for longer than the time-out does not blame Redis', async () => {
    const { session, heard } = await aTrustedSession(server.url);
    for (let round = 0; round < 3; round++) {
      const read = session.read('key', ['tag']);
      await Promise.resolve(); // the request leaves at the end of this tick
      process.nextTick(() => {
        const end = performance.now() + 250;
        while (performance.now() < end);
      });
      await read;
    }
    expect(heard.states).toEqual([]);
  });

  test('requests beyond maxInFlight are refused, and none is kept waiting for its turn', async () => {
    const { session } = await aTrustedSession(server.url, { maxInFlight: 2, timeout: '1s' });
    server.pause();
    onTestFinished(() => server.resume());
    const ticks: Promise<{ error: unknown; took: number }>[] = [];
    for (let i = 0; i < 5; i++) {
      ticks.push(timed(session.read(`key ${i}`, [])));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const refused = await Promise.all(ticks.slice(2));
    for (const { error, took } of refused) {
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(took).toBeLessThan(100);
    }
    server.resume();
    for (const { error } of await Promise.all(ticks.slice(0, 2))) expect(error).toBeUndefined();
  });

  test('a session with much to do does not lose trust: its heartbeat needs no turn', async () => {
    const { session, heard } = await aTrustedSession(server.url, { maxInFlight: 1, timeout: '1s' });
    let over = false;
    const reading = (async () => {
      while (!over) {
        void session.read('key', []).catch(() => {});
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 2300));
    over = true;
    await reading;
    expect(heard.states).toEqual([]);
  });

  test('entries on their way are bounded by their bytes', async () => {
    const { session } = await aTrustedSession(server.url, { maxQueuedBytes: 1500 });
    const outcomes = await Promise.all(
      [1, 2, 3].map((n) => timed(session.write(`key ${n}`, new Uint8Array(700), 1000))),
    );
    expect(outcomes.map(({ error }) => error === undefined)).toEqual([true, true, false]);
    await session.write('later', new Uint8Array(1500), 1000);
  });
});
