import { describe, expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { contains, StaleRead, signal, turn } from '../support/database.js';
import { aNaiveWorld, aWorld, everywhere, type World } from '../support/world.js';

// Inside a transaction the database says something else than outside, and may take it back.

auditAfterEach();

/** `inside` is what the transaction's own reads see; outside sees it only once it is committed. */
function aRow({ here, there, db }: World) {
  const query = { key: 'row', tags: ['rows'] };
  return {
    query,
    outside: (who = here) => who.getOrSet({ ...query, load: async () => db.read('row') }),
    inside: (uncommitted: number) => here.getOrSet({ ...query, load: async () => uncommitted }),
    there: () => there.getOrSet({ ...query, load: async () => db.read('row') }),
  };
}

async function commits(world: World) {
  const { here, db } = world;
  const { outside, inside, there } = aRow(world);
  await outside();
  await turn();
  const [written, go] = [signal(), signal()];
  const committing = here.transaction(async () => {
    const newest = db.read('row') + 1;
    await here.invalidate('rows');
    contains(newest, await inside(newest), 'its own read');
    written.fire();
    await go.fired;
    db.commit('row');
  });
  await Promise.race([written.fired, committing]);
  // Before COMMIT the others load the old row, and store it.
  for (const read of [there, outside]) expect(await read(), 'a row that is not committed').toBe(0);
  await turn();
  go.fire();
  await committing;
  for (const read of [outside, there, outside]) contains(1, await read());
}

async function rollsBack(world: World) {
  const { here } = world;
  const { outside, inside, there } = aRow(world);
  const undone = here.transaction(async () => {
    await inside(77);
    await here.set('other', 77);
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  await turn();
  for (const read of [outside, there]) expect(await read(), 'a row that was never committed').toBe(0);
  expect(await here.get('other'), 'a value that was never committed').toBeUndefined();
}

describe('a transaction', () => {
  test.each(everywhere)('reads past the cache, and ends what others stored before its COMMIT, %s', (place) =>
    commits(aWorld(place)),
  );
  test.each(everywhere)('that is rolled back leaves nothing behind, %s', (place) => rollsBack(aWorld(place)));

  test('is got wrong by caches that serve, store or invalidate inside of it', async () => {
    await expect(commits(aNaiveWorld('invalidates before a transaction has ended'))).rejects.toThrow(StaleRead);
    await expect(commits(aNaiveWorld('serves inside of a transaction'))).rejects.toThrow(StaleRead);
    await expect(commits(aNaiveWorld('stores inside of a transaction'))).rejects.toThrow(/not committed/);
    await expect(rollsBack(aNaiveWorld('stores inside of a transaction'))).rejects.toThrow(/never committed/);
    await commits(aNaiveWorld());
    await rollsBack(aNaiveWorld());
  });

  test.each(everywhere)('invalidates once, after it has succeeded, %s', async (place) => {
    const here = aWorld(place).here as ReturnType<typeof createCache>;
    const told: (readonly string[])[] = [];
    here.on('invalidate', ({ tags }) => told.push(tags));
    await here.transaction(async () => {
      await here.invalidate('a', 'b');
      await here.invalidate('b');
      await here.delete('k');
      await here.transaction(() => here.invalidate('c'));
      expect(told).toEqual([]);
    });
    expect(told).toHaveLength(1);
    expect(told[0]).toEqual(expect.arrayContaining(['a', 'b', 'c']));
    expect(new Set(told[0]).size).toBe(told[0]?.length);
  });

  test.each(everywhere)('drops its invalidations when it throws, and a savepoint its own, %s', async (place) => {
    const here = aWorld(place).here as ReturnType<typeof createCache>;
    const told: string[] = [];
    here.on('invalidate', ({ tags }) => told.push(...tags));
    const failed = here.transaction(async () => {
      await here.invalidate('a');
      throw new Error('undone');
    });
    await expect(failed).rejects.toThrow('undone');
    expect(told).toEqual([]);
    await here.transaction(async () => {
      await here.invalidate('kept');
      await here
        .transaction(async () => {
          await here.invalidate('dropped');
          await here.transaction(() => here.invalidate('dropped with it'));
          throw new Error('undone');
        })
        .catch(() => {});
      await here.transaction(() => here.invalidate('merged'));
    });
    expect(told.sort()).toEqual(['kept', 'merged']);
  });

  test.each(everywhere)('does not touch what runs beside it, %s', async (place) => {
    const world = aWorld(place);
    const { here, db } = world;
    const { outside, query } = aRow(world);
    await outside();
    const go = signal();
    const running = here.transaction(() => go.fired);
    expect(await here.getOrSet({ ...query, load: async () => 99 })).toBe(0);
    db.commit('row');
    await here.invalidate('rows');
    expect(await outside()).toBe(1);
    go.fire();
    await running;
  });

  test.each(everywhere)(
    'whose work outlives it is over for that work: it reads, stores and invalidates again, %s',
    async (place) => {
      const world = aWorld(place);
      const { here, db } = world;
      const { outside } = aRow(world);
      await outside();
      const go = signal();
      let later: Promise<unknown> = Promise.resolve();
      await here.transaction(async () => {
        later = go.fired.then(async () => {
          const newest = db.commit('row');
          await here.invalidate('rows');
          contains(newest, await outside());
          await turn();
          expect(await here.get('row')).toBe(newest);
        });
      });
      go.fire();
      await later;
      contains(1, await outside());
    },
  );

  test.each(everywhere)('inside another one that it outlives still invalidates, %s', async (place) => {
    const world = aWorld(place);
    const { here, db } = world;
    const { outside } = aRow(world);
    await outside();
    const go = signal();
    let inner: Promise<unknown> = Promise.resolve();
    await here.transaction(async () => {
      inner = here.transaction(async () => {
        await go.fired;
        db.commit('row');
        await here.invalidate('rows');
      });
    });
    go.fire();
    await inner;
    contains(1, await outside());
  });

  test.each(everywhere)(
    'that a load runs inside ends with its own COMMIT what the load would store, %s',
    async (place) => {
      const world = aWorld(place);
      const { here, db } = world;
      const { query } = aRow(world);
      const readAndCount = async () => {
        const before = db.read('row');
        await here.transaction(async () => {
          db.commit('row');
          await here.invalidate('rows');
        });
        return before;
      };
      expect(await here.getOrSet({ ...query, load: readAndCount })).toBe(0);
      await turn();
      expect(await here.getOrSet({ ...query, load: async () => db.read('row') })).toBe(1);
    },
  );

  test('keeps its own batches, functions and direct sets out of the cache', async () => {
    const cache = watch(createCache({ store: memoryStore() }));
    const wrapped = cache.withCache(async (n: number) => n, { name: 'wrapped', key: () => ['k'] });
    await wrapped(1);
    await cache.set('own', 'old');
    await cache.transaction(async () => {
      expect(await wrapped(2)).toBe(2);
      expect(await wrapped.fresh(3)).toBe(3);
      expect(await cache.get('own')).toBeUndefined();
      expect(await cache.has('own')).toBe(false);
      const many = () => cache.getOrSetMany({ inputs: [1], key: () => 'own', load: async () => ['loaded'] });
      expect(await many()).toEqual(['loaded']);
      await cache.set('own', 'uncommitted', { since: await cache.snapshot('rows') });
      expect(await cache.get('own')).toBeUndefined();
    });
    expect(await wrapped(4)).toBe(1);
    // What was set inside is not stored, and what was there before is not the value any more.
    expect(await cache.get('own')).toBeUndefined();
  });
});
