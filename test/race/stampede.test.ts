import { describe, expect, test } from 'vitest';
import { type Cache, createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { aSlowQuery, contains, signal, turn } from '../support/database.js';
import { aNaiveWorld, aWorld, everywhere, type Subject, type World } from '../support/world.js';

auditAfterEach();

const many = (count: number, read: () => Promise<unknown>) => Promise.allSettled(Array.from({ length: count }, read));

async function herd({ here, db }: World) {
  db.commit('row');
  const slow = aSlowQuery(db, 'row');
  const reads = many(200, () => here.getOrSet({ key: 'row', tags: ['rows'], load: slow.load }));
  await slow.asked;
  await turn();
  slow.answer();
  for (const read of await reads) expect(read).toEqual({ status: 'fulfilled', value: 1 });
  return slow.calls;
}

async function failingHerd({ here }: World) {
  const down = new Error('the database is down');
  const go = signal();
  let calls = 0;
  const load = async () => {
    calls++;
    await go.fired;
    throw down;
  };
  const reads = many(50, () => here.getOrSet({ key: 'row', tags: ['rows'], load }));
  await turn();
  go.fire();
  for (const read of await reads) {
    expect(read.status).toBe('rejected');
    expect((read as PromiseRejectedResult).reason).toBe(down);
  }
  return calls;
}

describe('200 reads that miss at once', () => {
  test.each(everywhere)('cause one load, %s', async (place) => {
    expect(await herd(aWorld(place))).toBe(1);
  });

  test('cause 200 in a cache without flights', async () => {
    expect(await herd(aNaiveWorld('has no flights'))).toBe(200);
    expect(await herd(aNaiveWorld())).toBe(1);
  });

  test.each(everywhere)(
    'cause two when a write is acknowledged between them, and the later ones contain it, %s',
    async (place) => {
      const { here, there, db } = aWorld(place);
      const slow = aSlowQuery(db, 'row');
      const query = { key: 'row', tags: ['rows'], load: slow.load };
      const before = many(100, () => here.getOrSet(query));
      await slow.asked;
      const newest = db.commit('row');
      await there.invalidate('rows');
      const after = many(100, () => here.getOrSet(query));
      await turn();
      slow.answer();
      await before;
      for (const read of await after) contains(newest, (read as PromiseFulfilledResult<unknown>).value);
      expect(slow.calls).toBe(2);
    },
  );

  test.each(everywhere)('of many keys cause one load of many, %s', async (place) => {
    const cache = aWorld(place).here as ReturnType<typeof createCache>;
    const loads: number[][] = [];
    const inputs = Array.from({ length: 200 }, (_, i) => i % 50);
    const read = () =>
      cache.getOrSetMany({
        inputs,
        key: (i) => ['row', i],
        load: async (missing) => {
          loads.push([...missing]);
          await turn();
          return missing.map((i) => i * 2);
        },
      });
    const [one, two] = await Promise.all([read(), read()]);
    expect(one).toEqual(inputs.map((i) => i * 2));
    expect(two).toEqual(one);
    expect(loads.flat().length).toBe(50);
  });
});

describe('50 reads that miss at once while the database is down', () => {
  test.each(everywhere)('cause one load, get its error unchanged, and the next read tries again, %s', async (place) => {
    const world = aWorld(place);
    expect(await failingHerd(world)).toBe(1);
    expect(await failingHerd(world)).toBe(1);
    expect(await herd(world)).toBe(1);
  });

  test('cause 50 in a cache without flights, and none for ever in one that keeps failures', async () => {
    expect(await failingHerd(aNaiveWorld('has no flights'))).toBe(50);
    const keeps = aNaiveWorld('keeps failures');
    await failingHerd(keeps);
    expect(
      (await many(1, () => keeps.here.getOrSet({ key: 'row', tags: ['rows'], load: async () => 1 })))[0]?.status,
    ).toBe('rejected');
    const right = aNaiveWorld();
    expect(await failingHerd(right)).toBe(1);
    expect(await herd(right)).toBe(1);
  });
});

describe('four processes with 50 reads each', () => {
  function fourCaches(options = {}, count = 4) {
    const clock = fakeClock();
    const store = memoryStore();
    const caches = Array.from({ length: count }, () =>
      watch(createCache({ jitter: 0, clock, store, ...options }), clock),
    );
    const herd = (load: () => Promise<number>) =>
      Promise.all(caches.map((cache) => many(50, () => cache.getOrSet({ key: 'row', tags: ['rows'], load }))));
    return { clock, caches, herd };
  }

  test('cause one load of a key that nobody has', async () => {
    const { clock, herd } = fourCaches();
    let loads = 0;
    const load = async () => {
      loads++;
      await new Promise<void>((resolve) => clock.after(200, resolve));
      return 1;
    };
    const reads = herd(load);
    await clock.advance(300);
    for (const read of (await reads).flat()) expect(read).toEqual({ status: 'fulfilled', value: 1 });
    expect(loads).toBe(1);
  });

  test.each([
    ['that was invalidated', async ({ caches }: { caches: Subject[] }) => void (await caches[2]?.invalidate('rows'))],
    ['that has aged', async ({ clock }: ReturnType<typeof fourCaches>) => clock.advance(60_001)],
  ])('cause one load of a key %s', async (_, end) => {
    const world = fourCaches();
    const { clock, herd } = world;
    let loads = 0;
    const load = async () => {
      const value = ++loads;
      await new Promise<void>((resolve) => clock.after(200, resolve));
      return value;
    };
    const first = herd(load);
    await clock.advance(300);
    await first;
    await end(world);
    const reads = herd(load);
    await clock.advance(2000);
    for (const read of (await reads).flat()) expect(read).toEqual({ status: 'fulfilled', value: 2 });
    expect(loads).toBe(2);
  });

  test('cause one load when the value is refreshed in the background', async () => {
    const { clock, herd } = fourCaches({ swr: '1h' });
    let loads = 0;
    const load = async () => {
      const value = ++loads;
      await new Promise<void>((resolve) => clock.after(200, resolve));
      return value;
    };
    const first = herd(load);
    await clock.advance(300);
    await first;
    await clock.advance(60_001);
    await herd(load);
    await clock.advance(2000);
    expect(loads).toBe(2);
    for (const read of (await herd(load)).flat()) expect(read).toEqual({ status: 'fulfilled', value: 2 });
  });

  test('cause one load also when it takes longer than loads of its name are known to take', async () => {
    const { clock, caches, herd } = fourCaches();
    const loading = (ms: number) => () => new Promise<number>((resolve) => clock.after(ms, () => resolve(++loads)));
    let loads = 0;
    const known = caches.map((cache, i) => cache.getOrSet({ key: `row:${i}`, load: loading(50) }));
    await clock.advance(100);
    await Promise.all(known);
    loads = 0;
    const reads = herd(loading(250));
    await clock.advance(500);
    for (const read of (await reads).flat()) expect(read).toEqual({ status: 'fulfilled', value: 1 });
    expect(loads).toBe(1);
  });

  test('cause one load more, and not one each, when who loads never ends', async () => {
    const { clock, caches } = fourCaches();
    const loading = () => new Promise<number>((resolve) => clock.after(50, () => resolve(++loads)));
    let loads = 0;
    const known = caches.map((cache, i) => cache.getOrSet({ key: `row:${i}`, load: loading }));
    await clock.advance(100);
    await Promise.all(known);
    loads = 0;
    const [dying, ...others] = caches;
    const dies = many(1, () =>
      dying!.getOrSet({ key: 'row', tags: ['rows'], load: () => new Promise<number>(() => {}) }),
    );
    await turn();
    const reads = others.map((cache) => many(50, () => cache.getOrSet({ key: 'row', tags: ['rows'], load: loading })));
    await clock.advance(500);
    for (const read of (await Promise.all(reads)).flat()) expect(read).toEqual({ status: 'fulfilled', value: 1 });
    expect(loads).toBe(1);
    await clock.advance(60_000);
    expect((await dies)[0]?.status).toBe('rejected');
  });

  test('load one after the other when nobody comes to an end', async () => {
    const { clock, caches, herd } = fourCaches();
    let loads = 0;
    const loading = () => new Promise<number>((resolve) => clock.after(50, () => resolve(++loads)));
    const known = caches.map((cache, i) => cache.getOrSet({ key: `row:${i}`, load: loading }));
    await clock.advance(100);
    await Promise.all(known);
    loads = 0;
    const reads = herd(() => new Promise<number>(() => loads++));
    for (const begun of [2, 3, 4]) {
      await clock.advance(425);
      expect(loads).toBe(begun);
    }
    await clock.advance(60_000);
    for (const read of (await reads).flat()) expect(read.status).toBe('rejected');
  });

  test.each([
    ['never did this load', undefined],
    ['remembers it as slow', 1000],
  ])('load one after the other when the first %s, and does not come to an end', async (_, known) => {
    const { clock, caches } = fourCaches({}, 8);
    let loads = 0;
    const loading = (ms: number) => () => new Promise<number>((resolve) => clock.after(ms, () => resolve(++loads)));
    const [first, ...others] = caches as [Cache, ...Cache[]];
    const warm = others.map((cache, i) => cache.getOrSet({ key: `row:${i}`, load: loading(50) }));
    if (known !== undefined) warm.push(first.getOrSet({ key: 'row:slow', load: loading(known) }));
    await clock.advance(1100);
    await Promise.all(warm);
    loads = 0;
    const hangs = many(1, () =>
      first.getOrSet({ key: 'row', tags: ['rows'], load: () => new Promise<number>(() => loads++) }),
    );
    await clock.advance(1);
    const read = { key: 'row', tags: ['rows'], load: loading(50) };
    const reads = others.map((cache) => many(50, () => cache.getOrSet(read)));
    await clock.advance(600);
    for (const one of (await Promise.all(reads)).flat()) expect(one).toEqual({ status: 'fulfilled', value: 2 });
    expect(loads).toBe(2);
    await clock.advance(60_000);
    expect((await hangs)[0]?.status).toBe('rejected');
  });

  test('load each for themselves after four that did not', async () => {
    const { clock, caches, herd } = fourCaches({}, 8);
    let loads = 0;
    const loading = () => new Promise<number>((resolve) => clock.after(50, () => resolve(++loads)));
    const known = caches.map((cache, i) => cache.getOrSet({ key: `row:${i}`, load: loading }));
    await clock.advance(100);
    await Promise.all(known);
    loads = 0;
    const reads = herd(() => new Promise<number>(() => loads++));
    await clock.advance(1150);
    expect(loads).toBeLessThanOrEqual(4);
    await clock.advance(200);
    expect(loads).toBe(8);
    await clock.advance(60_000);
    for (const read of (await reads).flat()) expect(read.status).toBe('rejected');
  });

  test('each load for themselves where there is no lease', async () => {
    const worlds = [aNaiveWorld(), aNaiveWorld()];
    const server = worlds[0] as ReturnType<typeof aNaiveWorld>;
    const slow = aSlowQuery(server.db, 'row');
    const reads = [server.here, server.there].map((who) =>
      many(50, () => who.getOrSet({ key: 'row', tags: ['rows'], load: slow.load })),
    );
    await slow.asked;
    await turn();
    slow.answer();
    await Promise.all(reads);
    expect(slow.calls).toBe(2);
  });
});

describe('a process that gets the lease after another one has loaded', () => {
  function twoCaches() {
    const clock = fakeClock();
    const store = memoryStore();
    const wire = faultyStore(store);
    const [first, second] = [store, wire].map((way) => watch(createCache({ jitter: 0, clock, store: way }), clock));
    let loads = 0;
    const read = (cache: typeof first) =>
      cache?.getOrSet({
        key: 'row',
        load: () => new Promise<number>((resolve) => clock.after(50, () => resolve(++loads))),
      });
    return { clock, wire, first: () => read(first), second: () => read(second) };
  }

  test('looks again when the answer that there is nothing was long on its way', async () => {
    const { clock, wire, first, second } = twoCaches();
    const looks = wire.hold('read', 'reply');
    const late = second();
    await looks.arrived();
    const early = first();
    await clock.advance(60);
    expect(await early).toBe(1);
    looks.release();
    await clock.advance(60);
    expect(await late).toBe(1);
  });

  test('looks again when it was refused before', async () => {
    const { clock, wire, first, second } = twoCaches();
    const early = first();
    await turn();
    const late = second();
    await turn();
    const looks = wire.hold('read', 'reply');
    await clock.advance(40);
    await looks.arrived();
    await clock.advance(20);
    expect(await early).toBe(1);
    looks.release();
    await clock.advance(60);
    expect(await late).toBe(1);
  });
});
