import { describe, expect, test } from 'vitest';
import { auditAfterEach } from '../support/audit.js';
import { aSlowQuery, contains, StaleRead, turn } from '../support/database.js';
import type { Flaw } from '../support/naive.js';
import { aNaiveWorld, aWorld, everywhere, type Subject, type World } from '../support/world.js';

// A slow load is under way, a write commits, its invalidation is acknowledged, the load lands, anybody reads: the read
// must contain the write. By every way of invalidating, from the process that loads and from another.

auditAfterEach();

/** How the write is made known, on the view that the readers use. */
type By = (writer: Subject, newest: number, views: { root: Subject }) => Promise<unknown>;

interface Race {
  readonly by: By;
  /** The view of a cache that reads and writes. */
  readonly view?: (cache: Subject) => Subject;
  readonly flaws: readonly Flaw[];
}

const races: Record<string, Race> = {
  'by its tag': {
    by: (writer) => writer.invalidate('rows'),
    flaws: ['takes versions after the load', 'deletes entries instead of raising versions'],
  },
  'by its key': {
    by: (writer) => writer.delete('row'),
    flaws: ['deletes an entry and raises nothing for its key', 'takes versions after the load'],
  },
  'by setting the new value': {
    by: (writer, newest) => writer.set('row', newest),
    flaws: ['sets without ending what is being loaded'],
  },
  'by setting the new value under a snapshot': {
    by: async (writer, newest) => writer.set('row', newest, { since: await writer.snapshot('rows') }),
    flaws: ['sets without ending what is being loaded'],
  },
  'by clearing the cache': {
    by: (writer) => writer.clear(),
    flaws: ['clears entries and raises nothing'],
  },
  'by clearing the namespace': {
    by: (writer) => writer.clear(),
    view: (cache) => cache.namespace('reports'),
    flaws: ['clears a namespace by its entries'],
  },
  'by clearing the cache around the namespace': {
    by: (_, __, { root }) => root.clear(),
    view: (cache) => cache.namespace('reports'),
    flaws: ['clears entries and raises nothing'],
  },
  'by clearing the tenant': {
    by: (writer) => writer.clear(),
    view: (cache) => cache.tenant('acme'),
    flaws: ['clears a namespace by its entries'],
  },
  'by a transaction that deletes the key': {
    by: (writer) => writer.transaction(() => writer.delete('row')),
    flaws: ['deletes an entry and raises nothing for its key'],
  },
  'by a transaction that invalidates the tag': {
    by: (writer) => writer.transaction(() => writer.invalidate('rows')),
    flaws: ['takes versions after the load'],
  },
};

async function race({ here, there, db }: World, { by, view = (it) => it }: Race, from: 'here' | 'there') {
  const [reader, other, root] = [view(here), view(there), from === 'here' ? here : there];
  const slow = aSlowQuery(db, 'row');
  const query = { key: 'row', tags: ['rows'], load: slow.load };
  const reading = reader.getOrSet(query);
  await slow.asked;
  const newest = db.commit('row');
  await by(view(root), newest, { root });
  slow.answer();
  await reading;
  // Once before the load's value is on its way into the store, and again when all that was under way has arrived.
  for (const who of [reader, other, reader]) contains(newest, await who.getOrSet(query));
  await turn();
  for (const who of [reader, other]) contains(newest, await who.getOrSet(query));
  await turn();
  for (const who of [reader, other]) contains(newest, (await who.get('row')) ?? newest, 'get');
}

describe('a write that commits during a load, made known', () => {
  describe.each(Object.entries(races))('%s', (_, one) => {
    for (const from of ['here', 'there'] as const)
      test.each(everywhere)(
        `${from === 'here' ? 'in the same process' : 'in another one'}, is in every later read %s`,
        (place) => race(aWorld(place), one, from),
      );

    test.each(one.flaws)('is lost by a cache that %s', async (flaw) => {
      await expect(race(aNaiveWorld(flaw), one, 'there')).rejects.toThrow(StaleRead);
      await race(aNaiveWorld(), one, 'there');
    });
  });
});

describe('a read that begins after the acknowledgement, while the older load is still under way,', () => {
  async function late({ here, there, db }: World, by: By, warm: boolean) {
    const slow = aSlowQuery(db, 'row');
    const query = { key: 'row', tags: ['rows'], load: slow.load };
    if (warm) {
      await here.getOrSet({ ...query, load: async () => db.read('row') });
      db.commit('row');
      await there.invalidate('rows');
    }
    const before = here.getOrSet(query);
    await slow.asked;
    const alsoBefore = here.getOrSet(query);
    const newest = db.commit('row');
    await by(there, newest, { root: there });
    const after = [here.getOrSet(query), here.getOrSet(query), there.getOrSet(query)];
    await turn();
    slow.answer();
    for (const read of after) contains(newest, await read, 'a joiner');
    // Those who were there before the write may have either.
    contains(newest - 1, await before);
    contains(newest - 1, await alsoBefore);
  }

  const ways: [string, By][] = Object.entries({
    tag: (writer) => writer.invalidate('rows'),
    key: (writer) => writer.delete('row'),
    clear: (writer) => writer.clear(),
    set: (writer, newest) => writer.set('row', newest),
  } satisfies Record<string, By>);

  for (const warm of [false, true])
    for (const [name, by] of ways)
      test.each(everywhere)(`never gets what that load read: ${warm ? 'warm' : 'cold'} key, by ${name}, %s`, (place) =>
        late(aWorld(place), by, warm),
      );

  test.each(ways)('gets it from a cache that lets joiners have whatever lands: by %s', async (_, by) => {
    await expect(late(aNaiveWorld('lets joiners have whatever lands'), by, false)).rejects.toThrow(StaleRead);
    await late(aNaiveWorld(), by, false);
    await late(aNaiveWorld(), by, true);
  });
});
