import { describe, expect, test } from 'vitest';
import { type CacheOptions, createCache, type Tree } from '../../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../../src/testing/index.js';
import { auditAfterEach, watch } from '../../support/audit.js';

interface Row {
  id: number;
  parent: number | null;
  org?: string;
  name?: string;
}
const columns = { id: 'id', parent: 'parent' } as const;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Rows, and how often they were asked for. */
function aTable(rows: Row[]) {
  const asked = { count: 0 };
  const answer = async (wanted: (row: Row) => boolean) => {
    asked.count++;
    const found = rows.filter(wanted).map((row) => ({ ...row }));
    await turn();
    return found;
  };
  return {
    rows,
    asked,
    levels: {
      load: (ids: readonly number[]) => answer(({ id }) => ids.includes(id)),
      children: (parents: readonly (number | null)[]) => answer(({ parent }) => parents.includes(parent)),
    },
    whole: { rows: () => answer(() => true) },
  };
}
type Table = ReturnType<typeof aTable>;
const some = (): Row[] => [
  { id: 1, parent: null },
  { id: 2, parent: 1 },
  { id: 3, parent: 2 },
];

auditAfterEach();

describe.each(['whole', 'levels'] as const)('a tree by %s', (form) => {
  const aCache = (options: CacheOptions = {}) => watch(createCache({ jitter: 0, ...options }));
  const plant = (cache: ReturnType<typeof aCache>, table: Table, options: object = {}) =>
    cache.tree<Row>()('t', { ...columns, ...table[form], ...options } as never) as Tree<Row, number>;

  test('many who ask at once share the loads', async () => {
    const table = aTable(some());
    const tree = plant(aCache(), table);
    await Promise.all(Array.from({ length: 20 }, () => tree.subtree(1)));
    expect(table.asked.count).toBe(form === 'whole' ? 1 : 4);
  });

  test('has one tree for each tenant, without rows of another', async () => {
    const table = aTable([
      { id: 1, parent: null, org: 'a' },
      { id: 2, parent: 1, org: 'a' },
      { id: 3, parent: 1, org: 'b' },
    ]);
    const cache = aCache();
    const tree = plant(cache, table, { tenant: 'org' });
    expect((await tree.tenant('a').descendants(1)).map(({ id }) => id)).toEqual([2]);
    expect(await tree.tenant('b').get(1)).toBeNull();
    expect((await tree.tenant('b').get(3))?.org).toBe('b');
    await expect(tree.get(1)).rejects.toThrow('No tenant');
    const before = table.asked.count;
    await tree.tenant('b').invalidate(3);
    const looked = table.asked.count;
    await tree.tenant('a').subtree(1);
    expect(table.asked.count).toBe(looked);
    expect(looked - before).toBe(form === 'whole' ? 0 : 1);
  });

  test('ages: then it is loaded again, and what is the same stays the same object', async () => {
    const clock = fakeClock();
    const table = aTable(some());
    const tree = plant(aCache({ clock }), table, { ttl: 1000 });
    const before = await tree.subtree(1);
    table.rows[2] = { id: 3, parent: 2, name: 'written by nobody' };
    await clock.advance(900);
    expect(await tree.subtree(1)).toBe(before);
    await clock.advance(200);
    const after = await tree.subtree(1);
    expect(after?.children[0]?.children[0]?.row.name).toBe('written by nobody');
    expect(after?.row).toBe(before?.row);
  });

  test('an aged tree is served while it is loaded again, under swr', async () => {
    const clock = fakeClock();
    const table = aTable(some());
    const tree = plant(aCache({ clock }), table, { ttl: 1000, swr: 5000 });
    const before = await tree.subtree(1);
    table.rows[2] = { id: 3, parent: 2, name: 'new' };
    await clock.advance(1100);
    expect(await tree.subtree(1)).toBe(before);
    for (let at = 0; at < 20; at++) await turn();
    expect((await tree.get(3))?.name).toBe('new');
  });

  test('depends on what its loads depend on', async () => {
    const cache = aCache();
    const table = aTable(some());
    let label = 'old';
    const labels = cache.withCache(async () => label, { name: 'labels', tags: ['labels'] });
    const named =
      (load: (...args: never[]) => Promise<Row[]>) =>
      async (...args: never[]) => {
        const name = await labels();
        return (await load(...args)).map((row) => ({ ...row, name }));
      };
    const tree = plant(
      cache,
      table,
      Object.fromEntries(Object.entries(table[form]).map(([what, load]) => [what, named(load as never)])),
    );
    expect((await tree.subtree(1))?.children[0]?.row.name).toBe('old');
    label = 'new';
    await cache.invalidate('labels');
    expect((await tree.subtree(1))?.children[0]?.row.name).toBe('new');
    expect((await tree.get(3))?.name).toBe('new');
  });

  test('without a store that answers it is read from the database', async () => {
    const store = faultyStore(memoryStore());
    const table = aTable(some());
    const cache = watch(createCache({ jitter: 0, store, ackTimeout: 50 }));
    const tree = plant(cache, table);
    await tree.subtree(1);
    store.down();
    table.rows[2] = { id: 3, parent: 2, name: 'new' };
    expect((await tree.get(3))?.name).toBe('new');
    expect((await tree.subtree(1))?.children[0]?.children[0]?.row.name).toBe('new');
    store.up();
    expect((await tree.get(1))?.id).toBe(1);
  });

  test('an invalidation that was not delivered is not forgotten here', async () => {
    const store = faultyStore(memoryStore());
    const table = aTable(some());
    const cache = watch(createCache({ jitter: 0, store, ackTimeout: 50 }));
    const tree = plant(cache, table);
    await tree.subtree(1);
    store.down();
    table.rows[2] = { id: 3, parent: 2, name: 'new' };
    await expect(tree.invalidate(3)).rejects.toThrow('has not confirmed');
    store.up();
    expect((await tree.get(3))?.name).toBe('new');
    await cache.settled({ timeout: 5000 });
    expect((await tree.get(3))?.name).toBe('new');
  });

  test('needs no memory to be right', async () => {
    const table = aTable(some());
    const store = memoryStore();
    const tree = plant(aCache({ store, memory: false }), table);
    expect((await tree.subtree(1))?.children[0]?.children[0]?.row.id).toBe(3);
    for (let at = 0; at < 5; at++) await turn();
    table.asked.count = 0;
    expect((await tree.descendants(1)).length).toBe(2);
    expect(table.asked.count).toBe(0);
    table.rows[2] = { id: 3, parent: 1 };
    await tree.move(3, { to: 1, from: 2 });
    expect((await tree.children(1)).map(({ id }) => id)).toEqual([2, 3]);
  });

  test("an error of a load is the reader's, and the next one tries again", async () => {
    const table = aTable(some());
    let fails = true;
    const failing =
      (load: (...args: never[]) => Promise<Row[]>) =>
      (...args: never[]) =>
        fails ? Promise.reject(new Error('down')) : load(...args);
    const loads = Object.fromEntries(Object.entries(table[form]).map(([what, load]) => [what, failing(load as never)]));
    const tree = plant(aCache(), table, loads);
    await expect(tree.subtree(1)).rejects.toThrow('down');
    fails = false;
    expect((await tree.subtree(1))?.row.id).toBe(1);
  });

  test('counts its bytes, and gives them back', async () => {
    const cache = aCache();
    await plant(cache, aTable(some())).subtree(1);
    expect(cache.stats().bytes).toBeGreaterThan(3 * 480);
    await cache.close();
    expect(cache.stats().bytes).toBe(0);
  });
});

test('wrong options are told', () => {
  const cache = watch(createCache());
  const whole = { rows: async () => [] as Row[], ...columns };
  const tree = (name: unknown, options: unknown) => () => cache.tree(name as string, options as never);
  expect(tree('', whole)).toThrow('Expected `name` to be a non-empty text');
  expect(tree('t', { ...whole, id: '' })).toThrow('Expected `id` to be the name of a column');
  expect(tree('t', { ...columns })).toThrow('Expected a tree to have `rows`, or `load` and `children`, got neither');
  expect(tree('t', { ...columns, load: async () => [] })).toThrow('got load');
  expect(tree('t', { ...whole, rows: 1 })).toThrow('Expected `rows` to be a function, got 1 (number)');
  expect(tree('t', { ...whole, tags: ['a'] })).toThrow('Expected a tree to have no `tags`');
  expect(tree('t', { ...whole, table: 'a.b.c' })).toThrow('Expected `table` to be the name of a table');
  expect(tree('t', { ...whole, ttl: 'soon' })).toThrow('Expected `ttl` to be');
  tree('t', whole)();
  expect(tree('t', whole)).toThrow('a second time');
});

test('rows that make no tree are told', async () => {
  const cache = watch(createCache());
  const of = (name: string, rows: unknown[]) =>
    cache.tree<Row>()(name, { rows: async () => rows as Row[], ...columns }) as unknown as Tree<Row, number>;
  await expect(
    of('twice', [
      { id: 1, parent: null },
      { id: 1, parent: null },
    ]).get(1),
  ).rejects.toThrow("Expected each id of the tree 'twice' once, got 1 a second time");
  await expect(of('none', [{ parent: null }]).get(1)).rejects.toThrow(
    'Expected `id` to be a number, a bigint or a text',
  );
  await expect(of('odd', [{ id: 1, parent: {} }]).get(1)).rejects.toThrow('Expected `parent` to be a number');
  await expect(of('depth', [{ id: 1, parent: null }]).subtree(1, { depth: -1 })).rejects.toThrow('Expected `depth`');
  const orphans = of('orphans', [
    { id: 1, parent: null },
    { id: 3, parent: 2 },
    { id: 4, parent: 3 },
  ]);
  expect((await orphans.orphans()).map(({ id }) => id)).toEqual([3]);
  expect((await orphans.subtree(3))?.children.length).toBe(1);
  expect(await orphans.get(2)).toBeNull();
  expect((await orphans.ancestors(4)).map(({ id }) => id)).toEqual([3]);
  expect((await orphans.roots()).map(({ id }) => id)).toEqual([1]);
});

test('ids may be texts and bigints, whatever the driver makes of them', async () => {
  const cache = watch(createCache());
  const rows = [
    { id: '900719925474099300', parent: null },
    { id: '7', parent: '900719925474099300' },
  ];
  const tree = cache.tree('t', { rows: async () => rows, ...columns }) as unknown as Tree<
    unknown,
    string | bigint | number
  >;
  expect(await tree.get(900719925474099300n)).toEqual(rows[0]);
  expect(await tree.children('900719925474099300')).toEqual([rows[1]]);
  expect(await tree.ancestors(7)).toEqual([rows[0]]);
});
