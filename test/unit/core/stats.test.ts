import { describe, expect, test } from 'vitest';
import { nameOf, Stats } from '../../../src/core/stats.js';
import { aCache, heard, processes, turns } from './a-cache.js';

describe('Stats', () => {
  test('keep a counter for each name, up to 10,000, and one for all others', () => {
    const stats = new Stats();
    expect(stats.counter('a')).toBe(stats.counter('a'));
    for (let i = 0; i < 20_000; i++) stats.counter(`name ${i}`).hits++;
    expect(stats.counter('name 19999')).toBe(stats.counter('name 15000'));
    expect(stats.counts().hits).toBe(20_000);
  });

  test('a rate without reads is 0', () => {
    expect(new Stats().hitRate()).toBe(0);
    expect(new Stats().hitRate('nobody')).toBe(0);
  });

  test('a prefix sums up all names that begin with it', () => {
    const stats = new Stats();
    stats.counter('user').hits = 3;
    stats.counter('userRoles').misses = 1;
    stats.counter('team').misses = 4;
    expect([stats.hitRate('user'), stats.hitRate('team'), stats.hitRate()]).toEqual([0.75, 0, 3 / 8]);
  });

  test('the cost of a load follows the newest', () => {
    const counter = new Stats().counter('a');
    expect(counter.cost).toBeUndefined();
    counter.spent(100);
    expect(counter.cost).toBe(100);
    for (let i = 0; i < 20; i++) counter.spent(10);
    expect(counter.cost).toBeCloseTo(10, 0);
  });

  test.each([
    ['user', 'user'],
    ['user:7', 'user'],
    [':7', ':7'],
    [['user', 7], 'user'],
    [['org:user', 7], 'org'],
    [[7, 'user'], '(unnamed)'],
    [[], '(unnamed)'],
    [undefined, '(unnamed)'],
  ])('%o is counted as %s', (key, name) => {
    expect(nameOf(key)).toBe(name);
  });
});

test('the hit rate goes by name', async () => {
  const { cache } = aCache();
  const read = (...key: string[]) => cache.getOrSet({ key, load: () => 1 });
  for (let i = 0; i < 4; i++) await read('user', 'a');
  await read('team', 'a');
  const stats = cache.stats();
  expect([stats.hitRate('user'), stats.hitRate('team'), stats.hitRate(), stats.hitRate('x')]).toEqual([
    0.75, 0, 0.6, 0,
  ]);
});

test('counts are what a recount of the events gives, whatever happens', async () => {
  const { here: cache, there, clock } = processes({ ttl: 1000, swr: 500, staleOnError: 2000, timeout: 300 });
  const f = cache.withCache(async (n: number) => n, { name: 'f' });
  const events = heard(cache, 'hit', 'miss', 'load');
  let seed = 7;
  const dice = (sides: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % sides;
  };
  for (let step = 0; step < 400; step++) {
    const key = ['k', dice(5)];
    const load = () => {
      if (dice(4) === 0) throw new Error('down');
      return step;
    };
    const acts = [
      () => cache.getOrSet({ key, tags: ['t'], load }),
      () => Promise.all([cache.getOrSet({ key, load }), cache.read({ key, load })]),
      () => cache.getOrSet({ key, load, fresh: true }),
      () => cache.getOrSet({ key, load: (context) => (context.skip(), load()) }),
      () => cache.getOrSetMany({ inputs: [1, 2, 3], key: (n) => ['k', n], load: (inputs) => inputs.map(load) }),
      () => cache.get(key),
      () => cache.has(key),
      () => cache.set(key, step),
      () => f(dice(3)),
      () => f.fresh(dice(3)),
      () => cache.transaction(() => cache.getOrSet({ key, load })),
      () => there.invalidate('t'),
      () => cache.delete(key),
      () => clock.advance(dice(800)),
    ];
    await acts[dice(acts.length)]?.().catch(() => {});
    await turns(1);
  }
  const recount = { hits: 0, misses: 0, loads: 0 };
  for (const { type } of events) recount[type === 'hit' ? 'hits' : type === 'miss' ? 'misses' : 'loads']++;
  expect(cache.stats().counts()).toEqual(recount);
  expect(Math.min(...Object.values(recount))).toBeGreaterThan(20);
});

test('by prefix, tag and tenant they are what a recount of the events gives, alone and together', async () => {
  const { here: cache, there, clock } = processes({ ttl: 1000, swr: 500, stats: { tags: true, tenants: true } });
  const events = heard(cache, 'hit', 'miss', 'load');
  let seed = 11;
  const dice = (sides: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * sides);
  };
  const names = ['user', 'userRole', 'team'];
  const tags = ['t0', 't1', '~own'];
  const tenants = ['1', 1, 'b'];
  const f = cache.withCache(async (n: number) => n, {
    name: 'team',
    tags: (n) => [`t${n}`],
    tagsOf: (n) => [`of${n}`],
  });
  // A tree's loads are several to a read, and belong to the tenant too.
  const nodes = async (ids: readonly (number | null)[], column: 'id' | 'parent') => {
    if (dice(8) === 0) throw new Error('down');
    return [1, 2, 3].map((id) => ({ id, parent: id === 1 ? null : 1 })).filter((node) => ids.includes(node[column]));
  };
  const tree = cache.tree<{ id: number; parent: number | null }>()('userTree', {
    ...{ id: 'id', parent: 'parent' },
    load: (ids) => nodes(ids, 'id'),
    children: (ids) => nodes(ids, 'parent'),
  });
  for (let step = 0; step < 1500; step++) {
    const key = [names[dice(3)] as string, dice(3)];
    const load = () => {
      if (dice(8) === 0) throw new Error('down');
      return step;
    };
    const tagged = tags.filter(() => dice(2) === 0);
    const acts = [
      () => cache.getOrSet({ key, tags: tagged, load }),
      () => cache.getOrSet({ key, load: (context) => (context.tag('learned'), load()) }),
      () => Promise.all([cache.getOrSet({ key, tags: tagged, load }), cache.read({ key, load })]),
      () =>
        cache.getOrSetMany({
          inputs: [0, 1, 2],
          key: (n) => ['user', n],
          tags: () => tagged,
          load: (all) => all.map(load),
        }),
      () => cache.getOrSet({ key, load: () => cache.getOrSet({ key: 'team', tags: tagged, load }) }),
      () => cache.get(key),
      () => f(dice(3)),
      () => cache.set(key, step),
      () => tree.subtree(1 + dice(3)),
      () => tree.invalidate(1 + dice(3)),
      () => there.invalidate(tags[dice(3)] as string),
      () => clock.advance(dice(500)),
    ];
    const act = async () => acts[dice(acts.length)]?.();
    const tenant = tenants[dice(5)];
    await (tenant === undefined ? act() : cache.runAsTenant(tenant, act)).catch(() => {});
    await turns(1);
  }
  const stats = cache.stats();
  let nonZero = 0;
  for (const prefix of ['', 'user', 'userTree', 'team', 'nobody'])
    for (const tag of [undefined, ...tags, 'of1', 'learned', 'never'])
      for (const tenant of [undefined, ...tenants, 'never']) {
        const meant = events.filter(
          (event) =>
            event.name.startsWith(prefix) &&
            (tag === undefined || event.tags?.includes(tag)) &&
            (tenant === undefined || event.tenant === tenant),
        );
        const recount = {
          hits: meant.filter(({ type }) => type === 'hit').length,
          misses: meant.filter(({ type }) => type === 'miss').length,
          loads: meant.filter(({ type }) => type === 'load').length,
        };
        const by = { prefix, ...(tag === undefined ? {} : { tag }), ...(tenant === undefined ? {} : { tenant }) };
        expect(stats.counts(by), JSON.stringify(by)).toEqual(recount);
        const { hits, misses } = recount;
        expect(stats.hitRate(by)).toBe(hits + misses === 0 ? 0 : hits / (hits + misses));
        if (Math.min(...Object.values(recount)) > 0) nonZero++;
      }
  expect(nonZero).toBeGreaterThan(50);
  expect(stats.counts()).toMatchObject(stats.counts({}));
}, 60_000);

test('by tag and by tenant they are asked for when the cache is made, and else refused', async () => {
  const { cache } = aCache();
  expect(() => cache.stats().hitRate({ tag: 't' })).toThrow('give createCache `stats: { tags: true }`');
  expect(() => cache.stats().counts({ tenant: 't' })).toThrow('give createCache `stats: { tenants: true }`');
  expect(() => cache.stats().hitRate({ tags: 't' } as never)).toThrow('Unknown option `tags` of stats');
  expect(() => cache.stats().hitRate({ prefix: 1 } as never)).toThrow('Expected `prefix` to be a text');
  expect(() => cache.stats().hitRate(1 as never)).toThrow('Expected `by` to be a text, or an object');
  expect(() => aCache({ stats: { tags: 1 } as never })).toThrow('Expected `stats.tags` to be true or false');
  expect(() => aCache({ stats: true as never })).toThrow('Expected `stats` to be');
});

test('the number of counters by tag and tenant is bounded, and names go on to be counted', () => {
  const stats = new Stats({ tags: true, tenants: true });
  const counter = stats.counter('a');
  for (let i = 0; i < 60_000; i++) stats.tally(counter, i, [[`tag ${i}`, 1]]).hit();
  expect(stats.counts({ tag: 'tag 7' }).hits).toBe(1);
  expect(stats.counts({ tag: 'tag 59999' }).hits).toBe(0);
  expect(stats.counts().hits).toBe(60_000);
});

test('entries and bytes are those of this process’s memory', async () => {
  const { cache } = aCache();
  expect([cache.stats().entries, cache.stats().bytes]).toEqual([0, 0]);
  await cache.set('a', 'x'.repeat(10_000));
  await cache.set('b', 1);
  expect(cache.stats().entries).toBe(2);
  expect(cache.stats().bytes).toBeGreaterThan(10_000);
  expect(cache.stats().bytes).toBeLessThan(25_000);
});
