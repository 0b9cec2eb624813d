import { describe, expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { aSlowQuery, contains, Database, StaleRead, turn } from '../support/database.js';
import { naiveWorld, type World } from '../support/world.js';

// Hosts disagree about the time by two seconds, and start counting at different moments. No promise is about clocks.

auditAfterEach();

/** Two hosts: one clock counts from another moment, and `ahead` is what it and its way to the store are off. */
function twoHosts(ahead: number) {
  const clock = fakeClock(1_000_000);
  const shared = memoryStore();
  const elsewhere = { ...clock, now: () => clock.now() - 900_000 + ahead, coarse: () => clock.now() - 900_000 + ahead };
  const here = watch(createCache({ jitter: 0, ttl: 10_000, clock, store: shared }), clock);
  const there = watch(createCache({ jitter: 0, ttl: 10_000, clock: elsewhere, store: faultyStore(shared) }));
  return { here, there, db: new Database(), clock, store: shared };
}

async function race({ here, there, db, clock }: World) {
  for (const [reader, writer] of [
    [here, there],
    [there, here],
  ] as const) {
    const query = { key: 'row', tags: ['rows'], load: async () => db.read('row') };
    await reader.getOrSet(query);
    await turn();
    await clock.advance(500);
    const newest = db.commit('row');
    await writer.invalidate('rows');
    for (const who of [here, there]) contains(newest, await who.getOrSet(query));
    await turn();
    const slow = aSlowQuery(db, 'row');
    await writer.invalidate('rows');
    const reading = reader.getOrSet({ ...query, load: slow.load });
    await slow.asked;
    await clock.advance(500);
    const newer = db.commit('row');
    await writer.invalidate('rows');
    slow.answer();
    await reading;
    await turn();
    for (const who of [here, there]) contains(newer, await who.getOrSet(query));
  }
}

describe.each([-2000, 2000])('on hosts whose clocks are %i ms apart', (ahead) => {
  test('every read contains every write acknowledged before it', () => race(twoHosts(ahead)));

  test('a cache that stamps by clocks serves what was invalidated', async () => {
    await expect(race(naiveWorld(['stamps tags and entries by the clocks of their hosts'], ahead))).rejects.toThrow(
      StaleRead,
    );
    await race(naiveWorld(['stamps tags and entries by the clocks of their hosts'], 0));
    await race(naiveWorld([], ahead));
  });

  test('a value is served for its ttl by both, and not longer', async () => {
    const { here, there, clock } = twoHosts(ahead);
    let loads = 0;
    const query = { key: 'row', load: async () => ++loads };
    await here.getOrSet(query);
    await turn();
    await clock.advance(9_000);
    expect(await there.read(query)).toMatchObject({ value: 1, source: 'store', age: 9_000 });
    await clock.advance(1_001);
    expect(await there.getOrSet(query)).toBe(2);
    expect(await here.getOrSet(query)).toBe(2);
    expect(loads).toBe(2);
  });
});

test("a store's clock that jumps by two seconds shifts ages by as much, and no freshness of tags", async () => {
  const clock = fakeClock();
  const store = faultyStore(memoryStore());
  const here = watch(createCache({ jitter: 0, ttl: 10_000, clock, store }), clock);
  const there = watch(createCache({ jitter: 0, ttl: 10_000, clock, store }));
  const world = { here, there, db: new Database(), clock, store: memoryStore() };
  for (const skew of [-2000, 2000, 0]) {
    store.skew(skew);
    await race(world);
  }
});
