import { describe, expect, test } from 'vitest';
import type { CacheOptions } from '../../../src/core/options.js';
import { type Cache, createCache, type Tree } from '../../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../../src/testing/index.js';
import { auditAfterEach, watch } from '../../support/audit.js';
import { turns } from '../core/a-cache.js';
import { aClient } from '../core/a-client.js';

interface Row {
  id: number;
  parent: number | null;
  name: string;
}
//    1
//  2   3
//  4
const table = (): Row[] => [
  { id: 1, parent: null, name: 'a' },
  { id: 2, parent: 1, name: 'b' },
  { id: 3, parent: 1, name: 'c' },
  { id: 4, parent: 2, name: 'd' },
];

/** What a tree of these rows is asked, and what it costs. */
function aTree(cache: Cache, form: 'rows' | 'levels' = 'levels') {
  const rows = table();
  const asked = { count: 0 };
  const find = async (wanted: (row: Row) => boolean) => {
    asked.count++;
    return rows.filter(wanted).map((row) => ({ ...row }));
  };
  const loads =
    form === 'rows'
      ? { rows: () => find(() => true) }
      : {
          load: (ids: readonly number[]) => find(({ id }) => ids.includes(id)),
          children: (parents: readonly (number | null)[]) => find(({ parent }) => parents.includes(parent)),
        };
  const tree = cache.tree<Row>()('units', { id: 'id', parent: 'parent', ...loads } as never) as Tree<Row, number>;
  return { tree, asked, rows };
}

const aCache = (options: CacheOptions = {}) => {
  const clock = fakeClock();
  return { clock, cache: watch(createCache({ jitter: 0, clock, ttl: '1m', ...options }), clock) };
};

auditAfterEach();

describe('explain of a row in a tree by level', () => {
  test('says that nothing is known, and asks nothing', async () => {
    const { tree, asked } = aTree(aCache().cache);
    expect(await tree.explain(1)).toMatchObject({ served: false, source: undefined, tags: [] });
    expect((await tree.explain(1)).text.split('\n')).toEqual([
      "row 1 of the tree 'units', and what is below it: would be loaded",
      'not in memory',
      'to be asked for: row 1 (nobody here has asked for it yet), the children of 1 (nobody here has asked for it yet)',
    ]);
    expect(asked.count).toBe(0);
  });

  test('says what is in memory, for how long, and by what it ends', async () => {
    const { cache, clock } = aCache();
    const { tree, asked } = aTree(cache);
    await tree.subtree(1);
    await clock.advance(20_000);
    const before = { ...asked, ...cache.stats().counts() };
    const { text, tags, ...rest } = await tree.explain(1);
    expect(rest).toMatchObject({ served: true, source: 'near', freshFor: 40_000, age: 20_000 });
    expect(text.split('\n')).toEqual([
      "row 1 of the tree 'units', and what is below it: would be served",
      'in memory, with 3 below it',
      'fresh for another 40.0 s',
    ]);
    expect(tags.every(({ holds }) => holds)).toBe(true);
    expect(tags.filter(({ tag }) => /!tree[#/]\d+$/.test(tag))).toHaveLength(2);
    expect({ ...asked, ...cache.stats().counts() }).toEqual(before);
    await clock.advance(40_001);
    expect((await tree.explain(1)).text).toContain('the tree is too old');
  });

  test('says which parts a change has ended, and that the others are served', async () => {
    const { tree } = aTree(aCache().cache);
    await tree.subtree(1);
    await tree.invalidate(4);
    const changed = 'it has changed, or shares a version with what has';
    const { text, served, tags } = await tree.explain(2);
    expect(served).toBe(false);
    expect(text).toContain(`to be asked for: row 4 (${changed}), the children of 2 (${changed})`);
    // Of row 2 only the list is another one; the mark has moved with it.
    expect(tags.filter(({ holds }) => !holds).map(({ tag }) => tag)).toEqual([
      expect.stringMatching(/!tree$/),
      expect.stringMatching(/!tree\/\d+$/),
    ]);
    expect(await tree.explain(3)).toMatchObject({ served: true, source: 'near' });
    await tree.clear();
    expect((await tree.explain(3)).text).toContain('something else than its rows has changed');
  });

  test('says what a read does, after each of many changes', async () => {
    const { tree, asked, rows } = aTree(aCache().cache);
    const seen = new Set<boolean>();
    for (let step = 0; step < 40; step++) {
      const id = 1 + (step % 4);
      const row = rows[(step * 7) % 4] as Row;
      if (step % 3 === 0) {
        row.name = `n${step}`;
        await tree.invalidate(row.id);
      }
      const { served } = await tree.explain(id);
      asked.count = 0;
      await tree.subtree(id);
      expect(asked.count === 0, `row ${id} in step ${step}`).toBe(served);
      seen.add(served);
    }
    expect(seen.size).toBe(2);
  });

  test('says what is in the store', async () => {
    const store = memoryStore();
    const here = aTree(aCache({ store }).cache);
    const there = aTree(aCache({ store }).cache);
    await here.tree.subtree(1);
    await turns();
    const { served, source, text } = await there.tree.explain(1);
    expect({ served, source }).toEqual({ served: true, source: 'store' });
    expect(text).toContain('what is not in memory is in the store');
    expect(there.asked.count).toBe(0);
    await there.tree.subtree(1);
    expect(there.asked.count).toBe(0);
  });

  test('says that a row is known as missing', async () => {
    const { tree } = aTree(aCache().cache);
    expect(await tree.get(9)).toBeNull();
    expect(await tree.explain(9)).toMatchObject({ served: true, text: expect.stringContaining('known as missing') });
  });

  test('says why it goes past the cache', async () => {
    const { tree } = aTree(aCache({ mode: 'bypass' }).cache);
    expect((await tree.explain(1)).text).toContain("reads go past the cache: the cache's mode is 'bypass'");
  });

  test('says that the store does not answer', async () => {
    const store = faultyStore(memoryStore());
    const { tree } = aTree(aCache({ store }).cache);
    store.down();
    expect((await tree.explain(1)).text).toContain("the store could not be asked about the tree 'units'");
    store.up();
  });

  test('refuses what is no id', async () => {
    const { tree } = aTree(aCache().cache);
    await expect(tree.explain({} as never)).rejects.toThrow('Expected `id` to be a number, a bigint or a text');
  });
});

describe('explain of a row in a tree of all rows', () => {
  test('says what is stored of all of them, and whether the row is there', async () => {
    const { tree, asked } = aTree(aCache().cache, 'rows');
    expect((await tree.explain(4)).text).toBe("nothing is stored for the tree 'units'");
    await tree.get(4);
    expect(await tree.explain(4)).toMatchObject({ served: true, source: 'near' });
    expect((await tree.explain(4)).text).toMatch(/^the tree 'units': would be served\n.*\nrow 4 is in it$/s);
    expect((await tree.explain(9)).text).toContain('row 9 is not in it');
    await tree.invalidate(4);
    expect((await tree.explain(4)).text).toMatch(/ended by a change of .*units.*!tree/);
    expect(asked.count).toBe(1);
  });

  test('says what is in the store', async () => {
    const store = memoryStore();
    const here = aTree(aCache({ store }).cache, 'rows');
    const there = aTree(aCache({ store }).cache, 'rows');
    await here.tree.get(4);
    await turns();
    expect(await there.tree.explain(4)).toMatchObject({ served: true, source: 'store' });
  });
});

test('explain tells of what the loads of a tree depend on', async () => {
  const { cache } = aCache();
  const { query } = aClient(cache);
  const tree = cache.tree<Row>()('units', {
    id: 'id',
    parent: 'parent',
    load: () => query({ tags: ['units'] }, () => table().slice(0, 1)),
    children: () => query({ tags: ['units'] }, () => []),
  });
  await tree.subtree(1);
  expect((await tree.explain(1)).tags).toContainEqual({ tag: 'units', holds: true });
  await cache.invalidate('units');
  expect((await tree.explain(1)).tags).toContainEqual({ tag: 'units', holds: false });
});
