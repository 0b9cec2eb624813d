import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Cache, cacheOf, type WarmOptions } from '../../../src/index.js';
import { warmDefaults } from '../../../src/structures/warm/options.js';
import { fakeClock, faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, deferred, heard, processes } from '../core/a-cache.js';

const minute = 60_000;

/** Many at a time: time goes on only when everything has come to rest. */
async function pass(clock: { advance(ms: number): Promise<void> }, ms: number, step = 1000): Promise<void> {
  for (let left = ms; left > 0; left -= step) await clock.advance(Math.min(step, left));
}

describe('the rhythm', () => {
  test('begins at once, and from the beginning of one cycle to that of the next', async () => {
    const { cache, clock } = aCache();
    const times: number[] = [];
    const run = async () => {
      times.push(clock.now());
      await new Promise<void>((resolve) => clock.after(2000, resolve));
    };
    const warmer = cache.warm('w', { every: '1m', jitter: 0, run });
    await pass(clock, 3.5 * minute);
    expect(times).toEqual([0, minute, 2 * minute, 3 * minute]);
    expect(warmer.state).toMatchObject({ phase: 'waiting', cycles: 4, slowdown: 1, nextIn: minute / 2 });
  });

  test('of a schedule is that of the calendar, in UTC', async () => {
    const clock = fakeClock(Date.parse('2026-11-20T16:30:00Z'));
    const { cache } = aCache({ clock });
    const times: string[] = [];
    cache.warm('w', {
      cron: '0 9,17 * * mon-fri',
      jitter: 0,
      run: () => times.push(new Date(clock.now()).toISOString()),
    });
    await pass(clock, 4 * 24 * 60 * minute, 10 * minute);
    expect(times).toEqual([
      '2026-11-20T17:00:00.000Z',
      '2026-11-23T09:00:00.000Z',
      '2026-11-23T17:00:00.000Z',
      '2026-11-24T09:00:00.000Z',
    ]);
  });

  test('has jitter: up to a share of the pause, and never less', async () => {
    const { cache, clock } = aCache();
    const times: number[] = [];
    cache.warm('w', { every: 1000, jitter: 0.5, run: () => times.push(clock.now()) });
    await pass(clock, 100_000, 50);
    const pauses = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1550);
    expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(200);
  });

  test('slows down up to eight times while cycles take long, and comes back', async () => {
    const { cache, clock } = aCache();
    let takes = 40_000;
    const slow: number[] = [];
    cache.on('warm', ({ ended, slowdown }) => void (ended && slow.push(slowdown)));
    cache.warm('w', { every: '1m', jitter: 0, run: () => new Promise<void>((resolve) => clock.after(takes, resolve)) });
    await pass(clock, 40 * minute);
    expect(slow.slice(0, 5)).toEqual([2, 4, 8, 8, 8]);
    takes = 100;
    slow.length = 0;
    await pass(clock, 39.9 * minute);
    expect(slow.slice(0, 4)).toEqual([4, 2, 1, 1]);
  });

  test('slows down when loads fail, with the first error in the event', async () => {
    const { cache, clock } = aCache();
    const down = cache.withCache(async (_: number): Promise<number> => Promise.reject(new Error('down')), {
      name: 'f',
    });
    const events = heard(cache, 'warm');
    cache.warm('w', { every: '1m', jitter: 0, keys: (call) => [call(down, 1), call(down, 2)] });
    await pass(clock, 1.9 * minute);
    expect(events.filter((event) => event.ended)).toMatchObject([
      { cycle: 1, done: 2, of: 2, failed: 2, slowdown: 2, error: { message: 'down' } },
    ]);
  });
});

describe('a cycle', () => {
  test('does not begin while the last one runs, however long that takes; its signal is aborted after its time', async () => {
    const { cache, clock } = aCache();
    let signal: AbortSignal | undefined;
    let runs = 0;
    const held = deferred<void>();
    const events = heard(cache, 'warm');
    const warmer = cache.warm('w', {
      ...{ every: 1000, timeout: 5000, jitter: 0 },
      run: (context) => {
        runs++;
        signal = context.signal;
        return held.promise;
      },
    });
    await pass(clock, 4999);
    expect(signal?.aborted).toBe(false);
    await pass(clock, 60_000);
    expect(signal?.reason).toMatchObject({ code: 'LOAD_TIMEOUT' });
    expect([runs, warmer.state.phase]).toEqual([1, 'running']);
    held.resolve();
    await clock.advance(0);
    expect(events[0]).toMatchObject({ failed: 0, duration: 64_999, error: { code: 'LOAD_TIMEOUT' } });
  });

  test('works on so many at a time, and tells of its progress', async () => {
    const { cache, clock } = aCache();
    let [now, most] = [0, 0];
    const events = heard(cache, 'warm');
    const load = async (n: number) => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => clock.after(500, resolve));
      now--;
      return n;
    };
    const f = cache.withCache(load, { name: 'f', ttl: '1h' });
    cache.warm('w', {
      every: '1m',
      jitter: 0,
      concurrency: 3,
      keys: (call) => [1, 2, 3, 4, 5, 6, 7].map((n) => call(f, n)),
    });
    await pass(clock, 3000, 100);
    expect(most).toBe(3);
    expect(events.map(({ done, of, ended, duration }) => [done, of, ended, duration])).toEqual([
      [4, 7, false, 1000],
      [7, 7, true, 1500],
    ]);
  });

  test('`each` begins nothing more once it must end', async () => {
    const { cache, clock } = aCache();
    const began: number[] = [];
    const warmer = cache.warm('w', {
      ...{ every: '1h', timeout: 2500, concurrency: 1 },
      run: ({ each }) =>
        each([1, 2, 3, 4, 5], (n) => {
          began.push(n);
          return new Promise<void>((resolve) => clock.after(1000, resolve));
        }),
    });
    await pass(clock, 10_000);
    expect(began).toEqual([1, 2, 3]);
    expect(warmer.state.last).toMatchObject({ done: 3, failed: 0, error: { code: 'LOAD_TIMEOUT' } });
  });

  test('can be asked for at any time, and is one with the one that runs', async () => {
    const { cache, clock } = aCache();
    let runs = 0;
    const warmer = cache.warm('w', { every: '1h', run: () => void runs++ });
    expect(await warmer.now()).toBeUndefined();
    await clock.advance(0);
    expect(runs).toBe(1);
    const [one, other] = await Promise.all([warmer.now(), warmer.now()]);
    expect(one).toBe(other);
    expect([runs, one?.duration]).toEqual([2, 0]);
  });
});

describe('what is kept warm', () => {
  const loading = (cache: Cache) => {
    const loads: number[] = [];
    const f = cache.withCache(async (n: number) => loads.push(n), { name: 'f', ttl: '3m' });
    return { f, loads };
  };

  test('is loaded once, and again only when it was read since; the rest dies', async () => {
    const { cache, clock } = aCache();
    const { f, loads } = loading(cache);
    const events = heard(cache, 'warm');
    cache.warm('w', { every: '1m', jitter: 0, keys: (call) => [1, 2, 3].map((n) => call(f, n)) });
    await pass(clock, 30_000);
    expect(loads).toEqual([1, 2, 3]);
    await f(2);
    await pass(clock, minute);
    expect(loads).toEqual([1, 2, 3, 2]);
    await pass(clock, 3 * minute);
    expect(loads, 'nobody has read anything since').toEqual([1, 2, 3, 2]);
    expect(events.slice(0, 3).map(({ done, of, skipped }) => [done, of, skipped])).toEqual([
      [3, 3, 0],
      [1, 1, 2],
      [0, 0, 3],
    ]);
    // A read that has to load is a read, too.
    await f(3);
    expect(loads.at(-1)).toBe(3);
    await pass(clock, minute);
    expect(loads.slice(5)).toEqual([3]);
  });

  test('is never loaded by a reader while it is read in time', async () => {
    const { cache, clock } = aCache();
    const { f, loads } = loading(cache);
    cache.warm('w', { every: '1m', jitter: 0, keys: (call) => [call(f, 1)] });
    await pass(clock, 1000);
    let misses = 0;
    cache.on('miss', ({ reason }) => void (reason !== 'aged' && misses++));
    for (let i = 0; i < 60; i++) {
      expect((await f.read(1)).source).not.toBe('load');
      await pass(clock, 20_000);
    }
    expect(loads.length).toBeGreaterThanOrEqual(20);
  });

  test('is what is read in any process', async () => {
    const { here, there, clock } = processes({ ttl: '10m' });
    const loads: string[] = [];
    const of = (cache: Cache, where: string) =>
      cache.withCache(async (n: number) => loads.push(`${where}${n}`), { name: 'f', ttl: '10m' });
    const [f, g] = [of(here, 'here'), of(there, 'there')];
    here.warm('w', { every: '1m', jitter: 0, keys: (call) => [1, 2].map((n) => call(f, n)) });
    await pass(clock, 2000);
    const other = there.warm('w', { every: '1m', jitter: 0, keys: (call) => [1, 2].map((n) => call(g, n)) });
    await pass(clock, 3000);
    expect(other.state.phase).toBe('following');
    expect(await other.now()).toBeUndefined();
    for (let i = 0; i < 5; i++) {
      await g(2);
      await pass(clock, minute);
    }
    expect(loads.slice(0, 2)).toEqual(['here1', 'here2']);
    expect(loads.slice(2)).toEqual(Array(loads.length - 2).fill('here2'));
    expect(loads.length).toBeGreaterThanOrEqual(6);
  });

  test('is not read in other processes when nobody watches there: the naive way lets it die', async () => {
    const { here, there, clock } = processes({ ttl: '10m' });
    const loads: string[] = [];
    const of = (cache: Cache) => cache.withCache(async (n: number) => loads.push(`${n}`), { name: 'f', ttl: '10m' });
    const [f, g] = [of(here), of(there)];
    here.warm('w', { every: '1m', jitter: 0, keys: (call) => [1, 2].map((n) => call(f, n)) });
    await pass(clock, 2000);
    for (let i = 0; i < 5; i++) {
      await g(2);
      await pass(clock, minute);
    }
    expect(loads).toEqual(['1', '2']);
  });

  test('is taken over with the lead: no key is loaded because a process is new', async () => {
    const { here, there, clock } = processes();
    const loads: number[] = [];
    const of = (cache: Cache) => cache.withCache(async (n: number) => loads.push(n), { name: 'f', ttl: '10m' });
    const [f, g] = [of(here), of(there)];
    const first = here.warm('w', { every: '1m', jitter: 0, keys: (call) => [1, 2].map((n) => call(f, n)) });
    await pass(clock, 30_000);
    there.warm('w', { every: '1m', jitter: 0, keys: (call) => [1, 2].map((n) => call(g, n)) });
    await pass(clock, 3000);
    await first.stop();
    await g(1);
    await pass(clock, minute);
    expect(loads).toEqual([1, 2, 1]);
  });

  test('may be a method, and may be named for a tenant', async () => {
    const { cache, clock } = aCache({ tenancy: 'required' });
    const loads: string[] = [];
    class Service {
      @cache.withCache({ ttl: '1h' })
      async find(n: number) {
        loads.push(`${n}`);
        return n;
      }
    }
    const service = new Service();
    const find = cacheOf(service.find, service);
    cache.warm('w', {
      ...{ every: '1m', jitter: 0 },
      keys: (call) => ['acme', 'globex'].map((id) => cache.runAsTenant(id, () => call(find, 7))),
    });
    await pass(clock, 1000);
    expect(loads).toEqual(['7', '7']);
    for (const id of ['acme', 'globex'])
      expect(await cache.runAsTenant(id, () => find.read(7))).toMatchObject({ source: 'near' });
    const lost = cache.warm('lost', { every: '1m', keys: (call) => [call(find, 7)] });
    await pass(clock, 1000);
    expect(lost.state.last?.error).toMatchObject({ code: 'TENANT_MISSING' });
  });
});

describe('the lead', () => {
  const follow = (caches: readonly Cache[], options: Partial<WarmOptions> = {}) => {
    const ran: number[] = [];
    const warmers = caches.map((cache, i) =>
      cache.warm('w', { every: '1m', jitter: 0, run: () => void ran.push(i), ...options } as WarmOptions),
    );
    return { ran, warmers };
  };

  test('is one process’s, and goes on with the same rhythm in another when it ends', async () => {
    const { caches, clock } = processes({ count: 4 });
    const { ran, warmers } = follow(caches);
    await pass(clock, 4.9 * minute);
    expect(new Set(ran).size).toBe(1);
    expect(ran).toHaveLength(5);
    const [first] = ran as [number];
    await warmers[first]?.stop();
    expect(warmers[first]?.state.phase).toBe('stopped');
    await pass(clock, 3 * minute);
    expect(ran).toHaveLength(8);
    expect(new Set(ran.slice(5)).size).toBe(1);
    expect(ran[5]).not.toBe(first);
  });

  test('is lost with the store: the signal is aborted before anybody else can begin', async () => {
    const clock = fakeClock();
    const memory = memoryStore();
    const cut = faultyStore(memory);
    const { cache: here } = aCache({ store: cut, clock });
    const { cache: there } = aCache({ store: memory, clock });
    let aborted: number | undefined;
    let begun: number | undefined;
    const held = deferred<void>();
    const warmer = here.warm('w', {
      ...{ every: '1m', lease: '10s' },
      run: ({ signal }) => {
        signal.addEventListener('abort', () => {
          aborted = clock.now();
        });
        return held.promise;
      },
    });
    await pass(clock, 1000);
    there.warm('w', {
      ...{ every: '1m', lease: '10s' },
      run: () => {
        begun ??= clock.now();
      },
    });
    await pass(clock, 20_000, 100);
    expect([aborted, begun]).toEqual([undefined, undefined]);
    const from = clock.now();
    cut.down();
    await pass(clock, 10_000, 100);
    expect(aborted).toBeLessThan(begun as number);
    expect((begun as number) - from).toBeLessThanOrEqual(10_000);
    cut.up();
    await pass(clock, 30_000, 100);
    expect(warmer.state.phase, 'it does not strive again while its cycle runs').toBe('running');
    held.resolve();
    await pass(clock, 1000, 100);
    expect(warmer.state).toMatchObject({ phase: 'following', slowdown: 2 });
  });

  test('a cycle that was cut off is done again by the next leader, at once', async () => {
    const clock = fakeClock();
    const memory = memoryStore();
    const cut = faultyStore(memory);
    const { cache: here } = aCache({ store: cut, clock });
    const { cache: there } = aCache({ store: memory, clock });
    const ran: string[] = [];
    const held = deferred<void>();
    here.warm('w', { every: '1h', run: () => (ran.push('here'), held.promise) });
    await pass(clock, 1000);
    there.warm('w', { every: '1h', run: () => void ran.push('there') });
    cut.down();
    await pass(clock, 11_000, 100);
    expect(ran).toEqual(['here', 'there']);
    held.resolve();
    await clock.advance(0);
  });

  test('a time of a schedule that nobody was there for is made up for, once', async () => {
    const clock = fakeClock(Date.parse('2026-11-20T16:30:00Z'));
    const store = memoryStore();
    const times: string[] = [];
    const options: WarmOptions = {
      cron: '0 * * * *',
      jitter: 0,
      run: () => times.push(new Date(clock.now()).toISOString().slice(11, 16)),
    };
    const first = aCache({ clock, store }).cache;
    first.warm('w', options);
    await pass(clock, 40 * minute, minute);
    await first.close();
    await pass(clock, 3 * 60 * minute, 10 * minute);
    aCache({ clock, store }).cache.warm('w', options);
    await pass(clock, 60 * minute, minute);
    expect(times).toEqual(['17:00', '20:10', '21:00']);
  });
});

describe('the end', () => {
  test('of the cache ends the warmer: its signal is aborted, its timers are gone, and the lease is free', async () => {
    const { here, there, clock } = processes();
    let reason: unknown;
    here.warm('w', {
      every: '1m',
      run: ({ signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            resolve();
          });
        }),
    });
    await clock.advance(0);
    await here.close();
    expect(String(reason)).toContain('stopped');
    await nextTurn();
    let runs = 0;
    there.warm('w', { every: '1m', run: () => void runs++ });
    await pass(clock, 1);
    expect(runs).toBe(1);
    expect(() => here.warm('w', { every: '1m', run() {} })).toThrow('closed');
  });

  test('does not wait longer than `close` does for a cycle that pays no heed, and leaves it the lease', async () => {
    const { here, there, clock } = processes();
    here.warm('w', { every: '1m', run: () => new Promise(() => {}) });
    await clock.advance(0);
    let closed = false;
    const closing = here.close({ timeout: '2s' }).then(() => {
      closed = true;
    });
    await clock.advance(1999);
    expect(closed).toBe(false);
    let runs = 0;
    there.warm('w', { every: '1m', run: () => void runs++ });
    await clock.advance(1);
    await closing;
    expect(runs).toBe(0);
    await pass(clock, 12_000, 100);
    expect(runs).toBe(1);
  });

  test('frees the name', async () => {
    const { cache } = aCache();
    const one = cache.warm('w', { every: '1m', run() {} });
    expect(() => cache.warm('w', { every: '1m', run() {} })).toThrow('while a warmer of that name runs');
    cache.namespace('other').warm('w', { every: '1m', run() {} });
    await one.stop();
    cache.warm('w', { every: '1m', run() {} });
  });
});

describe('wrong options', () => {
  const run = () => {};
  const cases: [unknown, string][] = [
    [undefined, 'Expected `options` to be an object, got undefined'],
    [{ run }, 'Expected one of `every`'],
    [{ every: 1, cron: '* * * * *', run }, 'Expected one of `every`'],
    [{ every: 0, run }, 'Expected `every` to be a duration of at least 1 ms, got 0 (number)'],
    [{ every: '1m' }, 'Expected one of `keys` and `run`'],
    [{ every: '1m', run: 1 }, 'Expected `run` to be a function, got 1 (number)'],
    [{ every: '1m', run, concurrency: 0 }, 'Expected `concurrency` to be a whole number of at least 1'],
    [{ every: '1m', run, jitter: 2 }, 'Expected `jitter` to be a number from 0 to 1'],
    [{ every: '1m', run, lease: 10 }, 'Expected `lease` to be a duration of at least 100 ms'],
    [{ every: '1m', run, timeout: Number.POSITIVE_INFINITY }, 'Expected `timeout` to be a duration'],
    [{ every: '1m', run, evry: 1 }, 'Unknown option `evry` of warm'],
    [{ cron: 'daily', run }, 'Expected `cron` to be five fields'],
  ];
  test.each(cases)('%o', (options, message) => {
    const { cache } = aCache();
    expect(() => cache.warm('w', options as WarmOptions)).toThrow(TypeError);
    expect(() => cache.warm('w', options as WarmOptions)).toThrow(message);
  });

  test('a name that is none; `keys` without memory; a call of what is not cached here', async () => {
    const { cache: own, clock } = aCache();
    expect(() => own.warm('', { every: 1, run })).toThrow('Expected `name` to be a non-empty text');
    const { cache: without } = aCache({ memory: false, store: memoryStore() });
    expect(() => without.warm('w', { every: 1, keys: () => [] })).toThrow('instead of `keys`');
    const { cache: other } = aCache();
    const f = other.withCache(async () => 1, { name: 'f' });
    for (const [i, fn] of [f, async () => 1].entries()) {
      const warmer = own.warm(`w${i}`, { every: '1h', keys: (call) => [call(fn as typeof f)] });
      await clock.advance(0);
      expect(String(warmer.state.last?.error)).toContain('Expected `fn` to be a');
    }
  });

  test('the defaults are what the comments say', () => {
    expect(warmDefaults).toEqual({ concurrency: 4, jitter: 0.1, timeout: 600_000, lease: 10_000 });
  });
});
