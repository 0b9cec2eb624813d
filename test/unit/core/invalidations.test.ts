import { describe, expect, test } from 'vitest';
import { InvalidationPendingError } from '../../../src/core/errors.js';
import { table } from '../../../src/table.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, counting, heard, now, processes, turns } from './a-cache.js';

function aFaultyWorld(options = {}) {
  const shared = memoryStore();
  const store = faultyStore(shared);
  const { cache, clock } = aCache({ store, ...options });
  const other = aCache({ store: shared, clock }).cache;
  return { store, cache, other, clock };
}

describe('an acknowledged invalidation', () => {
  test('gives a receipt with its tags, each once', async () => {
    const { cache } = aCache();
    expect((await cache.invalidate('t', 'u', 't')).tags).toEqual(['t', 'u']);
    expect((await cache.invalidate()).tags).toEqual([]);
  });

  test('takes tables and rows', async () => {
    const { cache } = aCache();
    await cache.set('row', 1, { since: await cache.snapshot(table('orders', { id: 7 })) });
    await cache.set('rows', 1, { since: await cache.snapshot(table('orders')) });
    await cache.invalidate(table('users', { id: 7 }));
    expect([await cache.has('row'), await cache.has('rows')]).toEqual([true, true]);
    await cache.invalidate(table('orders', { id: 7 }));
    expect([await cache.has('row'), await cache.has('rows')]).toEqual([false, false]);
  });

  test('is everywhere at once at maxStale 0', async () => {
    const { here } = processes();
    expect(await now((await here.invalidate('t')).everywhere)).toBeUndefined();
  });

  test('is everywhere after the largest maxStale of any process', async () => {
    const { here, clock } = processes({ maxStale: '2s' });
    const { everywhere } = await here.invalidate('t');
    let there = false;
    void everywhere.then(() => {
      there = true;
    });
    await clock.advance(1999);
    expect(there).toBe(false);
    await clock.advance(1);
    expect(there).toBe(true);
  });

  test('of nothing costs nothing', async () => {
    const { cache, store } = aFaultyWorld();
    await cache.invalidate();
    expect(store.calls.flatMap(({ tags }) => tags)).toEqual([]);
  });
});

describe('an invalidation that the store does not confirm', () => {
  test('is refused within ackTimeout, with its tags and its cause', async () => {
    const { cache, store, clock } = aFaultyWorld({ ackTimeout: 500 });
    const held = store.hold('raise');
    const refused = expect(cache.invalidate('t', 'u')).rejects.toMatchObject({
      code: 'INVALIDATION_PENDING',
      tags: ['t', 'u'],
      committed: false,
      cause: { code: 'STORE_UNAVAILABLE' },
    });
    await clock.advance(500);
    await refused;
    held.release();
    await turns();
  });

  test('is refused at once while the store is known to be down', async () => {
    const { cache, store } = aFaultyWorld();
    store.down();
    expect(await now(cache.invalidate('t').catch((error) => error))).toBeInstanceOf(InvalidationPendingError);
  });

  test('is not served here any more, whatever the store still says', async () => {
    const { cache, store } = aFaultyWorld();
    const load = counting();
    const read = () => cache.getOrSet({ key: 'a', tags: ['t'], load });
    await read();
    await turns();
    store.fail('raise');
    await cache.invalidate('t').catch(() => {});
    expect(await read()).toBe(2);
    expect(await read()).toBe(3);
  });

  test('is delivered as soon as the store is back, and then counts everywhere', async () => {
    const { cache, other, store } = aFaultyWorld();
    await other.getOrSet({ key: 'a', tags: ['t'], load: () => 'old' });
    store.down();
    await cache.invalidate('t').catch(() => {});
    expect(await other.get('a')).toBe('old');
    store.up();
    await cache.settled();
    expect(await other.has('a')).toBe(false);
    expect(await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 'new' })).toBe('new');
    expect(await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 'never' })).toBe('new');
  });

  test('is tried again every second, also without a word from the store', async () => {
    const { cache, store, clock } = aFaultyWorld();
    const events = heard(cache, 'invalidate');
    const heal = store.fail('raise');
    await cache.invalidate('t').catch(() => {});
    await clock.advance(2500);
    expect(store.counts.raise).toBe(3);
    heal();
    await clock.advance(500);
    expect(events).toEqual([{ type: 'invalidate', tags: ['t'], duration: 3000 }]);
    expect(clock.pending).toBe(0);
  });

  test('settled waits for it, and not longer than said', async () => {
    const { cache, store, clock } = aFaultyWorld();
    const heal = store.fail('raise');
    await cache.invalidate('t').catch(() => {});
    const short = expect(cache.settled({ timeout: 500 })).rejects.toMatchObject({ tags: ['t'] });
    const long = cache.settled();
    await clock.advance(500);
    await short;
    heal();
    await clock.advance(1000);
    await long;
  });

  test('more than 10,000 of them become a clear', async () => {
    const { cache, store } = aFaultyWorld();
    await cache.set('a', 1);
    store.fail('raise');
    for (let at = 0; at < 10_001; at += 73)
      await cache.invalidate(...Array.from({ length: 73 }, (_, i) => `t${at + i}`)).catch(() => {});
    await cache.settled({ timeout: 0 }).catch((error) => expect(error.tags.length).toBeLessThan(1000));
    expect(await cache.get('a')).toBeUndefined();
  });
});

describe('close', () => {
  test('rejects with what could not be delivered', async () => {
    const { cache, store, clock } = aFaultyWorld();
    store.fail('raise');
    await cache.invalidate('t').catch(() => {});
    const closing = expect(cache.close({ timeout: 1000 })).rejects.toMatchObject({ tags: ['t'] });
    await clock.advance(1000);
    await closing;
  });

  test('delivers what it can', async () => {
    const { cache, other, store, clock } = aFaultyWorld();
    await other.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    const heal = store.fail('raise');
    await cache.invalidate('t').catch(() => {});
    const closing = cache.close();
    heal();
    await clock.advance(1000);
    await closing;
    expect(await other.has('a')).toBe(false);
  });
});
