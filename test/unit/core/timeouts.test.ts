import { describe, expect, test, vi } from 'vitest';
import { LoadTimeoutError } from '../../../src/core/errors.js';
import type { LoadContext } from '../../../src/core/options.js';
import { aCache, counting, deferred, slowLoad, turns } from './a-cache.js';

describe('the hard time-out', () => {
  test('rejects with LoadTimeoutError, which names what and how long', async () => {
    const { cache, clock } = aCache({ timeout: '2s' });
    const { load } = slowLoad();
    const read = cache.getOrSet({ key: ['user', 7], load });
    const outcome = expect(read).rejects.toMatchObject({
      code: 'LOAD_TIMEOUT',
      message: expect.stringMatching(/load of user took longer than 2000 ms/),
    });
    await clock.advance(2000);
    await outcome;
    await expect(read).rejects.toBeInstanceOf(LoadTimeoutError);
  });

  test('aborts the signal with the same error, also for a load that asks for it late', async () => {
    const { cache, clock } = aCache({ timeout: 1000 });
    const end = deferred();
    let early: AbortSignal | undefined;
    let context: LoadContext | undefined;
    const read = cache.getOrSet({
      key: 'a',
      load: (given) => {
        context = given;
        early = given.signal;
        return end.promise;
      },
    });
    read.catch(() => {});
    await clock.advance(999);
    expect(early?.aborted).toBe(false);
    await clock.advance(1);
    expect(early?.aborted).toBe(true);
    expect(early?.reason).toBeInstanceOf(LoadTimeoutError);
    expect(context?.signal.aborted).toBe(true);
    const load = (given: LoadContext) => {
      context = given;
      return end.promise;
    };
    const late = cache.getOrSet({ key: 'b', load });
    late.catch(() => {});
    await clock.advance(1000);
    expect(context?.signal.aborted).toBe(true);
    expect(context?.signal.reason).toBeInstanceOf(LoadTimeoutError);
  });

  test('what a load gives after its time is over is not stored', async () => {
    const { cache, clock } = aCache({ timeout: 1000 });
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    read.catch(() => {});
    await clock.advance(1000);
    await expect(read).rejects.toBeInstanceOf(LoadTimeoutError);
    runs[0]?.resolve('late');
    await turns();
    expect(await cache.has('a')).toBe(false);
  });

  test('a load that fails after its time is over bothers nobody', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const { cache, clock } = aCache({ timeout: 1000 });
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    read.catch(() => {});
    await clock.advance(1000);
    runs[0]?.reject(new Error('late'));
    await turns();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test('is 60 seconds unless said otherwise', async () => {
    const { cache, clock } = aCache();
    const { load } = slowLoad();
    let over = false;
    cache.getOrSet({ key: 'a', load }).catch(() => {
      over = true;
    });
    await clock.advance(59_999);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
  });

  test('Infinity: waits as long as it takes, and sets no timer', async () => {
    const { cache, clock } = aCache({ timeout: Number.POSITIVE_INFINITY });
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    await clock.advance(86_400_000);
    expect(clock.pending).toBe(0);
    runs[0]?.resolve(1);
    expect(await read).toBe(1);
  });

  test('an aged value stands in for a load that takes too long', async () => {
    const { cache, clock } = aCache({ ttl: 1000, staleOnError: '1h', timeout: 2000 });
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    await clock.advance(1000);
    const { load } = slowLoad();
    const read = cache.getOrSet<unknown>({ key: 'a', load });
    await clock.advance(2000);
    expect(await read).toBe('old');
  });
});

describe('the soft time-out', () => {
  const soft = { ttl: 1000, staleOnError: '1h', timeout: { soft: 100 } } as const;

  test('answers with the aged value while the load goes on, whose value counts when it comes', async () => {
    const { cache, clock } = aCache(soft);
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    await clock.advance(1000);
    const { load, runs } = slowLoad();
    const read = cache.read({ key: 'a', load });
    await clock.advance(100);
    expect(await read).toMatchObject({ value: 'old', source: 'near', reason: 'the load takes long' });
    runs[0]?.resolve('new');
    await turns();
    expect(await cache.get('a')).toBe('new');
  });

  // Known: the flight ends with the soft answer, so each soft time-out starts a load more.
  test('those who read while the load goes on do not start another one', async () => {
    const { cache, clock } = aCache(soft);
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    await clock.advance(1000);
    const { load, runs } = slowLoad();
    for (let i = 0; i < 5; i++) {
      const read = cache.getOrSet({ key: 'a', load });
      await clock.advance(100);
      expect(await read).toBe('old');
    }
    for (const run of runs) run.resolve('new');
    await turns();
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('a load in time is what everybody gets', async () => {
    const { cache, clock } = aCache(soft);
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    await clock.advance(1000);
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    await clock.advance(99);
    runs[0]?.resolve('new');
    expect(await read).toBe('new');
    await turns();
    expect(clock.pending).toBe(0);
  });

  test('means nothing where there is no aged value', async () => {
    const { cache, clock } = aCache(soft);
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    await clock.advance(5000);
    runs[0]?.resolve('first');
    expect(await read).toBe('first');
  });

  test('a value that was invalidated does not stand in', async () => {
    const { cache, clock } = aCache(soft);
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 'old' });
    await cache.invalidate('t');
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', tags: ['t'], load });
    await clock.advance(5000);
    runs[0]?.resolve('new');
    expect(await read).toBe('new');
  });

  test('a load that fails after the answer bothers nobody', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const { cache, clock } = aCache({ ...soft, staleOnError: 500, swr: 100 });
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    await clock.advance(1200);
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    await clock.advance(500);
    expect(await read).toBe('old');
    runs[0]?.reject(new Error('down'));
    await turns();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

test('a read’s own time-outs replace the cache’s one by one', async () => {
  const { cache, clock } = aCache({ timeout: { soft: 10, hard: 1000 }, ttl: 1000, staleOnError: '1h' });
  await cache.getOrSet({ key: 'a', load: counting() });
  await clock.advance(1000);
  const { load } = slowLoad();
  const read = cache.getOrSet({ key: 'a', load, timeout: { hard: 50 }, staleOnError: 0, swr: 0 });
  const rejected = expect(read).rejects.toBeInstanceOf(LoadTimeoutError);
  await clock.advance(50);
  await rejected;
});
