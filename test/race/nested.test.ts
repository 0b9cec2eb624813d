import { describe, expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { aSlowQuery, contains, StaleRead, signal, turn } from '../support/database.js';
import { aNaiveWorld, aWorld, everywhere, type World } from '../support/world.js';

// A cached load inside another: what ends the inner value ends the outer one, whenever that happens.

auditAfterEach();

const inner = ({ here, db }: World, load = async () => db.read('row')) =>
  here.getOrSet({ key: 'inner', tags: ['rows'], load });

/** The inner value is a hit, a load, or a joined flight; it is ended while the outer load goes on. */
async function during(world: World, how: 'hit' | 'load' | 'joined', twice: boolean) {
  const { here, there, db } = world;
  const slow = aSlowQuery(db, 'row');
  if (how === 'hit') await inner(world);
  await turn();
  const joined = how === 'joined' ? inner(world, slow.load) : undefined;
  if (joined !== undefined) await slow.asked;
  const between = signal();
  const reached = signal();
  const outer = (wait: boolean) => async () => {
    const first = await inner(world);
    if (!wait) return first;
    reached.fire();
    await between.fired;
    // A second look at the same tag finds another version: neither may hide the other.
    return twice ? Math.min(first, await inner(world)) : first;
  };
  const reading = here.getOrSet({ key: 'outer', load: outer(true) });
  if (joined !== undefined) {
    await turn();
    slow.answer();
  }
  await reached.fired;
  const newest = db.commit('row');
  await there.invalidate('rows');
  between.fire();
  await reading;
  await joined;
  await turn();
  for (const who of [here, there, here]) contains(newest, await who.getOrSet({ key: 'outer', load: outer(false) }));
}

describe('an inner value that is invalidated during the outer load', () => {
  for (const how of ['hit', 'load', 'joined'] as const)
    for (const twice of [false, true])
      test.each(everywhere)(
        `ends the outer one: ${how}, ${twice ? 'read again afterwards' : 'read once'}, %s`,
        (place) => during(aWorld(place), how, twice),
      );

  test('lives on in the outer one where dependencies stay inside, or the last version wins', async () => {
    const flawed = aNaiveWorld('lets the dependencies of inner loads stay inside');
    await expect(during(flawed, 'hit', false)).rejects.toThrow(StaleRead);
    await expect(during(aNaiveWorld('lets the last version of a tag win'), 'hit', true)).rejects.toThrow(StaleRead);
    for (const how of ['hit', 'load', 'joined'] as const) {
      await during(aNaiveWorld(), how, false);
      await during(aNaiveWorld(), how, true);
    }
  });
});

async function afterwards({ here, there, db }: World, depth: number) {
  const level = (n: number): Promise<number> =>
    n === 0
      ? here.getOrSet({ key: 'row', tags: ['rows'], load: async () => db.read('row') })
      : here.getOrSet({ key: `level ${n}`, load: () => level(n - 1) });
  await level(depth);
  await turn();
  const newest = db.commit('row');
  await there.invalidate('rows');
  contains(newest, await level(depth));
}

describe('an inner value that is invalidated after the outer load', () => {
  for (const depth of [1, 2, 5])
    test.each(everywhere)(`ends all ${depth} around it, %s`, (place) => afterwards(aWorld(place), depth));

  test('lives on in the outer one where dependencies stay inside', async () => {
    const flawed = aNaiveWorld('lets the dependencies of inner loads stay inside');
    await expect(afterwards(flawed, 1)).rejects.toThrow(StaleRead);
    await afterwards(aNaiveWorld(), 5);
  });

  test.each(everywhere)('ends the outer one also by the inner key, a clear, or a set, %s', async (place) => {
    const world = aWorld(place);
    const { here, there, db } = world;
    const outer = () => here.getOrSet({ key: 'outer', load: () => inner(world) });
    for (const end of [
      () => there.delete('inner'),
      () => there.clear(),
      () => there.set('inner', db.read('row')),
      () => there.transaction(() => there.delete('inner')),
    ]) {
      await outer();
      await turn();
      const newest = db.commit('row');
      await end();
      contains(newest, await outer());
    }
  });
});

describe('an outer value', () => {
  test.each(everywhere)('that holds an aged inner one is handed out and not stored, %s', async (place) => {
    const world = aWorld(place, { ttl: 1000 });
    const { db, clock } = world;
    const here = world.here as ReturnType<typeof createCache>;
    const slow = aSlowQuery(db, 'row');
    const aged = (load = async () => db.read('row')) =>
      here.getOrSet({ key: 'inner', tags: ['rows'], swr: '1h', load });
    await aged();
    await clock.advance(1500);
    db.commit('row');
    const outer = await here.read({ key: 'outer', ttl: '1h', swr: '1h', load: () => aged(slow.load) });
    expect(outer).toMatchObject({ value: 0, stored: false });
    slow.answer();
    await turn();
    expect(await here.getOrSet({ key: 'outer', ttl: '1h', load: () => aged() })).toBe(1);
  });

  test.each(everywhere)('lives no longer than the inner one has left, %s', async (place) => {
    const world = aWorld(place, { ttl: 1000 });
    const { db, clock } = world;
    await inner(world);
    await clock.advance(900);
    const outer = () => world.here.getOrSet({ key: 'outer', ttl: 3_600_000, load: () => inner(world) });
    await outer();
    db.commit('row');
    await clock.advance(101);
    expect(await outer()).toBe(1);
  });

  test('that holds a value of another cache is handed out and not stored', async () => {
    const store = memoryStore();
    for (const other of [watch(createCache()), watch(createCache({ store })), watch(createCache({ store, name: 'b' }))])
      for (const cache of [watch(createCache()), watch(createCache({ store }))]) {
        let row = 1;
        const outer = () =>
          cache.read({ key: 'outer', load: () => other.getOrSet({ key: 'i', tags: ['rows'], load: async () => row }) });
        expect(await outer()).toMatchObject({ value: 1, stored: false });
        row = 2;
        await other.invalidate('rows');
        expect((await outer()).value).toBe(2);
        await other.delete('i');
      }
  });

  test.each(everywhere)('that reads many inner ones at once ends with any of them, %s', async (place) => {
    const { here: view, there, db } = aWorld(place);
    const here = view as ReturnType<typeof createCache>;
    const outer = () =>
      here.getOrSet({
        key: 'sum',
        load: async () => {
          const rows = await here.getOrSetMany({
            inputs: [1, 2, 3],
            key: (i) => ['row', i],
            tags: (i) => [`row:${i}`],
            load: async (missing) => missing.map((i) => db.read(`${i}`)),
          });
          return rows.reduce((sum, row) => sum + row, 0);
        },
      });
    for (const i of [1, 2, 3]) {
      await outer();
      await turn();
      db.commit(`${i}`);
      await there.invalidate(`row:${i}`);
      expect(await outer()).toBe(i);
    }
  });
});

describe('many values that are loaded together', () => {
  for (const from of ['here', 'there'] as const)
    for (const by of ['tag', 'key', 'clear'] as const)
      test.each(everywhere)(
        `end each for itself when one is ended ${from} during the load, by ${by}, %s`,
        async (place) => {
          const world = aWorld(place);
          const here = world.here as ReturnType<typeof createCache>;
          const { there, db } = world;
          const go = signal();
          const asked = signal();
          let wait = true;
          const read = (inputs: number[]) =>
            here.getOrSetMany({
              inputs,
              key: (i) => ['row', i],
              tags: (i) => [`row:${i}`],
              load: async (missing) => {
                const values = missing.map((i) => db.read(`${i}`));
                if (!wait) return values;
                wait = false;
                asked.fire();
                await go.fired;
                return values;
              },
            });
          const reading = read([1, 2, 3]);
          await asked.fired;
          const newest = db.commit('2');
          const writer = (from === 'here' ? here : there) as typeof here;
          if (by === 'tag') await writer.invalidate('row:2');
          else if (by === 'key') await writer.delete(['row', 2]);
          else await writer.clear();
          const joiner = read([2, 4]);
          const single = here.getOrSet({ key: ['row', 2], tags: ['row:2'], load: async () => db.read('2') });
          await turn();
          go.fire();
          contains(newest, (await joiner)[0], 'a joiner of many');
          contains(newest, await single, 'a joiner of one');
          await reading;
          await turn();
          expect(await read([1, 2, 3])).toEqual([0, newest, 0]);
        },
      );

  test('learn tags each for itself, and a load that must not be stored is not', async () => {
    const cache = watch(createCache({ store: memoryStore() }));
    const other = watch(createCache());
    let row = 1;
    const read = () =>
      cache.getOrSetMany({
        inputs: [1, 2],
        key: (i) => ['row', i],
        load: async (missing, { tag }) => {
          tag('rows');
          const value = await other.getOrSet({ key: 'o', tags: ['elsewhere'], load: async () => row });
          return missing.map(() => value);
        },
      });
    for (let i = 0; i < 3; i++) await read();
    row = 2;
    await other.invalidate('elsewhere');
    expect(await read()).toEqual([2, 2]);

    let loads = 0;
    const skipped = () =>
      cache.getOrSetMany({
        inputs: [1],
        key: (i) => ['skipped', i],
        load: async (_, { tag, skip }) => {
          tag('rows');
          skip();
          return [++loads];
        },
      });
    for (let i = 1; i <= 3; i++) expect(await skipped()).toEqual([i]);
  });
});
