import { describe, expect, test, vi } from 'vitest';
import { aCache, counting, heard, now, partsOf, slowLoad, turns } from './a-cache.js';

describe('ttl', () => {
  test('a value is fresh up to its ttl, and not at it', async () => {
    const { cache, clock } = aCache({ ttl: '1s' });
    const load = counting();
    await cache.getOrSet({ key: 'a', load });
    await clock.advance(999);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(1);
    await clock.advance(1);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(2);
  });

  test('counts from the end of the load', async () => {
    const { cache, clock } = aCache({ ttl: 1000 });
    const { load, runs } = slowLoad();
    const read = cache.getOrSet({ key: 'a', load });
    await clock.advance(900);
    runs[0]?.resolve(1);
    await read;
    vi.spyOn(Math, 'random').mockReturnValue(0); // no early refresh
    await clock.advance(999);
    expect(await cache.has('a')).toBe(true);
  });

  test('0: nothing is stored, and readers at the same time still share the load', async () => {
    const { cache } = aCache({ ttl: 0 });
    const { load, runs } = slowLoad();
    const reads = [cache.read({ key: 'a', load }), cache.read({ key: 'a', load })];
    await turns();
    runs[0]?.resolve('v');
    for (const { value, stored, reason } of await Promise.all(reads))
      expect({ value, stored, reason }).toEqual({ value: 'v', stored: false, reason: 'its ttl is 0' });
    expect(load).toHaveBeenCalledTimes(1);
    expect(await cache.has('a')).toBe(false);
    expect(cache.stats().entries).toBe(0);
  });

  test('Infinity: age never ends a value, tags do', async () => {
    const { cache, clock } = aCache({ ttl: Number.POSITIVE_INFINITY, jitter: 1 });
    const load = counting();
    const read = () => cache.getOrSet({ key: 'a', tags: ['t'], load });
    await read();
    await clock.advance(10 * 365 * 86_400_000);
    expect(await read()).toBe(1);
    await cache.invalidate('t');
    expect(await read()).toBe(2);
  });
});

describe('jitter', () => {
  test('a life is never longer than ttl nor shorter than ttl less the share', async () => {
    const { cache, clock } = aCache({ ttl: 10_000, jitter: 0.2 });
    for (let i = 0; i < 500; i++) await cache.getOrSet({ key: ['a', i], load: () => i });
    const lives = [...partsOf(cache).near.keys()].map((key) => {
      const entry = partsOf(cache).near.peek(key);
      return (entry?.freshUntil ?? 0) - clock.now();
    });
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(8000);
    expect(Math.max(...lives)).toBeLessThanOrEqual(10_000);
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(1000);
  });

  test('set has it too', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { cache, clock } = aCache({ ttl: 1000, jitter: 0.2 });
    await cache.set('a', 1);
    await clock.advance(899);
    expect(await cache.has('a')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('a')).toBe(false);
  });
});

describe('swr', () => {
  // Known: whoever reads while the refresh runs joins it.
  test('an aged value is answered at once while one load in the background replaces it', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: 5000 });
    const { load, runs } = slowLoad();
    const read = () => cache.read({ key: 'a', load });
    const first = read();
    await turns();
    runs[0]?.resolve('old');
    await first;
    await clock.advance(1000);
    const answers = await Promise.all([read(), read(), read()].map(now));
    const later = await now(read());
    runs[1]?.resolve('new');
    await turns();
    for (const answer of [...answers, later])
      expect(answer).toMatchObject({ value: 'old', source: 'near', reason: 'aged' });
    expect(load).toHaveBeenCalledTimes(2);
    expect((await read()).value).toBe('new');
  });

  test('ends: after it a read waits for the load', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: 5000 });
    const load = counting();
    await cache.getOrSet({ key: 'a', load });
    await clock.advance(6000);
    expect(await cache.getOrSet({ key: 'a', load })).toBe(2);
  });

  test('a refresh that fails leaves the aged value, tells of the error, and is tried again once a second', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: 60_000 });
    const loads = heard(cache, 'load');
    const error = new Error('down');
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    const load = vi.fn(() => Promise.reject(error));
    const read = () => cache.getOrSet<unknown>({ key: 'a', load });
    await clock.advance(1000);
    for (let i = 0; i < 20; i++) {
      expect(await read()).toBe('old');
      await clock.advance(100);
    }
    expect(load).toHaveBeenCalledTimes(2);
    expect(loads.slice(1)).toEqual(
      Array.from({ length: 2 }, () => expect.objectContaining({ stored: false, reason: 'it failed', error })),
    );
  });

  test('never softens an invalidation', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: 60_000, staleOnError: 60_000 });
    const load = counting();
    const read = () => cache.getOrSet({ key: 'a', tags: ['t'], load });
    await read();
    await clock.advance(2000);
    await cache.invalidate('t');
    expect(await read()).toBe(2);
  });

  test('does not keep an invalidated value out of the way of an error', async () => {
    const { cache } = aCache({ staleOnError: 60_000 });
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    await cache.invalidate('t');
    const load = () => Promise.reject(new Error('down'));
    await expect(cache.getOrSet({ key: 'a', tags: ['t'], load })).rejects.toThrow('down');
  });
});

describe('staleOnError', () => {
  test('an aged value stands in when the load fails, for as long as said', async () => {
    const { cache, clock } = aCache({ ttl: 1000, staleOnError: 5000 });
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    const load = vi.fn(() => Promise.reject(new Error('down')));
    const read = () => cache.read<unknown>({ key: 'a', load });
    await clock.advance(1000);
    expect(await read()).toMatchObject({ value: 'old', source: 'near', age: 1000, reason: 'the load failed' });
    await clock.advance(4999);
    expect((await read()).value).toBe('old');
    await clock.advance(1);
    await expect(read()).rejects.toThrow('down');
  });

  test('after a failure nobody loads for a second', async () => {
    const { cache, clock } = aCache({ ttl: 1000, staleOnError: '1h' });
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    const load = vi.fn(() => Promise.reject(new Error('down')));
    const read = () => cache.read<unknown>({ key: 'a', load });
    await clock.advance(1000);
    await read();
    await clock.advance(999);
    expect(await read()).toMatchObject({ value: 'old', reason: 'the load failed a moment ago' });
    expect(load).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await read();
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('a refresh that succeeded, and whose value was not stored, is no failure', async () => {
    const { cache, clock } = aCache({ ttl: 1000, swr: 500, staleOnError: '1h' });
    const read = () => cache.read({ key: 'a', load: ({ skip }) => skip('a draft') });
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    await clock.advance(1200);
    expect(await read()).toMatchObject({ value: 'old', reason: 'aged' });
    await clock.advance(400);
    expect(await read()).toMatchObject({ source: 'load', reason: 'a draft' });
  });

  test('a load that works again replaces the aged value', async () => {
    const { cache, clock } = aCache({ ttl: 1000, staleOnError: '1h' });
    await cache.getOrSet({ key: 'a', load: () => 'old' });
    await clock.advance(1000);
    await cache.getOrSet({ key: 'a', load: () => Promise.reject(new Error('down')) });
    await clock.advance(1000);
    expect(await cache.getOrSet({ key: 'a', load: () => 'new' })).toBe('new');
  });

  test('a first load has nothing to stand in for it', async () => {
    const { cache } = aCache({ staleOnError: '1h' });
    const load = () => Promise.reject(new Error('down'));
    await expect(cache.getOrSet({ key: 'a', load })).rejects.toThrow('down');
  });
});

describe('early refresh', () => {
  async function anExpensiveEntry(lot: number) {
    const { cache, clock } = aCache({ ttl: 10_000 });
    vi.spyOn(Math, 'random').mockReturnValue(lot);
    const { load, runs } = slowLoad();
    const read = () => cache.read({ key: 'a', load });
    const first = read();
    await clock.advance(1000);
    runs[0]?.resolve('old');
    await first;
    return { cache, clock, load, runs, read };
  }

  // Known: as above.
  test('an expensive value is replaced before its end by one load in the background', async () => {
    const { clock, load, runs, read } = await anExpensiveEntry(1 - Math.exp(-3)); // three times its cost before the end
    await clock.advance(6999);
    await read();
    expect(load).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    const answers = await Promise.all([read(), read()].map(now));
    runs[1]?.resolve('new');
    await turns();
    for (const answer of answers) expect(answer).toMatchObject({ value: 'old', source: 'near' });
    expect(load).toHaveBeenCalledTimes(2);
    expect(await read()).toMatchObject({ value: 'new', source: 'near' });
  });

  test('never begins in the first half of a life', async () => {
    const { clock, load, read } = await anExpensiveEntry(1 - Math.exp(-50));
    await clock.advance(4999);
    await read();
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('is not for cheap values', async () => {
    const { cache, clock } = aCache({ ttl: 10_000 });
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const load = counting();
    await cache.getOrSet({ key: 'a', load });
    await clock.advance(9999);
    await cache.getOrSet({ key: 'a', load });
    expect(load).toHaveBeenCalledTimes(1);
  });
});

describe('negativeTtl', () => {
  test.each([[null], [undefined]])('is the ttl of %s', async (nothing) => {
    const { cache, clock } = aCache({ ttl: 10_000, negativeTtl: 1000 });
    const load = vi.fn(async () => nothing);
    await cache.getOrSet({ key: 'a', load });
    await clock.advance(999);
    await cache.getOrSet({ key: 'a', load });
    expect(load).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await cache.getOrSet({ key: 'a', load });
    expect(load).toHaveBeenCalledTimes(2);
  });

  test.each([[0], [''], [false], [Number.NaN], [[]]])('is not for %o, which is an answer', async (value) => {
    const { cache } = aCache({ negativeTtl: 0 });
    await cache.getOrSet<unknown>({ key: 'a', load: () => value });
    expect(await cache.has('a')).toBe(true);
  });

  test('0: nothing is not stored', async () => {
    const { cache } = aCache({ negativeTtl: 0 });
    expect(await cache.read({ key: 'a', load: () => null })).toMatchObject({ stored: false, reason: 'its ttl is 0' });
  });

  test('without it, null lives as long as anything', async () => {
    const { cache, clock } = aCache({ ttl: 10_000 });
    await cache.getOrSet({ key: 'a', load: () => null });
    await clock.advance(9999);
    expect(await cache.has('a')).toBe(true);
  });
});

describe('decided by the value', () => {
  test('ctx.ttl sets the ttl of this value, the last word counts', async () => {
    const { cache, clock } = aCache({ ttl: '1h' });
    await cache.getOrSet({
      key: 'a',
      load: (context) => {
        context.ttl('1d');
        context.ttl('1s');
        return 1;
      },
    });
    await clock.advance(999);
    expect(await cache.has('a')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('a')).toBe(false);
  });

  test('ctx.ttl also decides for null, before negativeTtl', async () => {
    const { cache, clock } = aCache({ negativeTtl: 0 });
    await cache.getOrSet({
      key: 'a',
      load: (context) => {
        context.ttl(1000);
        return null;
      },
    });
    await clock.advance(999);
    expect(await cache.has('a')).toBe(true);
  });

  test('ctx.skip hands the value out and does not store it, saying why', async () => {
    const { cache } = aCache();
    const load = (reason?: string) => cache.read({ key: 'a', load: (context) => (context.skip(reason), 'partial') });
    expect(await load('half of it is missing')).toMatchObject({
      value: 'partial',
      stored: false,
      reason: 'half of it is missing',
    });
    expect(await load()).toMatchObject({ stored: false, reason: 'the load said so' });
    expect(await cache.has('a')).toBe(false);
  });
});

describe('a value inside another', () => {
  test('the outer one does not live longer than what is left of the inner one', async () => {
    const { cache, clock } = aCache();
    await cache.getOrSet({ key: 'inner', ttl: 1000, load: () => 1 });
    await clock.advance(600);
    await cache.getOrSet({ key: 'outer', ttl: '1h', load: () => cache.get('inner') });
    await clock.advance(399);
    expect(await cache.has('outer')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('outer')).toBe(false);
  });

  test('an aged inner value keeps the outer one out', async () => {
    const { cache, clock } = aCache();
    const inner = () => cache.getOrSet({ key: 'inner', ttl: 1000, swr: '1h', load: () => 1 });
    await inner();
    await clock.advance(1000);
    expect(await cache.read({ key: 'outer', load: inner })).toMatchObject({
      stored: false,
      reason: 'it holds a value that was served stale',
    });
    await turns();
  });
});
