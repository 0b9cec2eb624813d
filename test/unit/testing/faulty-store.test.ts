import { describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../../src/core/errors.js';
import type { Store } from '../../../src/core/store.js';
import { fakeClock, faultyStore, memoryStore } from '../../../src/testing/index.js';
import { quiet, recorder } from './listeners.js';

function aPair(faults = {}) {
  const clock = fakeClock();
  const shared = memoryStore();
  const store = faultyStore(shared, faults);
  const listener = recorder();
  const session = store.open({ name: 'cache', clock, maxStale: 1000, strict: false, listener });
  const other = shared.open({ name: 'cache', clock, maxStale: 1000, strict: false, listener: quiet });
  return { clock, shared, store, session, other, listener };
}

/** Whether a promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise((resolve) => setImmediate(() => resolve('not yet')));
  return (await Promise.race([promise.catch(() => 'rejected'), turn])) !== 'not yet';
}

const bytes = Uint8Array.of(1, 2, 3);

describe('a held call', () => {
  test('is not carried out before it is released, when its request is held', async () => {
    const { store, session, other } = aPair();
    const [before] = (await other.read(undefined, ['tag'])).versions;
    const held = store.hold('raise');
    const raise = session.raise(['tag'], 1000);
    await held.arrived();
    expect(held.waiting).toBe(1);
    expect((await other.read(undefined, ['tag'])).versions).toEqual([before]);
    held.release();
    expect(await raise).toEqual((await other.read(undefined, ['tag'])).versions);
    expect(await settled(session.raise(['tag'], 1000))).toBe(true);
  });

  test('was carried out, and its answer is old, when its reply is held', async () => {
    const { store, session, other } = aPair();
    const held = store.hold('read', 'reply');
    const read = session.read(undefined, ['tag']);
    await held.arrived();
    const [raised] = await other.raise(['tag'], 1000);
    expect(await settled(read)).toBe(false);
    held.release();
    expect((await read).versions).not.toEqual([raised]);
  });

  test('says when its request was sent, not when it was let go', async () => {
    const { store, session, clock } = aPair();
    const held = store.hold('read');
    const read = session.read(undefined, ['tag']);
    await clock.advance(500);
    held.release();
    expect((await read).sentAt).toBe(0);
  });

  test('leaves calls of other kinds alone', async () => {
    const { store, session } = aPair();
    store.hold('read');
    await session.raise(['tag'], 1000);
    await session.write('key', bytes, 1000);
    expect(await session.lease('key', 1000)).toBeDefined();
  });

  test('passes each of several holds in turn', async () => {
    const { store, session } = aPair();
    const [request, reply] = [store.hold('read'), store.hold('read', 'reply')];
    const read = session.read(undefined, ['tag']);
    await request.arrived();
    request.release();
    await reply.arrived();
    expect(await settled(read)).toBe(false);
    reply.release();
    expect(await settled(read)).toBe(true);
  });

  test('does not wait for a hold that was released while it was held elsewhere', async () => {
    const { store, session } = aPair();
    const [first, second] = [store.hold('read'), store.hold('read')];
    const read = session.read(undefined, ['tag']);
    await first.arrived();
    second.release();
    first.release();
    expect(await settled(read)).toBe(true);
  });

  test('calls are let go in the order in which they came', async () => {
    const { store, session } = aPair();
    const held = store.hold('raise');
    const order: string[] = [];
    const raises = ['a', 'b', 'c'].map((tag) => session.raise([tag], 1000).then(() => order.push(tag)));
    await held.arrived(3);
    held.release();
    await Promise.all(raises);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  test('that is a raise rejects after its time-out, and is carried out late', async () => {
    const { store, session, other, clock } = aPair();
    const [before] = (await other.read(undefined, ['tag'])).versions;
    const held = store.hold('raise');
    const raise = session.raise(['tag'], 200);
    raise.catch(() => {});
    await clock.advance(199);
    expect(await settled(raise)).toBe(false);
    await clock.advance(1);
    await expect(raise).rejects.toThrow('no answer to a raise within 200 ms');
    held.release();
    await clock.advance(0);
    expect((await other.read(undefined, ['tag'])).versions).not.toEqual([before]);
    expect(clock.pending).toBe(0);
  });

  test('that is late is not carried out any more when the connection is cut', async () => {
    const { store, session, other, clock } = aPair();
    const [before] = (await other.read(undefined, ['tag'])).versions;
    const held = store.hold('raise');
    const raise = session.raise(['tag'], 200);
    raise.catch(() => {});
    await clock.advance(200);
    store.down();
    store.up();
    held.release();
    await clock.advance(0);
    expect((await other.read(undefined, ['tag'])).versions).toEqual([before]);
  });

  test('that is a read rejects after the time-out of the faults, if they have one', async () => {
    const { store, session, clock } = aPair({ timeout: 100 });
    store.hold('read');
    const read = session.read('key', []);
    read.catch(() => {});
    await clock.advance(100);
    await expect(read).rejects.toThrow(StoreUnavailableError);
  });

  test('whose session is closed rejects and is never carried out', async () => {
    const { store, session, other } = aPair();
    const [before] = (await other.read(undefined, ['tag'])).versions;
    const held = store.hold('raise');
    const raise = session.raise(['tag'], 1000);
    raise.catch(() => {});
    await held.arrived();
    await session.close();
    await expect(raise).rejects.toThrow(StoreUnavailableError);
    expect(held.waiting).toBe(0);
    held.release();
    expect((await other.read(undefined, ['tag'])).versions).toEqual([before]);
  });
});

describe('a failing call', () => {
  test('rejects with the given error, is not carried out, and works again afterwards', async () => {
    const { store, session, other } = aPair();
    const error = new Error('READONLY');
    const mend = store.fail('write', error);
    await expect(session.write('key', bytes, 1000)).rejects.toBe(error);
    expect((await other.read('key', [])).entry).toBeUndefined();
    mend();
    await session.write('key', bytes, 1000);
    expect((await other.read('key', [])).entry).toEqual(bytes);
  });

  test('rejects with StoreUnavailableError when no error is given', async () => {
    const { store, session } = aPair();
    store.fail('raise');
    await expect(session.raise(['tag'], 1000)).rejects.toThrow(StoreUnavailableError);
  });
});

describe('a store that is down', () => {
  test('has no epoch, rejects every call at once and takes no kindness', async () => {
    const { store, session, other, clock } = aPair();
    await session.write('key', bytes, 1000);
    store.down();
    expect(session.epoch).toBeUndefined();
    for (const call of [
      session.read('key', ['tag']),
      session.write('key', bytes, 1000),
      session.raise(['tag'], 1000),
      session.lease('key', 1000),
      session.reach(),
    ])
      await expect(call).rejects.toThrow(StoreUnavailableError);
    session.remove('key');
    expect((await other.read('key', [])).entry).toEqual(bytes);
    const waiting = session.released('key', 100);
    expect(await settled(waiting)).toBe(false);
    await clock.advance(100);
    await waiting;
    store.up();
    expect(session.epoch).toBe(other.epoch);
    expect((await session.read('key', [])).entry).toEqual(bytes);
  });

  test('says so to its listeners, is silent, and proves anew when it is up', async () => {
    const { store, other, listener, shared } = aPair();
    expect(listener.heard.splice(0)).toEqual(['proven Infinity']);
    store.down();
    store.down();
    await other.raise(['tag'], 1000);
    shared.lose();
    expect(listener.heard.splice(0)).toEqual(['lost']);
    store.up();
    store.up();
    expect(listener.heard.splice(0)).toEqual(['lost', 'proven Infinity', 'up']);
    await other.raise(['tag'], 1000);
    expect(listener.heard).toEqual(['changed tag']);
  });

  test('loses the calls that are under way: a held request is never carried out, a held reply never heard', async () => {
    const { store, session, other } = aPair();
    const [before] = (await other.read(undefined, ['a'])).versions;
    const [request, reply] = [store.hold('raise'), store.hold('write', 'reply')];
    const calls = [session.raise(['a'], 1000), session.write('key', bytes, 1000)];
    await Promise.all([request.arrived(), reply.arrived()]);
    store.down();
    for (const call of calls) await expect(call).rejects.toThrow('its connection was cut');
    store.up();
    request.release();
    reply.release();
    expect((await other.read('key', ['a'])).versions).toEqual([before]);
    expect((await other.read('key', ['a'])).entry).toEqual(bytes);
  });

  test('can be so from the start, and for one process alone', async () => {
    const { session, other } = aPair({ down: true });
    await expect(session.read('key', [])).rejects.toThrow(StoreUnavailableError);
    expect((await other.read('key', [])).versions).toEqual([]);
  });

  test('does not hear that a lease is given back', async () => {
    const { store, session, other } = aPair();
    const lease = await session.lease('key', 1000);
    store.down();
    lease?.release();
    expect(await other.lease('key', 1000)).toBeUndefined();
  });
});

describe('other faults', () => {
  test('a delay holds every call for so long, by the clock', async () => {
    const { store, session, clock } = aPair({ delay: 50 });
    const read = session.read('key', []);
    await clock.advance(49);
    expect(await settled(read)).toBe(false);
    await clock.advance(1);
    expect(await settled(read)).toBe(true);
    store.delay(0);
    expect(await settled(session.read('key', []))).toBe(true);
  });

  test('a skew moves now() alone', async () => {
    const { store, session, other } = aPair({ skew: 5000 });
    expect(session.now() - other.now()).toBe(5000);
    store.skew(-100);
    expect(session.now() - other.now()).toBe(-100);
    expect((await session.read('key', [])).sentAt).toBe(0);
  });

  test('corrupt changes what is read, not what is kept', async () => {
    const { store, session, other } = aPair();
    await session.write('key', bytes, 1000);
    store.corrupt((read) => read.subarray(1));
    expect((await session.read('key', [])).entry).toEqual(bytes.subarray(1));
    expect((await session.read('no such key', [])).entry).toBeUndefined();
    expect((await other.read('key', [])).entry).toEqual(bytes);
    store.corrupt(undefined);
    expect((await session.read('key', [])).entry).toEqual(bytes);
  });

  test('a loss empties the store behind', async () => {
    const { store, session, other, listener } = aPair();
    await session.write('key', bytes, 1000);
    const { epoch } = session;
    store.lose();
    expect((await other.read('key', [])).entry).toBeUndefined();
    expect(session.epoch).not.toBe(epoch);
    expect(listener.heard).toContain('lost');
  });

  test('a loss of a store that cannot be emptied is only told', () => {
    const { kind, open } = memoryStore();
    const plain: Store = { kind, open };
    const store = faultyStore(plain);
    const listener = recorder();
    store.open({ name: 'cache', clock: fakeClock(), maxStale: 0, strict: false, listener });
    store.lose();
    expect(listener.heard).toEqual(['proven Infinity', 'lost']);
  });

  test.each([
    [{ delay: -1 }, 'delay'],
    [{ delay: Number.NaN }, 'delay'],
    [{ skew: Number.POSITIVE_INFINITY }, 'skew'],
    [{ timeout: -1 }, 'timeout'],
  ])('%o is refused', (faults, name) => {
    expect(() => faultyStore(memoryStore(), faults)).toThrow(`Expected \`${name}\` to be`);
  });
});

describe('fences', () => {
  function strictly() {
    const [clock, shared] = [fakeClock(), memoryStore()];
    const store = faultyStore(shared);
    const open = (it: Store) => it.open({ name: 'cache', clock, maxStale: 0, strict: true, listener: quiet });
    return { clock, store, session: open(store), other: open(shared) };
  }
  const versionOf = async (session: ReturnType<Store['open']>) => (await session.read(undefined, ['tag'])).versions[0];

  test('are placed and let go by way of the faulty store, which writes down in whose name', async () => {
    const { store, session, other } = strictly();
    await session.fence?.(['tag'], 'owner', 1000, 1000);
    expect(await versionOf(other)).toMatch(/^f/);
    expect(await session.expired?.(['tag'])).toEqual([[]]);
    await session.raise(['tag'], 1000, 'owner');
    expect(await versionOf(other)).toMatch(/^v/);
    expect(store.calls.map(({ operation, tags, owner }) => [operation, tags, owner])).toEqual([
      ['fence', ['tag'], 'owner'],
      ['expired', ['tag'], undefined],
      ['raise', ['tag'], 'owner'],
    ]);
  });

  test('that are held reject after their time, and are placed when they are released', async () => {
    const { store, session, other, clock } = strictly();
    const held = store.hold('fence');
    const refused = expect(session.fence?.(['tag'], 'owner', 1000, 500)).rejects.toThrow('within 500 ms');
    await held.arrived();
    await clock.advance(500);
    await refused;
    expect(await versionOf(other)).toMatch(/^v/);
    held.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await versionOf(other)).toMatch(/^f/);
  });

  test('are missing when the store behind has none', () => {
    const bare: Store = { kind: 'bare', open: (context) => ({ ...memoryStore().open(context), fence: undefined }) };
    const session = faultyStore(bare).open({
      name: 'cache',
      clock: fakeClock(),
      maxStale: 0,
      strict: false,
      listener: quiet,
    });
    expect(session.fence).toBeUndefined();
  });
});

describe('what was called', () => {
  test('is remembered in order, with keys and tags as they were', async () => {
    const { store, session } = aPair();
    const tags = ['a', 'b'];
    await session.read('key', tags);
    tags.push('c');
    await session.raise(['a'], 1000);
    await session.write('key', bytes, 1000);
    session.remove('key');
    await session.lease('key', 1000);
    await session.reach();
    expect(store.calls).toEqual([
      { operation: 'read', key: 'key', tags: ['a', 'b'] },
      { operation: 'raise', key: undefined, tags: ['a'] },
      { operation: 'write', key: 'key', tags: [] },
      { operation: 'remove', key: 'key', tags: [] },
      { operation: 'lease', key: 'key', tags: [] },
      { operation: 'reach', key: undefined, tags: [] },
    ]);
    const called = { read: 1, raise: 1, write: 1, lease: 1, fence: 0, expired: 0, remove: 1, released: 0, reach: 1 };
    expect(store.counts).toEqual({ ...called, trips: 4 });
    store.forget();
    expect(store.calls).toEqual([]);
    expect(store.counts.trips).toBe(0);
  });

  test('reads of one tick cost one round trip, reads one after the other cost one each', async () => {
    const { store, session } = aPair();
    await Promise.all([session.read('a', []), session.read('b', []), session.read(undefined, ['tag'])]);
    expect([store.counts.read, store.counts.trips]).toEqual([3, 1]);
    await session.read('a', []);
    await session.read('a', []);
    expect([store.counts.read, store.counts.trips]).toEqual([5, 3]);
  });

  test('a read that leaves while another is on its way costs a round trip of its own', async () => {
    const { store, session, clock } = aPair({ delay: 10 });
    const first = session.read('a', []);
    await clock.advance(5);
    const second = session.read('a', []);
    await clock.advance(10);
    await Promise.all([first, second]);
    expect(store.counts.trips).toBe(2);
  });
});
