import { describe, expect, test, vi } from 'vitest';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, counting, deferred, heard, processes, turns } from './a-cache.js';

describe('inside a transaction', () => {
  test('reads go past the cache and are not stored', async () => {
    const { cache } = aCache();
    const load = counting();
    await cache.getOrSet({ key: 'a', load });
    const inside = await cache.transaction(() => cache.read({ key: 'a', load }));
    expect(inside).toEqual({ value: 2, source: 'database', age: 0, stored: false, reason: 'inside a transaction' });
    await cache.transaction(() => cache.getOrSet({ key: 'b', load }));
    expect(await cache.has('b')).toBe(false);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(1);
  });

  test('get and has find nothing', async () => {
    const { cache } = aCache();
    await cache.set('a', 1);
    expect(await cache.transaction(async () => [await cache.get('a'), await cache.has('a')])).toEqual([
      undefined,
      false,
    ]);
  });

  test('wrapped functions go past it too', async () => {
    const { cache } = aCache();
    const f = cache.withCache(counting(), { name: 'f' });
    await f();
    expect(await cache.transaction(() => f())).toBe(2);
    expect(await f()).toBe(1);
  });

  test('set stores nothing: what a transaction wrote may be rolled back', async () => {
    const { cache } = aCache();
    await cache.set('a', 'old');
    const rolledBack = cache.transaction(async () => {
      await cache.set('a', 'uncommitted');
      await cache.set('b', 'uncommitted');
      throw new Error('rollback');
    });
    await expect(rolledBack).rejects.toThrow('rollback');
    expect([await cache.get('a'), await cache.has('b')]).toEqual(['old', false]);
    await cache.transaction(() => cache.set('a', 'committed'));
    expect(await cache.has('a')).toBe(false);
  });

  test('a load outside is not joined', async () => {
    const { cache } = aCache();
    const end = deferred<string>();
    const outside = cache.getOrSet({ key: 'a', load: () => end.promise });
    await turns();
    expect(await cache.transaction(() => cache.getOrSet({ key: 'a', load: () => 'own' }))).toBe('own');
    end.resolve('outside');
    expect(await outside).toBe('outside');
  });
});

describe('invalidations of a transaction', () => {
  test('happen together once it has succeeded, each tag once', async () => {
    const { cache } = aCache();
    const events = heard(cache, 'invalidate');
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    await cache.transaction(async () => {
      await cache.invalidate('t', 'u');
      await cache.invalidate('t');
      expect(events).toEqual([]);
    });
    expect(events.map(({ tags }) => tags)).toEqual([['t', 'u']]);
    expect(await cache.has('a')).toBe(false);
  });

  test('are dropped when it throws, and the error is unchanged', async () => {
    const { cache } = aCache();
    const events = heard(cache, 'invalidate');
    const error = new Error('rollback');
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    const failing = cache.transaction(async () => {
      await cache.invalidate('t');
      throw error;
    });
    await expect(failing).rejects.toBe(error);
    expect(events).toEqual([]);
    expect(await cache.has('a')).toBe(true);
  });

  test('delete and clear wait too', async () => {
    const { cache } = aCache();
    await cache.set('a', 1);
    await cache.set('b', 1);
    await cache.transaction(async () => {
      await cache.delete('a');
      await expect(cache.transaction(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
    });
    expect([await cache.has('a'), await cache.has('b')]).toEqual([false, true]);
    await cache.transaction(() => cache.clear());
    expect(await cache.has('b')).toBe(false);
  });

  test('of a savepoint that was rolled back are dropped, the others stay', async () => {
    const { cache } = aCache();
    const events = heard(cache, 'invalidate');
    await cache.transaction(async () => {
      await cache.invalidate('outer');
      await cache.transaction(() => cache.invalidate('kept'));
      await cache
        .transaction(async () => {
          await cache.invalidate('dropped');
          throw new Error('savepoint');
        })
        .catch(() => {});
    });
    expect(events.map(({ tags }) => tags)).toEqual([['outer', 'kept']]);
  });

  test('without any, nothing is sent', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    expect(await cache.transaction(async () => 7)).toBe(7);
    expect(store.counts.raise).toBe(0);
  });

  test('work that outlives the transaction is outside of it', async () => {
    const { cache } = aCache();
    const later = deferred<void>();
    let after: Promise<unknown> | undefined;
    await cache.set('a', 1);
    await cache.transaction(async () => {
      after = later.promise.then(() => cache.delete('a'));
    });
    expect(await cache.has('a')).toBe(true);
    later.resolve();
    await after;
    expect(await cache.has('a')).toBe(false);
  });

  test('transactions at the same time keep apart', async () => {
    const { cache } = aCache();
    const events = heard(cache, 'invalidate');
    const wait = deferred<void>();
    const first = cache.transaction(async () => {
      await cache.invalidate('one');
      await wait.promise;
    });
    await cache.transaction(() => cache.invalidate('two'));
    expect(events.map(({ tags }) => tags)).toEqual([['two']]);
    wait.resolve();
    await first;
    expect(events.map(({ tags }) => tags)).toEqual([['two'], ['one']]);
  });

  test('are those of its cache alone', async () => {
    const { cache } = aCache();
    const other = aCache().cache;
    await other.set('a', 1);
    await cache.transaction(async () => {
      expect(await other.get('a')).toBe(1);
      await other.delete('a');
      expect(await other.has('a')).toBe(false);
    });
  });
});

describe('a transaction whose invalidation is not confirmed', () => {
  test('has succeeded: it resolves, an event tells, and the tags stay queued', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const events = heard(cache, 'unacknowledged');
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 'old' });
    await turns();
    store.fail('raise');
    expect(await cache.transaction(async () => (await cache.invalidate('t'), 'result'))).toBe('result');
    expect(events).toEqual([{ type: 'unacknowledged', tags: ['t'], age: 0 }]);
    expect(await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 'new' })).toBe('new');
  });

  test("onUnacknowledged: 'throw' says that it was committed, and hands over the result", async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store, onUnacknowledged: 'throw' });
    store.fail('raise');
    const failing = cache.transaction(async () => (await cache.invalidate('t'), 'result'));
    await expect(failing).rejects.toMatchObject({
      code: 'INVALIDATION_PENDING',
      committed: true,
      result: 'result',
      tags: ['t'],
    });
  });
});

test('other processes see the invalidation once the transaction has resolved', async () => {
  const { here, there } = processes();
  await there.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
  await here.transaction(async () => {
    await here.invalidate('t');
    expect(await there.has('a')).toBe(true);
  });
  expect(await there.has('a')).toBe(false);
});

test('a transaction may be synchronous', async () => {
  const { cache } = aCache();
  const fn = vi.fn(() => 7);
  expect(await cache.transaction(fn)).toBe(7);
});
