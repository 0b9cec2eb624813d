import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test, vi } from 'vitest';
import type { CacheOptions, Copy } from '../../../src/core/options.js';
import type { Store } from '../../../src/core/store.js';
import type { Cache } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { aCache, counting, deferred, heard, now, slowLoad, turns } from './a-cache.js';

/** How long a difference waits for the invalidation that would explain it: `ackTimeout`, and a second. */
const patience = 2000;

/** A cache that audits every hit, and a database of two rows. */
function anAuditedCache(options: Parameters<typeof aCache>[0] = {}) {
  const { cache, clock } = aCache({ audit: 1, ...options });
  const db = { a: 1, b: 1 };
  const mismatches = heard(cache, 'mismatch');
  /** Lets audits come to their end. */
  const audited = async () => {
    await turns();
    await clock.advance(patience);
    await turns();
    return cache.stats().audits;
  };
  return { cache, clock, db, mismatches, audited };
}

const none = { audited: 0, mismatches: 0, undecided: 0, failed: 0, skipped: 0 };

describe.each<[string, () => CacheOptions]>([
  ['without a store', () => ({})],
  ['with a store, of which memory knows nothing', () => ({ store: memoryStore() })],
  ['with a store, where memory answers', () => ({ store: memoryStore(), maxStale: '1m' })],
])('an audit %s', (_, options) => {
  const anAudited = () => anAuditedCache(options() as never);

  test('finds a tag that was forgotten, and tells of it without the value', async () => {
    const { cache, db, mismatches, audited } = anAudited();
    const sum = () => cache.getOrSet({ key: ['sum', 'x'], tags: ['a'], load: () => `secret ${db.a + db.b}` });
    await sum();
    db.b = 5;
    expect(await sum()).toBe('secret 2');
    expect(await audited()).toEqual({ ...none, audited: 1, mismatches: 1 });
    expect(mismatches).toEqual([
      {
        ...{ type: 'mismatch', by: 'audit', name: 'sum', key: expect.stringContaining('sum') },
        tags: expect.arrayContaining(['a']),
        versions: expect.any(Array),
        stored: expect.stringMatching(/^[\w-]{22}$/),
        loaded: expect.stringMatching(/^[\w-]{22}$/),
      },
    ]);
    const [{ tags, versions, stored, loaded }] = mismatches as [(typeof mismatches)[number]];
    expect(versions.length).toBe(tags.length);
    expect(stored).not.toBe(loaded);
    expect(JSON.stringify(mismatches)).not.toContain('secret');
  });

  test('says nothing where all is well', async () => {
    const { cache, db, mismatches, audited } = anAudited();
    const a = () => cache.getOrSet({ key: 'a', tags: ['a'], load: () => ({ list: [db.a, new Date(0), new Map()] }) });
    for (let i = 0; i < 4; i++) await a();
    db.a = 2;
    await cache.invalidate('a');
    for (let i = 0; i < 4; i++) await a();
    expect(await audited()).toEqual({ ...none, audited: 6 });
    expect(mismatches).toEqual([]);
  });

  test('does not cry wolf when a write commits while it runs', async () => {
    const { cache, db, mismatches, audited } = anAudited();
    const a = (load: () => unknown) => cache.getOrSet({ key: 'a', tags: ['a'], load });
    await a(() => db.a);
    const { load, runs } = slowLoad();
    await a(load);
    await turns();
    db.a = 2;
    await cache.invalidate('a');
    runs[0]?.resolve(db.a);
    expect(await audited()).toEqual({ ...none, undecided: 1 });
    expect(mismatches).toEqual([]);
  });

  test('does not cry wolf when it has read what is committed and not yet invalidated', async () => {
    const { cache, clock, db, mismatches, audited } = anAudited();
    const a = () => cache.getOrSet({ key: 'a', tags: ['a'], load: () => db.a });
    await a();
    db.a = 2;
    expect(await a()).toBe(1);
    await turns();
    await clock.advance(1000);
    await cache.invalidate('a');
    expect(await audited()).toEqual({ ...none, undecided: 1 });
    expect(mismatches).toEqual([]);
  });
});

test('a memory that may be stale does not make a false alarm of what another process wrote', async () => {
  const shared = memoryStore();
  const deaf: Store = {
    kind: 'deaf',
    open: ({ listener, ...context }) =>
      shared.open({ ...context, listener: { ...listener, changed: () => {}, proven: () => {} } }),
  };
  const { cache: there, clock } = aCache({ store: shared, maxStale: '1h' });
  const { cache: here } = aCache({ store: deaf, maxStale: '1h', clock, audit: 1 });
  const mismatches = heard(here, 'mismatch');
  let row = 1;
  const read = () => here.getOrSet({ key: 'a', tags: ['a'], load: () => row });
  await read();
  row = 2;
  await there.invalidate('a');
  expect(await read()).toBe(1);
  await turns();
  await clock.advance(patience);
  await turns();
  expect(mismatches).toEqual([]);
});

test('an audit finds a function whose key leaves something out', async () => {
  const { cache, mismatches, audited } = anAuditedCache();
  const tenant = new AsyncLocalStorage<string>();
  const orders = cache.withCache(async () => `orders of ${tenant.getStore()}`, { name: 'orders', tags: ['orders'] });
  expect(await tenant.run('acme', orders)).toBe('orders of acme');
  await tenant.run('acme', orders);
  expect(await tenant.run('zeta', orders)).toBe('orders of acme');
  expect(await audited()).toEqual({ ...none, audited: 2, mismatches: 1 });
  expect(mismatches).toMatchObject([{ name: 'orders' }]);
});

test('an under-keyed function is found also where its load says by tags whose rows it reads', async () => {
  const { cache, audited } = anAuditedCache({ store: memoryStore() });
  let tenant = 'acme';
  const orders = () =>
    cache.getOrSet({
      key: 'orders',
      load: async ({ tag }) => {
        tag(`orders of ${tenant}`);
        return tenant;
      },
    });
  await orders();
  await orders();
  tenant = 'zeta';
  expect(await orders()).toBe('acme');
  expect(await audited()).toMatchObject({ mismatches: 1 });
});

describe('the reader of an audited hit', () => {
  test('does not wait for it', async () => {
    const { cache } = anAuditedCache();
    await cache.getOrSet({ key: 'a', tags: ['a'], load: () => 1 });
    const { load, runs } = slowLoad();
    expect(await now(cache.getOrSet({ key: 'a', tags: ['a'], load }))).toBe(1);
    expect(runs.length).toBe(1);
    runs[0]?.resolve(1);
  });

  test.each<Copy>(['frozen', 'clone', 'reference'])('may do what he likes with a value (%s)', async (copy) => {
    const { cache, mismatches, audited } = anAuditedCache({ copy });
    const read = () => cache.getOrSet({ key: 'a', tags: ['a'], load: async () => ({ at: new Date(0), n: [1] }) });
    await read();
    const mine = await read();
    mine.at.setTime(5);
    if (copy !== 'frozen') mine.n.push(2);
    expect(await audited()).toEqual({ ...none, audited: 1 });
    expect(mismatches).toEqual([]);
  });

  test('may change his arguments when he has his answer', async () => {
    const { cache, mismatches, audited } = anAuditedCache();
    const list = cache.withCache(async ({ page }: { page: number }) => `page ${page}`, { name: 'list', tags: ['a'] });
    const options = { page: 1 };
    await list(options);
    await list(options);
    options.page = 2;
    expect(await audited()).toEqual({ ...none, audited: 1 });
    expect(mismatches).toEqual([]);
  });

  test('sees a failed audit in the counts alone', async () => {
    const { cache, audited } = anAuditedCache();
    await cache.getOrSet({ key: 'a', tags: ['a'], load: () => 1 });
    const load = () => {
      throw new Error('down');
    };
    expect(await cache.getOrSet({ key: 'a', tags: ['a'], load })).toBe(1);
    expect(await audited()).toEqual({ ...none, failed: 1 });
  });
});

describe('an audited load', () => {
  test('stores nothing, counts as no read and tells nobody', async () => {
    const { cache, audited } = anAuditedCache({ store: memoryStore() });
    const load = counting();
    await cache.getOrSet({ key: 'a', tags: ['a'], load });
    const events = heard(cache, 'load', 'miss', 'untracked');
    expect(await cache.getOrSet({ key: 'a', tags: ['a'], load })).toBe(1);
    await audited();
    expect(load).toHaveBeenCalledTimes(2);
    expect(events).toEqual([]);
    expect(cache.stats().counts()).toEqual({ hits: 1, misses: 1, loads: 1 });
    expect(await cache.get('a')).toBe(1);
  });

  test('asks the database, and not the cache, for what it is made of', async () => {
    const { cache, db, mismatches, audited } = anAuditedCache();
    const inner = cache.withCache(async () => db.b, { name: 'inner', tags: ['a'] });
    const outer = cache.withCache(async () => [await inner()], { name: 'outer' });
    await outer();
    db.b = 7;
    const reads = cache.trace(async () => {
      await outer();
      await audited();
      return cache.trace().map(({ name }) => name);
    });
    expect(await reads).toEqual(['outer']);
    expect(mismatches).toMatchObject([{ name: 'outer' }]);
    expect(cache.stats().counts('inner')).toEqual({ hits: 0, misses: 1, loads: 1 });
  });

  test('of a hit inside a load belongs to nobody', async () => {
    const { cache, audited } = anAuditedCache();
    const inner = cache.withCache(async () => 'x', { name: 'inner', tags: ['inner'] });
    await inner();
    const outer = { key: 'outer', load: async ({ tag }: { tag(...tags: string[]): void }) => (tag('a'), inner()) };
    expect(await cache.read(outer)).toMatchObject({ stored: true, reason: 'nothing stored' });
    expect(await audited()).toEqual({ ...none, audited: 1 });
    await cache.invalidate('inner');
    expect(await cache.read(outer)).toMatchObject({ source: 'load' });
  });

  test('that puts something into the cache puts nothing in when it is audited', async () => {
    const { cache, audited } = anAuditedCache();
    let n = 0;
    const read = () =>
      cache.getOrSet({
        key: 'list',
        tags: ['a'],
        load: async () => {
          await cache.set('item', ++n);
          return 'list';
        },
      });
    await read();
    await read();
    expect(await audited()).toEqual({ ...none, audited: 1 });
    expect([n, await cache.get('item')]).toEqual([2, 1]);
  });

  test('is one of four at most', async () => {
    const { cache } = anAuditedCache();
    for (let i = 0; i < 6; i++) await cache.getOrSet({ key: ['a', i], tags: ['a'], load: () => i });
    const { load, runs } = slowLoad();
    for (let i = 0; i < 6; i++) await cache.getOrSet({ key: ['a', i], tags: ['a'], load });
    expect([runs.length, cache.stats().audits.skipped]).toEqual([4, 2]);
    for (const [i, run] of runs.entries()) run.resolve(i);
    await turns();
    expect(cache.stats().audits).toEqual({ ...none, audited: 4, skipped: 2 });
    await cache.getOrSet({ key: ['a', 5], tags: ['a'], load: () => 5 });
    await turns();
    expect(cache.stats().audits.audited).toBe(5);
  });

  test('that does not want its value stored proves nothing', async () => {
    const { cache, mismatches, audited } = anAuditedCache();
    await cache.getOrSet({ key: 'a', tags: ['a'], load: () => 1 });
    await cache.getOrSet({ key: 'a', tags: ['a'], load: ({ skip }) => (skip('a way out'), 2) });
    expect(await audited()).toEqual({ ...none, undecided: 1 });
    expect(mismatches).toEqual([]);
  });
});

describe('what is audited', () => {
  test('nothing, unless it is said', async () => {
    const { cache } = aCache();
    const load = counting();
    await cache.getOrSet({ key: 'a', tags: ['a'], load });
    const random = vi.spyOn(Math, 'random');
    for (let i = 0; i < 100; i++) await cache.getOrSet({ key: 'a', tags: ['a'], load });
    expect(load).toHaveBeenCalledTimes(1);
    expect(random).not.toHaveBeenCalled();
    expect(cache.stats().audits).toEqual(none);
  });

  test('a share of the hits, each with the same chance', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { cache, audited } = anAuditedCache({ audit: 0.1 });
    const load = vi.fn(() => 1);
    await cache.getOrSet({ key: 'a', tags: ['a'], load });
    random.mockClear();
    for (let i = 0; i < 70; i++) await cache.getOrSet({ key: 'a', tags: ['a'], load });
    // Seven is what it takes to be audited with a probability of one half.
    expect(await audited()).toEqual({ ...none, audited: 10 });
    expect(random).toHaveBeenCalledTimes(10);
    random.mockRestore();
    const { cache: other, audited: others } = anAuditedCache({ audit: 0.2 });
    for (let i = 0; i < 5001; i++) await other.getOrSet({ key: 'a', tags: ['a'], load });
    const { audited: count } = await others();
    // Six standard deviations about the mean.
    expect(Math.abs(count - 1000)).toBeLessThan(170);
  });

  test('members of batches and of getOrSetMany', async () => {
    const { cache, db, mismatches, audited } = anAuditedCache({ store: memoryStore() });
    const load = vi.fn(async (ids: readonly number[]) => ids.map((id) => id * db.b));
    const batch = cache.batch({ name: 'batch', load, tags: () => ['a'] });
    const many = () => cache.getOrSetMany({ inputs: [1, 2], key: (id) => ['many', id], tags: () => ['a'], load });
    const all = async () => [await batch.loadMany([1, 2]), await many()];
    await all();
    db.b = 3;
    expect(await all()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await audited()).toEqual({ ...none, audited: 4, mismatches: 4 });
    expect(mismatches.map(({ name }) => name).sort()).toEqual(['batch', 'batch', 'many', 'many']);
  });

  test('an audit in the tick of a load does not become part of its batch', async () => {
    const { cache, audited } = anAuditedCache({ store: memoryStore() });
    const load = vi.fn(async (ids: readonly number[]) => ids.map((id) => id));
    const batch = cache.batch({ name: 'batch', load, tags: () => ['a'] });
    await batch.load(1);
    await batch.loadMany([1, 2]);
    await audited();
    expect(load.mock.calls.map(([ids]) => ids)).toEqual(expect.arrayContaining([[1], [2], [1]]));
    expect(load).toHaveBeenCalledTimes(3);
  });

  test('no tree: it lives in this process and goes on growing', async () => {
    const { cache, audited } = anAuditedCache();
    const rows = vi.fn(async () => [{ id: 1, parent: null }]);
    const tree = cache.tree('tree', { rows, id: 'id', parent: 'parent' });
    for (let i = 0; i < 5; i++) await tree.get(1);
    expect(await audited()).toEqual(none);
    expect(rows).toHaveBeenCalledTimes(1);
  });

  test('nothing that is served although it is too old', async () => {
    const { cache, clock, audited } = anAuditedCache({ ttl: 1000, swr: '1h' });
    const load = counting();
    await cache.getOrSet({ key: 'a', tags: ['a'], load });
    await clock.advance(1000);
    expect(await cache.getOrSet({ key: 'a', tags: ['a'], load })).toBe(1);
    expect(await audited()).toEqual(none);
  });

  test('nothing in a transaction, which reads from the database anyway', async () => {
    const { cache, audited } = anAuditedCache();
    const load = counting();
    await cache.getOrSet({ key: 'a', tags: ['a'], load });
    await cache.transaction(() => cache.getOrSet({ key: 'a', tags: ['a'], load }));
    expect(await audited()).toEqual(none);
  });

  test.each<[string, (cache: Cache, load: () => number) => () => Promise<unknown>]>([
    ['by an option', (cache, load) => () => cache.getOrSet({ key: 'a', tags: [], load })],
    ['by the load', (cache, load) => () => cache.getOrSet({ key: 'a', load: ({ tag }) => (tag(), load()) })],
    ['by the value', (cache, load) => cache.withCache(async () => load(), { name: 'a', tagsOf: () => [] })],
  ])('nothing of which it was said that age alone ends it (%s)', async (_, reading) => {
    const { cache, mismatches, audited } = anAuditedCache();
    let n = 0;
    const read = reading(cache, () => ++n);
    for (let i = 0; i < 2; i++) await read();
    expect(await audited()).toEqual({ ...none, undecided: 1 });
    expect(mismatches).toEqual([]);
  });
});

describe('a difference', () => {
  test('is none when parts come in another order', async () => {
    const { cache, mismatches, audited } = anAuditedCache();
    const forms = [
      { a: 1, b: new Set([1, 2]) },
      { b: new Set([2, 1]), a: 1 },
    ];
    const read = () => cache.getOrSet({ key: 'a', tags: ['a'], load: () => forms.shift() });
    await read();
    await read();
    expect(await audited()).toEqual({ ...none, audited: 1 });
    expect(mismatches).toEqual([]);
  });

  test('is found in what a class keeps to itself', async () => {
    class Money {
      readonly #cents: number;
      constructor(cents: number) {
        this.#cents = cents;
      }
      get cents() {
        return this.#cents;
      }
    }
    const rule = { class: Money, encode: ({ cents }: Money) => cents, decode: (cents: number) => new Money(cents) };
    const { cache, audited } = anAuditedCache({ types: [rule] });
    let cents = 1;
    const read = () => cache.getOrSet({ key: 'a', tags: ['a'], load: () => new Money(cents) });
    await read();
    cents = 2;
    await read();
    expect(await audited()).toMatchObject({ mismatches: 1 });
  });

  test('waits for one second look for each key, however often it is seen', async () => {
    const { cache, db, mismatches, audited } = anAuditedCache();
    const a = () => cache.getOrSet({ key: 'a', tags: ['b'], load: () => db.a });
    await a();
    db.a = 2;
    for (let i = 0; i < 3; i++) await a();
    expect(await audited()).toEqual({ ...none, audited: 1, mismatches: 1, undecided: 2 });
    expect(mismatches.length).toBe(1);
  });

  test('that waits is forgotten when the cache is closed', async () => {
    const { cache, clock, db, mismatches } = anAuditedCache();
    const a = () => cache.getOrSet({ key: 'a', tags: ['b'], load: () => db.a });
    await a();
    db.a = 2;
    await a();
    await turns();
    expect(clock.pending).toBeGreaterThan(0);
    await cache.close();
    await turns();
    expect([mismatches, clock.pending]).toEqual([[], 0]);
  });

  test('that nobody listens for is a warning, once for each name', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { cache, clock } = aCache({ audit: 1 });
    let row = 1;
    const read = (id: number) => cache.getOrSet({ key: ['row', id], tags: ['a'], load: () => row });
    for (const id of [1, 2]) await read(id);
    row = 2;
    for (const id of [1, 2]) await read(id);
    await turns();
    await clock.advance(patience);
    await turns();
    expect(cache.stats().audits.mismatches).toBe(2);
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      expect.stringContaining("A stored value of 'row' differs"),
    ]);
  });
});

test('close ends an audit that is under way', async () => {
  const { cache } = anAuditedCache();
  await cache.getOrSet({ key: 'a', tags: ['a'], load: () => 1 });
  const ended = deferred();
  await cache.getOrSet({
    key: 'a',
    tags: ['a'],
    load: ({ signal }) => new Promise(() => signal.addEventListener('abort', ended.resolve)),
  });
  await cache.close();
  await ended.promise;
  await turns();
  expect(cache.stats().audits).toEqual({ ...none, failed: 1 });
});

test.each([-0.1, 1.1, Number.NaN, '0.5', true])('an audit of %s is refused', (audit) => {
  expect(() => aCache({ audit: audit as number })).toThrow(/^Expected `audit` to be a number from 0 to 1, got /);
});
