import { describe, expect, test } from 'vitest';
import { auditAfterEach } from '../support/audit.js';
import { aSlowQuery, contains, StaleRead, turn } from '../support/database.js';
import { aNaiveWorld, aWorld, shared, type World } from '../support/world.js';

// The store loses everything, or goes back to what it was, and nobody asked for it.

auditAfterEach();

const query = (world: World, load = async () => world.db.read('row')) => ({ key: 'row', tags: ['rows'], load });

/** Loaded before the loss; written and invalidated after it. */
async function emptied(world: World) {
  const { here, there, db, store } = world;
  const slow = aSlowQuery(db, 'row');
  await there.invalidate('rows');
  await here.getOrSet(query(world));
  await there.getOrSet(query(world));
  await there.getOrSet({ ...query(world), key: 'other' });
  const reading = here.getOrSet({ ...query(world), key: 'slow', load: slow.load });
  await slow.asked;
  store.lose();
  const newest = db.commit('row');
  await there.invalidate('rows');
  slow.answer();
  await reading;
  for (const key of ['row', 'other', 'slow'])
    for (const who of [here, there, here]) contains(newest, await who.getOrSet({ ...query(world), key }));
  await turn();
  for (const key of ['row', 'other', 'slow'])
    for (const who of [here, there]) contains(newest, await who.getOrSet({ ...query(world), key }));
}

/** An entry and its versions come back together after the write that ended it. */
async function restored(world: World) {
  const { here, there, db, store } = world;
  await here.getOrSet(query(world));
  await turn();
  const goBack = store.remember();
  const newest = db.commit('row');
  await there.invalidate('rows');
  goBack();
  for (const who of [here, there, here]) contains(newest, await who.getOrSet(query(world)));
}

/** A load takes its versions before the write, and lands when the store has gone back to them. */
async function restoredDuringALoad(world: World) {
  const { here, there, db, store } = world;
  const slow = aSlowQuery(db, 'row');
  const reading = here.getOrSet(query(world, slow.load));
  await slow.asked;
  const goBack = store.remember();
  const newest = db.commit('row');
  await there.invalidate('rows');
  goBack();
  slow.answer();
  await reading;
  await turn();
  for (const who of [here, there, here]) contains(newest, await who.getOrSet(query(world)));
}

/** The same for a snapshot and a `set`. */
async function restoredBeforeASet(world: World) {
  const { here, there, db, store } = world;
  const since = await here.snapshot('rows');
  const read = db.read('row');
  const goBack = store.remember();
  const newest = db.commit('row');
  await there.invalidate('rows');
  goBack();
  await here.set('row', read, { since });
  await turn();
  for (const who of [here, there]) contains(newest, (await who.get('row')) ?? newest, 'get');
}

describe('what was loaded or read before the store', () => {
  test.each(shared)('was emptied is never served after a write, %s', (place) => emptied(aWorld(place)));
  test.each(shared)('went back in time is not served with the versions that came back, %s', (place) =>
    restored(aWorld(place)),
  );
  test.each(shared)('went back in time is not stored under the versions that came back, %s', (place) =>
    restoredDuringALoad(aWorld(place)),
  );
  test.each(shared)('went back in time is not set under the versions that came back, %s', (place) =>
    restoredBeforeASet(aWorld(place)),
  );

  test('was emptied is served by a cache that counts the versions of each tag from 1 and has no epoch', async () => {
    await expect(emptied(aNaiveWorld('counts the versions of each tag from 1', 'has no epoch'))).rejects.toThrow(
      StaleRead,
    );
    await emptied(aNaiveWorld('counts the versions of each tag from 1'));
  });

  test.each([restored, restoredDuringALoad, restoredBeforeASet])(
    'is served by a cache without an epoch: %o',
    async (scenario) => {
      await expect(scenario(aNaiveWorld('has no epoch'))).rejects.toThrow(StaleRead);
      await scenario(aNaiveWorld());
    },
  );
});
