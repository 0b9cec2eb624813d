import { describe, expect, test } from 'vitest';
import { notConnected } from '../../../src/core/not-connected.js';
import { type Attached, portOf } from '../../../src/core/port.js';
import { createCache } from '../../../src/create-cache.js';
import { InvalidationPendingError, StoreUnavailableError } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, counting, deferred, heard, now, processes, turns } from './a-cache.js';
import { portIn } from './strict-world.js';

const strict = { strict: true, ttl: '1m' } as const;

/** A cache out of its first quarantine, which has stored one value under `tag`. */
async function aStrictCache(options: Parameters<typeof processes>[0] = {}) {
  const { clock, here } = processes({ count: 1, ...strict, ...options });
  const load = counting();
  const read = (more = {}) => here.getOrSet({ key: ['k'], tags: ['tag'], load, ...more });
  await read();
  await turns();
  const port = portIn(here);
  return { clock, cache: here, load, read, port, fence: (owner = 'a') => port.fence(['tag'], owner, 5000) };
}

describe('while its tag is fenced, a value', () => {
  test('is loaded, and not stored', async () => {
    const { read, fence } = await aStrictCache();
    expect(await read()).toBe(1);
    await fence();
    expect([await read(), await read()]).toEqual([2, 3]);
  });

  test('is loaded once for all who ask at the same time', async () => {
    const { cache, fence } = await aStrictCache();
    await fence();
    const gate = deferred<number>();
    let loads = 0;
    const read = () =>
      cache.getOrSet({
        key: ['slow'],
        tags: ['tag'],
        load: () => {
          loads++;
          return gate.promise;
        },
      });
    const all = [read(), read(), read(), read()];
    await turns();
    gate.resolve(1);
    await Promise.all(all);
    // One for who came first, one for those who came before it had landed and may not have what it brought.
    expect(loads).toBeLessThanOrEqual(2);
  });

  test('is not served although it has aged, nor instead of a load that fails or takes long', async () => {
    const { clock, read, fence } = await aStrictCache({ swr: '1h', staleOnError: '1h' });
    await clock.advance(70_000);
    await fence();
    const failing = async () => {
      throw new Error('the database is down');
    };
    await expect(read({ load: failing })).rejects.toThrow('the database is down');
    const slow = read({ load: () => new Promise(() => {}), timeout: { soft: 10, hard: 1000 } });
    slow.catch(() => {});
    await clock.advance(20);
    expect(await now(slow)).toBe('waits');
    await clock.advance(1000);
    await expect(slow).rejects.toThrow('took longer');
  });

  test('is served to those who tolerate it', async () => {
    const { read, fence } = await aStrictCache();
    await fence();
    expect(await read({ tolerate: '1m' })).toBe(1);
    // What replaces it is loaded, and lands nowhere.
    await turns();
  });

  test('is not made part of another one', async () => {
    const { cache, read, fence, port } = await aStrictCache();
    const outer = () => cache.getOrSet({ key: ['outer'], load: async () => `<${await read()}>` });
    expect(await outer()).toBe('<1>');
    await fence();
    expect(await outer()).toBe('<2>');
    await port.acknowledge(['tag'], undefined, 'a');
    expect(await outer()).toBe('<3>');
    expect(await outer()).toBe('<3>');
  });

  test('is not what a list of reads gets', async () => {
    const { cache, fence } = await aStrictCache();
    const load = counting();
    const many = () =>
      cache.getOrSetMany({
        ...{ inputs: [1, 2], key: (id: number) => ['one', id], tags: () => ['tag'] },
        load: (ids: readonly number[]) => Promise.all(ids.map(load)),
      });
    await many();
    await many();
    expect(load).toHaveBeenCalledTimes(2);
    await fence();
    await many();
    await many();
    expect(load).toHaveBeenCalledTimes(6);
  });

  test('is not stored by `set`', async () => {
    const { cache, fence, port } = await aStrictCache();
    const since = await cache.snapshot('tag');
    await cache.set(['put'], 'before', { since });
    expect(await cache.get(['put'])).toBe('before');
    await fence();
    await cache.set(['put'], 'during', { since: await cache.snapshot('tag') });
    expect(await cache.get(['put'])).toBe(undefined);
    await port.acknowledge(['tag'], undefined, 'a');
    expect(await cache.get(['put'])).toBe(undefined);
  });

  test('is loaded without waiting for those who load it elsewhere', async () => {
    const { clock, caches } = processes({ ...strict, count: 2 });
    const [here, there] = caches as [(typeof caches)[0], (typeof caches)[0]];
    for (const cache of caches) await cache.getOrSet({ key: ['other'], load: async () => 1 });
    await portIn(here).fence(['tag'], 'a', 5000);
    const gate = deferred<string>();
    const slow = here.getOrSet({ key: ['k'], tags: ['tag'], load: () => gate.promise });
    await turns();
    expect(await now(there.getOrSet({ key: ['k'], tags: ['tag'], load: async () => 'there' }))).toBe('there');
    gate.resolve('here');
    expect(await slow).toBe('here');
    void clock;
  });

  test('is said to be written, by `explain` and by the events', async () => {
    const { cache, read, fence } = await aStrictCache();
    const events = heard(cache, 'miss', 'load');
    await fence();
    await read();
    expect(events.map(({ reason }) => reason)).toEqual(["'tag' is being written", "'tag' is being written"]);
    const { text, served } = await cache.explain(['k']);
    expect(text).toContain("a load would not be stored now: 'tag' is being written");
    expect(text).not.toContain('ended by a change');
    expect(served).toBe(false);
  });
});

test('a version read twice under one fence is not the same one: between the two a COMMIT may lie', async () => {
  const { cache, fence } = await aStrictCache();
  await fence();
  const { session } = (cache as unknown as { parts: { session: import('../../../src/index.js').StoreSession } }).parts;
  const ask = async () => (await session.read(undefined, ['tag', 'other', 'tag'])).versions;
  const [first, second] = [await ask(), await ask()];
  expect(first[0]).toBe(first[2]);
  expect(first[0]).not.toBe(second[0]);
  expect(first[1]).toBe(second[1]);
});

describe('in a quarantine', () => {
  const quiet = () => {
    const open = deferred<void>();
    const client: Attached = { database: 'shop', unitOf: () => undefined, quiet: () => open.promise };
    return { client, end: open.resolve, fail: open.reject };
  };

  test('nothing is served or stored, until every database has said that it may be', async () => {
    const { cache, read, load, port } = await aStrictCache();
    const [one, two] = [quiet(), quiet()];
    port.attach(one.client);
    port.attach({ ...two.client, database: 'other' });
    expect([await read(), await read()]).toEqual([2, 3]);
    one.end();
    await turns();
    expect(await read()).toBe(4);
    expect((await cache.explain(['k'])).text).toContain('quarantine');
    two.end();
    await turns();
    await read();
    await read();
    // What was stored before counts again: its versions are what they were.
    expect(load).toHaveBeenCalledTimes(4);
  });

  test('a database that does not answer is asked again', async () => {
    const { clock, cache, read, load, port } = await aStrictCache();
    const errors = heard(cache, 'error');
    const asked = [quiet(), quiet()];
    let asks = 0;
    port.attach({ ...asked[0]!.client, quiet: () => asked[asks++]!.client.quiet!() });
    await read();
    asked[0]!.fail(new Error('gone'));
    await turns();
    expect(errors).toMatchObject([{ error: { message: 'gone' } }]);
    await read();
    await clock.advance(1000);
    asked[1]!.end();
    await turns();
    await read();
    await read();
    expect(load).toHaveBeenCalledTimes(3);
  });

  test('a new loss begins another, and the answer to the first says nothing', async () => {
    const store = memoryStore();
    const { read, load, port } = await aStrictCache({ store });
    const asked = [quiet(), quiet()];
    let asks = 0;
    port.attach({ ...asked[0]!.client, quiet: () => asked[asks++]!.client.quiet!() });
    await read();
    store.lose();
    await read();
    asked[0]!.end();
    await turns();
    expect(await read()).toBe(4);
    asked[1]!.end();
    await turns();
    await read();
    await read();
    expect(load).toHaveBeenCalledTimes(5);
  });
});

describe('a fence', () => {
  test('that was not confirmed is none, and what came of it is taken back', async () => {
    const store = faultyStore(memoryStore());
    const { clock, cache, read, fence } = await aStrictCache({ store });
    // It is carried out, and the answer is lost.
    const fences = store.hold('fence', 'reply');
    const fencing = fence().catch((error: unknown) => error);
    await fences.arrived();
    expect((await cache.explain(['k'])).text).toContain('is being written');
    await clock.advance(1000);
    expect(await fencing).toBeInstanceOf(StoreUnavailableError);
    await turns();
    expect((await cache.explain(['k'])).text).not.toContain('is being written');
    expect(await read()).toBe(await read());
  });

  test('is lifted later when its acknowledgement was not confirmed', async () => {
    const store = faultyStore(memoryStore());
    const { clock, cache, fence, port } = await aStrictCache({ store, onUnacknowledged: 'throw' });
    await fence();
    store.down();
    await expect(port.acknowledge(['tag'], undefined, 'a')).rejects.toThrow(InvalidationPendingError);
    port.fenceEnded('a', true);
    store.up();
    expect((await cache.explain(['k'])).text).toContain('is being written');
    await clock.advance(2500);
    expect((await cache.explain(['k'])).text).not.toContain('is being written');
  });
});

describe('options', () => {
  test.each([
    [{ strict: true }, 'Expected a `store` beside `strict: true`, got none'],
    [{ strict: 'yes' }, 'Expected `strict` to be true or false, got "yes" (string)'],
    [{ strict: true, store: memoryStore(), maxStale: '1s' }, 'Expected `maxStale` to be 0 beside `strict: true`'],
    [{ onFenceUnavailable: 'wait' }, "Expected `onFenceUnavailable` to be 'refuse' or 'degrade', got \"wait\""],
  ])('%o are refused', (options, message) => {
    expect(() => createCache(options as never)).toThrow(message);
    expect(() => createCache(options as never)).toThrow(TypeError);
  });

  test('a store without fences is refused', () => {
    const inner = memoryStore();
    const store = {
      kind: 'plain',
      open: (context: Parameters<typeof inner.open>[0]) =>
        new Proxy(inner.open(context), {
          get: (session, name) => {
            const value = name === 'fence' ? undefined : Reflect.get(session, name);
            return typeof value === 'function' ? value.bind(session) : value;
          },
        }),
    };
    expect(() => createCache({ store, strict: true })).toThrow('Expected `store` to be one that has fences');
  });

  test('a cache that is not strict tells its adapters so', () => {
    const { cache } = aCache();
    expect((cache as unknown as { [portOf]: { safety: object } })[portOf].safety).toMatchObject({ strict: false });
  });
});

describe('a quarantine', () => {
  test('says nothing of a client that is not connected yet, and once for each cause why it lasts', async () => {
    const { clock, cache, read, port } = await aStrictCache();
    const errors = heard(cache, 'error');
    let why: Error | undefined = notConnected;
    const quiet = async () => {
      if (why !== undefined) throw why;
    };
    port.attach({ database: 'shop', unitOf: () => undefined, quiet });
    await read();
    await clock.advance(5000);
    expect(errors).toEqual([]);
    why = new Error('the server is gone');
    await clock.advance(5000);
    expect(errors.map(({ error }) => error)).toEqual([why]);
    why = undefined;
    await clock.advance(1001);
    const value = await read();
    await turns();
    expect(await read()).toBe(value);
  });
});
