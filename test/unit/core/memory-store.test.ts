import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../../src/core/memory-store.js';
import type { StoreSession } from '../../../src/core/store.js';
import { type FakeClock, fakeClock } from '../../../src/testing/index.js';
import { quiet, recorder } from '../testing/listeners.js';

// What every store does is in test/contract/memory.test.ts; here is what this one does beyond that.

function aSession(
  store = memoryStore(),
  { name = 'cache', clock = fakeClock(), listener = quiet, maxStale = 0, strict = false } = {},
) {
  return store.open({ name, clock, listener, maxStale, strict });
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const versionOf = async (session: StoreSession, tag: string) => (await session.read(undefined, [tag])).versions[0];

describe('memoryStore', () => {
  test('a dropped version is replaced by one that never existed, and those who remember it are told', async () => {
    const store = memoryStore({ maxVersions: 2 });
    const listener = recorder();
    const session = aSession(store, { listener });
    const first = await versionOf(session, 'a');
    await session.read(undefined, ['b', 'c']);
    expect(listener.heard).toContain('changed a');
    const second = await versionOf(session, 'a');
    expect(second).not.toBe(first);
    await session.read(undefined, ['b', 'c']);
    expect([first, second]).not.toContain(await versionOf(session, 'a'));
  });

  test('a read of more tags than there is room for has versions for all of them, none used before or after', async () => {
    const session = aSession(memoryStore({ maxVersions: 3 }));
    const tags = Array.from({ length: 50 }, (_, index) => `tag ${index}`);
    const all = [...(await session.read(undefined, tags)).versions, ...(await session.read(undefined, tags)).versions];
    expect(new Set(all).size).toBe(100);
  });

  test('the longest unused entry is dropped', async () => {
    const session = aSession(memoryStore({ maxEntries: 2 }));
    await session.write('a', bytes(1), 1000);
    await session.write('b', bytes(2), 1000);
    await session.read('a', []);
    await session.write('c', bytes(3), 1000);
    const kept = await Promise.all(
      ['a', 'b', 'c'].map(async (key) => (await session.read(key, [])).entry !== undefined),
    );
    expect(kept).toEqual([true, false, true]);
  });

  test('entries end by the clock, to the millisecond', async () => {
    const clock = fakeClock();
    const session = aSession(memoryStore(), { clock });
    await session.write('key', bytes(1), 100);
    await clock.advance(99);
    expect((await session.read('key', [])).entry).toEqual(bytes(1));
    await clock.advance(1);
    expect((await session.read('key', [])).entry).toBeUndefined();
  });

  test('ages go by the clock of the first session of a name, whatever clock the others have', async () => {
    const store = memoryStore();
    const clocks = [fakeClock(1000), fakeClock(5)] as const;
    const [first, second] = clocks.map((clock) => aSession(store, { clock })) as [StoreSession, StoreSession];
    expect([first.now(), second.now()]).toEqual([1000, 1000]);
    expect((await second.read(undefined, [])).sentAt).toBe(5);
    expect(aSession(store, { name: 'another', clock: clocks[1] }).now()).toBe(5);
  });

  test('everything is proven from the start, and the others hear of a raise before it resolves', async () => {
    const store = memoryStore();
    const [here, there] = [recorder(), recorder()];
    const session = aSession(store, { listener: here, maxStale: 1000 });
    aSession(store, { listener: there, maxStale: 0 });
    aSession(store, { name: 'another', listener: quiet });
    expect(here.heard).toEqual(['proven Infinity']);
    const raised = session.raise(['a', 'b', 'a'], 1000);
    expect(there.heard).toEqual(['proven Infinity', 'changed a', 'changed b']);
    expect(here.heard).toEqual(['proven Infinity']);
    expect(await raised).toHaveLength(3);
    expect((await session.read(undefined, [])).watched).toBe(true);
  });

  test('a loss gives a new epoch, ends leases, and is proven again as soon as it is told', async () => {
    const store = memoryStore();
    const listener = recorder();
    const session = aSession(store, { listener });
    const { epoch } = session;
    await session.write('key', bytes(1), 1000);
    await session.lease('key', 1000);
    store.lose();
    expect(listener.heard).toEqual(['proven Infinity', 'lost', 'proven Infinity']);
    expect(session.epoch).not.toBe(epoch);
    expect((await session.read('key', [])).entry).toBeUndefined();
    expect(await session.lease('key', 1000)).toBeDefined();
  });

  test('the way back restores versions and entries as they were, under another epoch', async () => {
    const store = memoryStore();
    const session = aSession(store);
    const before = await session.read('key', ['tag']);
    await session.write('key', bytes(1), 1000);
    const goBack = store.remember();
    const [raised] = await session.raise(['tag'], 1000);
    await session.write('key', bytes(2), 1000);
    goBack();
    const after = await session.read('key', ['tag']);
    expect(after.versions).toEqual(before.versions);
    expect(after.entry).toEqual(bytes(1));
    expect(after.epoch).not.toBe(before.epoch);
    expect((await session.raise(['tag'], 1000))[0]).not.toBe(raised);
  });

  test('reach is the largest maxStale of those who are there', async () => {
    const store = memoryStore();
    const session = aSession(store, { maxStale: 100 });
    const other = aSession(store, { maxStale: 700 });
    expect(await session.reach()).toBe(700);
    await other.close();
    expect(await session.reach()).toBe(100);
  });

  test('an entry that is too large is refused', async () => {
    const session = aSession();
    await expect(session.write('key', new Uint8Array(session.maxEntryBytes + 1), 1000)).rejects.toThrow(TypeError);
  });

  test('after close no timer is left, whatever was under way', async () => {
    const store = memoryStore();
    const clock: FakeClock = fakeClock();
    const [one, two] = [aSession(store, { clock }), aSession(store, { clock })];
    await one.lease('a', 1000);
    await two.lease('b', 1000);
    const waits = [two.released('a', 5000), one.released('b', 5000)];
    expect(clock.pending).toBe(4);
    await one.close();
    await two.close();
    await Promise.all(waits);
    expect(clock.pending).toBe(0);
  });

  test('a wait ends when the lease ends by itself', async () => {
    const clock = fakeClock();
    const session = aSession(memoryStore(), { clock });
    await session.lease('key', 100);
    let woken = false;
    void session.released('key', 5000).then(() => {
      woken = true;
    });
    await clock.advance(99);
    expect(woken).toBe(false);
    await clock.advance(1);
    expect(woken).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test.each([[0], [-1], [1.5], [Number.NaN], ['many']])('cannot keep %o entries', (count) => {
    expect(() => memoryStore({ maxEntries: count as number })).toThrow(
      'Expected `maxEntries` to be a whole number of at least 1',
    );
    expect(() => memoryStore({ maxVersions: count as number })).toThrow(TypeError);
  });
});

describe('fences of memoryStore', () => {
  test('a fenced tag that is dropped for room comes back fenced', async () => {
    const session = aSession(memoryStore({ maxVersions: 2 }), { strict: true });
    await session.fence?.(['fenced'], 'owner', 1000, 1000);
    await session.read(undefined, ['a', 'b', 'c']);
    expect(await versionOf(session, 'fenced')).toMatch(/^f/);
    await session.raise(['fenced'], 1000, 'owner');
    expect(await versionOf(session, 'fenced')).toMatch(/^v/);
  });

  test('everybody hears of a fence, also who has placed it: what he remembers holds no longer', async () => {
    const store = memoryStore();
    const [own, others] = [recorder(), recorder()];
    const session = aSession(store, { listener: own, strict: true });
    aSession(store, { listener: others, strict: true });
    await session.fence?.(['tag', 'tag'], 'owner', 1000, 1000);
    for (const { heard } of [own, others]) expect(heard.filter((it) => it === 'changed tag')).toHaveLength(1);
  });

  test('a snapshot is not changed by what happens to fences after it', async () => {
    const clock = fakeClock();
    const store = memoryStore();
    const session = aSession(store, { clock, strict: true });
    await session.fence?.(['tag'], 'before', 1000, 1000);
    const goBack = store.remember();
    for (let round = 0; round < 2; round++) {
      await session.fence?.(['tag'], 'after', 1000, 1000);
      await session.raise(['tag'], 1000, 'before');
      goBack();
      await clock.advance(1000);
      expect(await session.expired?.(['tag'])).toEqual([['before']]);
    }
  });

  test('who differs is told after open has returned, and not at all when he has gone by then', async () => {
    const store = memoryStore();
    aSession(store, { strict: true });
    const [stays, goes] = [recorder(), recorder()];
    const refused = aSession(store, { listener: stays });
    expect(stays.heard).toEqual([]);
    await aSession(store, { listener: goes }).close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(stays.heard).toEqual(['report error']);
    expect(goes.heard).toEqual([]);
    expect(refused.epoch).toBeUndefined();
    await expect(refused.read(undefined, ['tag'])).rejects.toThrow(/'cache' is strict .*without `strict: true`/);
  });
});
