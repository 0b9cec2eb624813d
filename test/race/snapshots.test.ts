import { describe, expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { contains, StaleRead, turn } from '../support/database.js';
import type { Flaw } from '../support/naive.js';
import { aNaiveWorld, aWorld, everywhere, type Subject, type World } from '../support/world.js';

// A program reads the database by itself and sets what it read. Whatever ends between its snapshot and its `set` must
// end the value that it sets, although that is stored afterwards.

auditAfterEach();

interface Between {
  readonly by: (writer: Subject, views: { root: Subject; newest: number }) => Promise<unknown>;
  readonly view?: (cache: Subject) => Subject;
  readonly flaw?: Flaw;
}

const between: Record<string, Between> = {
  'its tag is invalidated': { by: (writer) => writer.invalidate('rows') },
  'its key is deleted': { by: (writer) => writer.delete('row') },
  'the cache is cleared': { by: (writer) => writer.clear() },
  'the namespace is cleared': { by: (writer) => writer.clear(), view: (cache) => cache.namespace('reports') },
  'the cache around the namespace is cleared': {
    by: (_, { root }) => root.clear(),
    view: (cache) => cache.namespace('reports'),
  },
  'the tenant is cleared': { by: (writer) => writer.clear(), view: (cache) => cache.tenant('acme') },
  'a transaction deletes its key': { by: (writer) => writer.transaction(() => writer.delete('row')) },
};

async function setLate({ here, there, db }: World, { by, view = (it) => it }: Between, from: 'here' | 'there') {
  const [setter, other, root] = [view(here), view(there), from === 'here' ? here : there];
  const since = await setter.snapshot('rows');
  const read = db.read('row');
  const newest = db.commit('row');
  await by(view(root), { root, newest });
  await setter.set('row', read, { since });
  for (const who of [setter, other, setter]) contains(newest, (await who.get('row')) ?? newest, 'get');
  await turn();
  for (const who of [setter, other])
    contains(newest, await who.getOrSet({ key: 'row', tags: ['rows'], load: async () => db.read('row') }));
}

describe('a value that was read before', () => {
  describe.each(Object.entries(between))('%s', (_, one) => {
    for (const from of ['here', 'there'] as const)
      test.each(everywhere)(`${from} is never served when it is set afterwards, %s`, (place) =>
        setLate(aWorld(place), one, from),
      );

    test('is served by a cache that takes versions when a value is set', async () => {
      await expect(setLate(aNaiveWorld('takes versions when a value is set'), one, 'there')).rejects.toThrow(StaleRead);
      await setLate(aNaiveWorld(), one, 'there');
    });
  });

  test.each(everywhere)('nothing at all is served when it is set, by every process, %s', async (place) => {
    const { here, there, db } = aWorld(place);
    const since = await here.snapshot('rows');
    db.commit('row');
    await here.set('row', db.read('row'), { since });
    await turn();
    expect([await here.get('row'), await there.get('row')]).toEqual([1, 1]);
    await there.invalidate('rows');
    expect([await here.get('row'), await there.get('row')]).toEqual([undefined, undefined]);
  });
});

describe('of two values that are set for one key', () => {
  test.each(everywhere)('the one that was read before the write loses, even when it comes last, %s', async (place) => {
    const { here, there, db } = aWorld(place);
    const early = await here.snapshot('rows');
    const old = db.read('row');
    const newest = db.commit('row');
    await there.invalidate('rows');
    const late = await there.snapshot('rows');
    await there.set('row', db.read('row'), { since: late });
    await here.set('row', old, { since: early });
    await turn();
    for (const who of [here, there]) contains(newest, (await who.get('row')) ?? newest, 'get');
  });
});

describe('a snapshot', () => {
  test('of a cache whose tenant comes from the request holds what clears that tenant', async () => {
    const cache = watch(createCache({ store: memoryStore(), tenant: () => 'acme' }));
    const since = await cache.snapshot('rows');
    await cache.tenant('acme').clear();
    await cache.set('row', 'old', { since });
    expect(await cache.get('row')).toBeUndefined();
  });

  test('of another view, which does not hold what clears this one, is refused', async () => {
    const cache = watch(createCache());
    const since = await cache.snapshot('rows');
    for (const view of [cache.namespace('reports'), cache.tenant('acme')]) {
      await expect(view.set('row', 'old', { since })).rejects.toThrow(/same namespace and tenant/);
      expect(await view.get('row')).toBeUndefined();
    }
  });
});
