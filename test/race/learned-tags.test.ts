import { describe, expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { auditAfterEach, partsOf, unwatch, watch } from '../support/audit.js';
import { aSlowQuery, contains, StaleRead, turn } from '../support/database.js';
import { aNaiveWorld, aWorld, everywhere, type World } from '../support/world.js';

// A tag that is only found in the data has no version from before the load, unless an earlier load of the key found it.

auditAfterEach();

const ways = ['by tag()', 'by tag() after the data came', 'by tagsOf'] as const;
type Way = (typeof ways)[number];

function readerOf({ here }: World, way: Way, query: () => Promise<number>): () => Promise<number> {
  if (way === 'by tagsOf') {
    const cache = here as ReturnType<typeof createCache>;
    return cache.withCache(async () => query(), { name: `row${way}`, tagsOf: () => ['owner:1'] });
  }
  return () =>
    here.getOrSet({
      key: 'row',
      load: async ({ tag }) => {
        if (way === 'by tag()') tag('owner:1');
        const value = await query();
        tag('owner:1');
        return value;
      },
    });
}

/** `known`: how many loads have found the tag before. */
async function learn(world: World, way: Way, known: number, from: 'here' | 'there') {
  const { here, there, db } = world;
  const slow = aSlowQuery(db, 'row');
  let quick = known > 0;
  const read = readerOf(world, way, () => (quick ? Promise.resolve(db.read('row')) : slow.load()));
  for (let i = 0; i < known; i++) {
    await read();
    await here.invalidate(i === known - 1 ? 'owner:1' : 'owner:2');
    await turn();
  }
  if (known > 0) {
    // The last load is ended, and the next one is slow.
    await there.invalidate('owner:1');
    quick = false;
  }
  const reading = read();
  await slow.asked;
  const newest = db.commit('row');
  await (from === 'here' ? here : there).invalidate('owner:1');
  slow.answer();
  await reading;
  for (let i = 0; i < 3; i++) contains(newest, await read());
  await turn();
  contains(newest, await read());
}

describe('a tag that a load finds in its data', () => {
  for (const way of ways)
    for (const known of [0, 1, 2])
      for (const from of ['here', 'there'] as const)
        test.each(everywhere)(
          `and that is invalidated ${from} during the load ends the value: ${way}, found ${known} times before, %s`,
          (place) => learn(aWorld(place), way, known, from),
        );

  test.each([0, 1])(
    'is lost by a cache that asks for its version after the load (found %i times before)',
    async (known) => {
      const flawed = aNaiveWorld('asks for the version of a learned tag after the load');
      await expect(learn(flawed, 'by tag() after the data came', known, 'there')).rejects.toThrow(StaleRead);
      await learn(aNaiveWorld(), 'by tag() after the data came', known, 'there');
    },
  );

  test.each(everywhere)('costs at most one load more, %s', async (place) => {
    const { here, there } = aWorld(place);
    let loads = 0;
    const read = (who: World['here']) =>
      who.getOrSet({
        key: 'row',
        load: async ({ tag }) => {
          tag('owner:1');
          return ++loads;
        },
      });
    for (const who of [here, here, here, there, there]) {
      await read(who);
      await turn();
    }
    expect(loads).toBeLessThanOrEqual(2);
    await there.invalidate('owner:1');
    const before = loads;
    await read(here);
    expect(loads).toBe(before + 1);
  });
});

describe('an invalidation of a tag that memory has dropped for room', () => {
  test('ends what was loaded under it before', async () => {
    const cache = watch(createCache({ jitter: 0 }));
    let row = 1;
    const asked = { go: () => {} };
    const slow = new Promise<void>((resolve) => {
      asked.go = resolve;
    });
    const read = (wait?: Promise<void>) =>
      cache.getOrSet({
        key: 'row',
        load: async ({ tag }) => {
          const value = row;
          await wait;
          tag('rows');
          return value;
        },
      });
    const reading = read(slow);
    await turn();
    row = 2;
    await cache.invalidate('rows');
    for (let i = 0; i < 20_001; i++) await cache.invalidate(`other:${i}`);
    asked.go();
    await reading;
    contains(2, await read());
    unwatch(cache);
    expect(partsOf(cache).tags.size).toBeLessThan(20_100);
  });
});
