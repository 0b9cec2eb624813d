import { afterEach, describe, expect, test, vi } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { aSlowQuery, contains, Database, StaleRead, signal, turn } from '../support/database.js';
import { unwatched } from '../support/unwatched.js';
import { aNaiveWorld, aWorld, type EarlyQuery, everywhere, type World } from '../support/world.js';

// `swr`, `staleOnError`, soft time-outs and early refresh are about age. None of them makes an invalidated value good.

auditAfterEach();
afterEach(() => vi.restoreAllMocks());

const hour = 3_600_000;
type Soft = Partial<EarlyQuery<number>>;
const query = ({ db }: World, soft: Soft, load = async () => db.read('row')): EarlyQuery<number> => ({
  key: 'row',
  tags: ['rows'],
  ttl: 1000,
  ...soft,
  load,
});

/** Written and invalidated at an `age`, then read. */
async function readAt(world: World, soft: Soft, age: number) {
  const { here, there, db, clock } = world;
  await here.getOrSet(query(world, soft));
  await turn();
  await there.getOrSet(query(world, soft));
  await clock.advance(age);
  const newest = db.commit('row');
  await there.invalidate('rows');
  for (const who of [here, there, here]) contains(newest, await who.getOrSet(query(world, soft)));
}

/** A refresh in the background has read the old row when the write is acknowledged. */
async function refreshing(world: World, soft: Soft, age: number) {
  const { here, there, db, clock } = world;
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const first = here.getOrSet(
    query(world, soft, async () => {
      await wait(100);
      return db.read('row');
    }),
  );
  await clock.advance(100);
  await first;
  await clock.advance(age);
  const slow = aSlowQuery(db, 'row');
  const served = await here.getOrSet(query(world, soft, slow.load));
  contains(0, served);
  await slow.asked;
  const newest = db.commit('row');
  await there.invalidate('rows');
  const joiner = here.getOrSet(query(world, soft, slow.load));
  await turn();
  slow.answer();
  contains(newest, await joiner, 'a joiner');
  await turn();
  for (const who of [here, there]) contains(newest, await who.getOrSet(query(world, soft, slow.load)));
}

/** Written and invalidated; the load fails. */
async function failing(world: World, soft: Soft, age: number) {
  const { here, there, db, clock } = world;
  const down = new Error('the database is down');
  await here.getOrSet(query(world, soft));
  await clock.advance(age);
  const fail = query(world, soft, () => Promise.reject(down));
  // Aged and valid: this may stand in. It also begins the second in which no load is tried.
  contains(0, await here.getOrSet(fail).catch(() => 0));
  const newest = db.commit('row');
  await there.invalidate('rows');
  for (const who of [here, there, here]) contains(newest, await who.getOrSet(fail).catch(() => newest));
}

/** Written and invalidated; the load is slow. */
async function slowly(world: World, soft: Soft, age: number) {
  const { here, there, db, clock } = world;
  await here.getOrSet(query(world, soft));
  await clock.advance(age);
  const newest = db.commit('row');
  await there.invalidate('rows');
  const slow = aSlowQuery(db, 'row');
  const reading = here.getOrSet(query(world, soft, slow.load));
  await slow.asked;
  const joiner = here.getOrSet(query(world, soft, slow.load));
  await clock.advance(500);
  for (let i = 0; i < 10; i++) await turn();
  slow.answer();
  contains(newest, await reading);
  contains(newest, await joiner);
}

describe('an invalidated value', () => {
  describe.each([
    ['swr', { swr: hour }],
    ['staleOnError', { staleOnError: hour }],
    ['a soft time-out', { staleOnError: hour, swr: hour, timeout: { soft: 50 } }],
  ] as const)('is not softened by %s:', (_, soft) => {
    for (const age of [500, 1500])
      test.each(everywhere)(`at an age of ${age} of 1000 ms, %s`, (place) => readAt(aWorld(place), soft, age));
  });

  test.each(everywhere)('is not put back by a refresh in the background (swr), %s', (place) =>
    refreshing(aWorld(place), { swr: hour }, 1500),
  );
  test.each(everywhere)('is not put back by an early refresh, %s', (place) => refreshing(aWorld(place), {}, 700));
  test.each(everywhere)('does not stand in for a load that fails, %s', (place) =>
    failing(aWorld(place), { staleOnError: hour }, 1500),
  );
  test.each(everywhere)('does not stand in for a load that fails, nor with swr beside, %s', (place) =>
    failing(aWorld(place), { staleOnError: hour, swr: hour }, 1500),
  );
  test.each(everywhere)('does not stand in for a load that takes long, %s', (place) =>
    slowly(aWorld(place), { staleOnError: hour, swr: hour, timeout: { soft: 50 } }, 1500),
  );

  test('is served by caches that soften it', async () => {
    await expect(
      readAt(aNaiveWorld('serves aged values without looking at versions'), { swr: hour }, 1500),
    ).rejects.toThrow(StaleRead);
    await readAt(aNaiveWorld(), { swr: hour }, 1500);
    await expect(
      failing(aNaiveWorld('serves invalidated values when a load fails'), { staleOnError: hour }, 1500),
    ).rejects.toThrow(StaleRead);
    await failing(aNaiveWorld(), { staleOnError: hour }, 1500);
    await expect(
      slowly(aNaiveWorld('answers with an invalidated value when a load takes long'), { swr: hour }, 1500),
    ).rejects.toThrow(StaleRead);
    await slowly(aNaiveWorld(), { swr: hour }, 1500);
  });

  test('is put back by caches that take versions after the load, or trust whatever lands', async () => {
    for (const [soft, age] of [
      [{ swr: hour }, 1500],
      [{ early: 400 }, 700],
    ] as const) {
      for (const flaw of ['takes versions after the load', 'lets joiners have whatever lands'] as const)
        await expect(refreshing(aNaiveWorld(flaw), soft, age)).rejects.toThrow(StaleRead);
      await refreshing(aNaiveWorld(), soft, age);
    }
  });
});

describe('a soft time-out', () => {
  test.each(everywhere)(
    'answers with the aged value that still holds, and a joiner after a write waits, %s',
    async (place) => {
      const world = aWorld(place);
      const { here, there, db, clock } = world;
      const soft = { staleOnError: hour, timeout: { soft: 50 } };
      await here.getOrSet(query(world, soft));
      await clock.advance(1500);
      const slow = aSlowQuery(db, 'row');
      const reading = here.getOrSet(query(world, soft, slow.load));
      await slow.asked;
      await clock.advance(60);
      expect(await reading).toBe(0);
      const newest = db.commit('row');
      await there.invalidate('rows');
      const joiner = here.getOrSet(query(world, soft, slow.load));
      await clock.advance(60);
      slow.answer();
      contains(newest, await joiner);
    },
  );

  test('does not begin a second load while the first goes on', async () => {
    const clock = fakeClock();
    const cache = watch(createCache({ clock, jitter: 0, ttl: 1000, staleOnError: hour, timeout: { soft: 50 } }), clock);
    const going = signal();
    let loads = 0;
    const read = (wait?: Promise<void>) =>
      cache.getOrSet({
        key: 'row',
        load: async () => {
          loads++;
          await wait;
          return loads;
        },
      });
    await read();
    await clock.advance(1500);
    for (let i = 0; i < 10; i++) {
      const reading = read(going.fired);
      await clock.advance(60);
      expect(await reading).toBe(1);
    }
    going.fire();
    await turn();
    expect(loads).toBe(2);
  });
});

describe('tolerate', () => {
  test.each(everywhere)(
    'lets a read accept an invalidated value up to that age, and no other read, %s',
    async (place) => {
      const world = aWorld(place);
      const { db, clock } = world;
      const here = world.here as ReturnType<typeof createCache>;
      const there = world.there as ReturnType<typeof createCache>;
      await here.getOrSet(query(world, { ttl: hour }));
      await clock.advance(1000);
      const newest = db.commit('row');
      await there.invalidate('rows');
      const slow = aSlowQuery(db, 'row');
      const tolerant = { ...query(world, { ttl: hour }, slow.load), tolerate: 2000 };
      expect(await here.read(tolerant)).toMatchObject({ value: 0, reason: 'invalidated, and tolerated' });
      await slow.asked;
      const intolerant = here.getOrSet(query(world, { ttl: hour }));
      slow.answer();
      contains(newest, await intolerant);
      contains(newest, (await here.get('row')) ?? newest, 'get');
      // Replaced by what the refresh has loaded.
      await turn();
      expect(await here.getOrSet(tolerant)).toBe(newest);
      await there.invalidate('rows');
      await clock.advance(2000);
      db.commit('row');
      expect(await here.getOrSet(tolerant)).toBe(newest + 1);
    },
  );

  test('of one read does not reach another through the flight that refreshes the value', async () => {
    const clock = fakeClock();
    const shared = memoryStore();
    const store = faultyStore(unwatched(shared));
    const db = new Database();
    const here = watch(createCache({ clock, jitter: 0, store }), clock);
    const there = watch(createCache({ clock, jitter: 0, store: unwatched(shared) }), clock);
    const read = { key: 'row', tags: ['rows'], load: async () => db.read('row') };
    const first = here.getOrSet({ ...read, load: () => new Promise<number>((r) => clock.after(20, () => r(0))) });
    await clock.advance(20);
    await first;
    const newest = db.commit('row');
    await there.invalidate('rows');
    // Another process has the lease, so the refresh looks again, and sees once more what its read tolerates.
    const slow = aSlowQuery(db, 'row');
    const elsewhere = there.getOrSet({ ...read, load: slow.load });
    await slow.asked;
    store.delay(10);
    const intolerant = here.getOrSet(read);
    store.delay(0);
    const tolerant = here.getOrSet({ ...read, tolerate: hour });
    await clock.advance(60);
    slow.answer();
    contains(newest, await intolerant);
    contains(0, await tolerant);
    await elsewhere;
  });

  test.each(everywhere)('of the read that loads does not reach those who join it, %s', async (place) => {
    const world = aWorld(place);
    const { there, db } = world;
    const here = world.here as ReturnType<typeof createCache>;
    const slow = aSlowQuery(db, 'row');
    const tolerant = here.getOrSet({ ...query(world, {}, slow.load), tolerate: hour });
    await slow.asked;
    const newest = db.commit('row');
    await there.invalidate('rows');
    const joiners = [here.getOrSet(query(world, {}, slow.load)), here.getOrSet(query(world, {}, slow.load))];
    await turn();
    slow.answer();
    for (const joiner of joiners) contains(newest, await joiner, 'a joiner');
    contains(newest - 1, await tolerant);
  });

  test.each(everywhere)('does not reach the value around it: that is handed out and not stored, %s', async (place) => {
    const world = aWorld(place);
    const here = world.here as ReturnType<typeof createCache>;
    const inner = { ...query(world, { ttl: hour }), tolerate: hour };
    await here.getOrSet(inner);
    world.db.commit('row');
    await world.there.invalidate('rows');
    const outer = await here.read({ key: 'outer', ttl: hour, load: () => here.getOrSet(inner) });
    expect(outer).toMatchObject({ value: 0, stored: false });
    await turn();
    expect(await here.getOrSet({ key: 'outer', ttl: hour, load: () => here.getOrSet(inner) })).toBe(1);
  });
});
