import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test, vi } from 'vitest';
import type { CacheEvents } from '../../../src/core/events.js';
import { Events, eventNames } from '../../../src/core/events.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, heard, processes, turns } from './a-cache.js';

const allTypes = [...eventNames];

describe('a read tells', () => {
  test('of a miss with its reason, of the load with its length, of a hit with its place and age', async () => {
    const { cache, clock } = aCache();
    const events = heard(cache, 'miss', 'load', 'hit');
    const read = () => cache.getOrSet({ key: ['user', 7], load: () => clock.advance(30) });
    await read();
    await clock.advance(100);
    await read();
    const key = expect.any(String);
    expect(events).toEqual([
      { type: 'load', key, name: 'user', duration: 30, stored: true, reason: 'nothing stored' },
      { type: 'miss', key, name: 'user', reason: 'nothing stored' },
      { type: 'hit', key, name: 'user', source: 'near', age: 100, stale: false },
    ]);
  });

  test('of a hit in the store', async () => {
    const { here, there } = processes();
    await here.set('a', 1);
    const events = heard(there, 'hit');
    await there.get('a');
    expect(events).toMatchObject([{ source: 'store', stale: false }]);
  });

  test('of an aged one that it is stale', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: '1h' });
    const events = heard(cache, 'hit');
    await cache.set('a', 1);
    await clock.advance(1000);
    await cache.getOrSet({ key: 'a', load: () => 2 });
    expect(events).toMatchObject([{ stale: true }]);
    await turns();
  });

  test('of a load that failed, with the error itself', async () => {
    const { cache } = aCache();
    const events = heard(cache, 'load', 'miss');
    const error = new Error('down');
    await cache.getOrSet({ key: 'a', load: () => Promise.reject(error) }).catch(() => {});
    expect(events).toMatchObject([{ type: 'load', stored: false, reason: 'it failed', error }]);
  });

  test('past the cache nothing of hits and misses', async () => {
    const { cache } = aCache({ mode: 'bypass' });
    const events = heard(cache, 'hit', 'miss');
    await cache.getOrSet({ key: 'a', load: () => 1 });
    expect(events).toEqual([]);
  });
});

test('a write that nobody waits for reports its error as an event', async () => {
  const store = faultyStore(memoryStore());
  const { cache } = aCache({ store });
  const events = heard(cache, 'error');
  const error = new Error('disk full');
  store.fail('write', error);
  expect(await cache.getOrSet({ key: 'a', load: () => 1 })).toBe(1);
  await turns();
  expect(events).toEqual([{ type: 'error', error }]);
});

test('what a store reports of its connections is handed on', () => {
  const shared = memoryStore();
  const store: typeof shared = {
    ...shared,
    open(context) {
      const session = shared.open(context);
      queueMicrotask(() => {
        context.listener.report({ type: 'breaker', node: 'a:6379', state: 'open' });
        context.listener.report({ type: 'error', error: 'lost' });
      });
      return session;
    },
  };
  const { cache } = aCache({ store });
  const events = heard(cache, 'breaker', 'error');
  return turns().then(() =>
    expect(events).toEqual([
      { type: 'breaker', node: 'a:6379', state: 'open' },
      { type: 'error', error: 'lost' },
    ]),
  );
});

test('values and arguments that are no part of the key are in no event', async () => {
  const store = faultyStore(memoryStore());
  const { cache, clock } = aCache({ store, ttl: 1000, swr: 1000, staleOnError: '1h' });
  const events = heard(cache, ...allTypes);
  const published: unknown[] = [];
  const listen = (message: unknown) => published.push(message);
  subscribe('unstale:cache', listen);
  const load = () => ({ password: 'secret' });
  await cache.getOrSet({ key: 'a', tags: ['t'], load });
  await cache.getOrSet({ key: 'a', tags: ['t'], load });
  await clock.advance(1500);
  await cache.getOrSet({ key: 'a', tags: ['t'], load });
  await turns();
  await cache.set('b', 'secret');
  await cache.getOrSetMany({ inputs: [1], key: (n) => ['n', n], load: () => ['secret'] });
  await cache.invalidate('t');
  store.corrupt((bytes) => bytes.subarray(1));
  await cache.get('b');
  unsubscribe('unstale:cache', listen);
  expect(events.length).toBeGreaterThan(5);
  expect(published).toHaveLength(events.length);
  expect(JSON.stringify([events, published])).not.toContain('secret');
});

describe('listeners', () => {
  test('hear nothing after they were taken off, others still do', async () => {
    const { cache } = aCache();
    const [one, two] = [vi.fn(), vi.fn()];
    const off = cache.on('invalidate', one);
    cache.on('invalidate', two);
    await cache.invalidate('t');
    off();
    off();
    await cache.invalidate('t');
    expect([one.mock.calls.length, two.mock.calls.length]).toEqual([1, 2]);
  });

  test('one that throws fails no read, and its error is not lost', async () => {
    const { cache } = aCache();
    const uncaught = new Promise((resolve) => {
      const before = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const listener of before) process.on('uncaughtException', listener);
        resolve(error);
      });
    });
    const error = new Error('in the listener');
    const next = vi.fn();
    cache.on('miss', () => {
      throw error;
    });
    cache.on('miss', next);
    expect(await cache.getOrSet({ key: 'a', load: () => 1 })).toBe(1);
    expect(next).toHaveBeenCalledTimes(1);
    expect(await uncaught).toBe(error);
  });

  test('of a namespace hear the whole cache', async () => {
    const { cache } = aCache();
    const events = heard(cache.namespace('n'), 'miss');
    await cache.getOrSet({ key: 'a', load: () => 1 });
    expect(events).toHaveLength(1);
  });

  test('cost a hit nothing when there are none', () => {
    const events = new Events('unstale');
    expect(allTypes.map((type) => events.hears(type))).toEqual(allTypes.map(() => false));
    const off = events.on('hit', () => {});
    expect([events.hears('hit'), events.hears('miss')]).toEqual([true, false]);
    off();
    expect(events.hears('hit')).toBe(false);
  });
});

test('everything also goes to the diagnostics channel, with the name of the cache', async () => {
  const { cache } = aCache({ name: 'orders' });
  const messages: (CacheEvents['hit'] & { cache: string; type: string })[] = [];
  const listen = (message: unknown) => messages.push(message as (typeof messages)[number]);
  subscribe('unstale:cache', listen);
  await cache.getOrSet({ key: 'a', load: () => 1 });
  await cache.getOrSet({ key: 'a', load: () => 1 });
  await cache.invalidate('t');
  unsubscribe('unstale:cache', listen);
  await cache.invalidate('t');
  expect(messages.map(({ cache: of, type }) => `${of} ${type}`)).toEqual([
    'orders load',
    'orders miss',
    'orders hit',
    'orders invalidate',
  ]);
  expect(channel('unstale:cache').hasSubscribers).toBe(false);
});
