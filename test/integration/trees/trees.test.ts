import Knex, { type Knex as Instance } from 'knex';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { type TreeDialect, treeQuery } from '../../../src/adapter/index.js';
import { type CacheOptions, createCache, type Tree } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { createNodes, type Row, rowsBelow } from '../../guarantees/trees-table.js';
import { aShop, databases } from '../knex/a-shop.js';

/** Trees over a wrapped client: what it writes is seen by them, and no more than that is loaded again. */
describe.each(databases)('a tree on %s', (database) => {
  const dialect: TreeDialect = database;
  let shop: Awaited<ReturnType<typeof aShop>>;
  beforeAll(async () => {
    shop = await aShop(database);
    const knex = Knex(shop.config);
    await createNodes(knex);
    await knex.destroy();
    return () => shop.drop();
  });

  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  async function aPlace({ rule = true, table = 'nodes', options = {} as CacheOptions } = {}) {
    const cache = createCache({ jitter: 0, ...options });
    const plain = Knex(shop.config);
    await plain('nodes').delete();
    //      1         9
    //    2   3
    //   4 5   6
    await plain('nodes').insert(
      [
        [1, null],
        [2, 1],
        [3, 1],
        [4, 2],
        [5, 2],
        [6, 3],
        [9, null],
      ].map(([id, parent_id]) => ({ id, parent_id, name: `n${id}` })),
    );
    const own = Knex(shop.config);
    const knex = withCache(own, { cache, ...(rule ? { tables: { nodes: { tree: 'parent_id' } } } : {}) });
    cleanups.push(
      () => plain.destroy(),
      () => own.destroy(),
      () => cache.close(),
    );
    const asked: string[] = [];
    const children = (parents: readonly (number | null)[]) => {
      asked.push(`below ${parents}`);
      return rowsBelow(knex, parents).orderBy('id');
    };
    const load = (ids: readonly number[]) => {
      asked.push(`rows ${ids}`);
      return knex('nodes').whereIn('id', [...ids]);
    };
    const tree = cache.tree<Row>()('nodes', { id: 'id', parent: 'parent_id', table, load, children }) as Tree<
      Row,
      number
    >;
    const truth = async (from?: readonly number[], depth?: number): Promise<number[]> => {
      const { sql, params } = treeQuery(dialect, {
        ...{ table: 'nodes', id: 'id', parent: 'parent_id', columns: ['id'] },
        ...(from === undefined ? {} : { from }),
        ...(depth === undefined ? {} : { depth }),
      });
      const answer = await plain.raw(sql.replace('any($1)', 'any(?)'), params as never);
      const rows = (database === 'postgres' ? answer.rows : database === 'mysql' ? answer[0] : answer) as Row[];
      return rows.map(({ id }) => id).sort((a, b) => a - b);
    };
    const seen = async (id: number) => {
      const node = await tree.subtree(id);
      return node === null ? [] : [id, ...(await tree.descendants(id)).map((row) => row.id)].sort((a, b) => a - b);
    };
    const check = async () => {
      for (const id of [1, 2, 3, 9]) expect(await seen(id)).toEqual(await truth([id]));
    };
    return { cache, knex, plain, tree, asked, truth, seen, check };
  }

  const changes: [string, (knex: Instance) => PromiseLike<unknown>][] = [
    ['an insert', (knex) => knex('nodes').insert({ id: 7, parent_id: 6, name: 'n7' })],
    [
      'an insert of several',
      (knex) =>
        knex('nodes').insert([
          { id: 7, parent_id: 6 },
          { id: 8, parent_id: null },
        ]),
    ],
    ['a literal', (knex) => knex.raw("insert into nodes (id, parent_id, name) values (7, 6, 'x')")],
    ['a move', (knex) => knex('nodes').where({ id: 2 }).update({ parent_id: 6 })],
    ['a move to the top', (knex) => knex('nodes').where({ id: 2 }).update({ name: 'top', parent_id: null })],
    ['a move to what is not told', (knex) => knex.raw('update nodes set parent_id = 4 + 5 where id = 2')],
    ['a move of several', (knex) => knex('nodes').where({ parent_id: 2 }).update({ parent_id: 3 })],
    ['a delete', (knex) => knex('nodes').where({ id: 5 }).delete()],
    ['a delete of unnamed rows', (knex) => knex('nodes').where('name', 'n6').delete()],
    ['a new id', (knex) => knex('nodes').where({ id: 5 }).update({ id: 50 })],
    ['an upsert', (knex) => knex('nodes').insert({ id: 5, parent_id: 3, name: 'up' }).onConflict('id').merge()],
    ['a truncate', (knex) => knex('nodes').truncate()],
  ];

  describe.each([true, false])('with its rule: %s', (rule) => {
    test.each(changes)('sees %s', async (_, change) => {
      const { knex, check } = await aPlace({ rule });
      await check();
      await change(knex);
      await check();
    });

    test.each(changes)('over a store sees %s', async (_, change) => {
      const { knex, check } = await aPlace({ rule, options: { store: memoryStore() } });
      await check();
      await change(knex);
      await check();
    });
  });

  test('a renamed row is all that is loaded again, with the list that it is in', async () => {
    const { knex, tree, asked } = await aPlace();
    const before = await tree.subtree(1);
    asked.length = 0;
    await knex('nodes').where({ id: 5 }).update({ name: 'new' });
    const after = await tree.subtree(1);
    expect(after?.children[0]?.children[1]?.row.name).toBe('new');
    expect(after?.children[1]).toBe(before?.children[1]);
    expect(asked).toEqual(['rows 5', 'below 2']);
  });

  test('a list that a row has left is asked for again: mended, it would lack what came before', async () => {
    const { knex, plain, tree } = await aPlace();
    await tree.subtree(1);
    // Committed, and not told yet.
    await plain('nodes').insert({ id: 8, parent_id: 2, name: 'n8' });
    await knex('nodes').where({ id: 5 }).update({ parent_id: 3 });
    const node = await tree.subtree(1);
    expect(node?.children.map(({ children }) => children.map(({ row }) => row.id))).toEqual([
      [4, 8],
      [5, 6],
    ]);
  });

  test('what a transaction writes is seen after its COMMIT', async () => {
    const { knex, tree, seen } = await aPlace();
    await seen(1);
    await knex.transaction(async (trx) => {
      await trx('nodes').where({ id: 2 }).update({ parent_id: 9 });
      // On SQLite the transaction has the only connection there is.
      if (database !== 'sqlite') expect((await tree.ancestors(5)).map(({ id }) => id)).toEqual([1, 2]);
    });
    expect((await tree.ancestors(5)).map(({ id }) => id)).toEqual([9, 2]);
    const rolledBack = knex.transaction(async (trx) => {
      await trx('nodes').where({ id: 2 }).update({ parent_id: 1 });
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect((await tree.ancestors(5)).map(({ id }) => id)).toEqual([9, 2]);
  });

  test('a tree of all rows needs no more than its query', async () => {
    const { cache, knex } = await aPlace({ rule: false });
    let loads = 0;
    const all = cache.tree<Row>()('all', {
      rows: () => {
        loads++;
        return knex('nodes').orderBy('id');
      },
      ...{ id: 'id', parent: 'parent_id' },
    }) as Tree<Row, number>;
    const before = await all.subtree(1);
    await all.ancestors(6);
    expect(loads).toBe(1);
    await knex('nodes').where({ id: 6 }).update({ name: 'new' });
    const after = await all.subtree(1);
    expect(after?.children[1]?.children[0]?.row.name).toBe('new');
    expect(after?.children[0]).toBe(before?.children[0]);
    expect(loads).toBe(2);
  });

  test('one statement has rows and all below them, also where they form a cycle', async () => {
    const { truth, plain } = await aPlace();
    expect(await truth()).toEqual([1, 2, 3, 4, 5, 6, 9]);
    expect(await truth([2, 6])).toEqual([2, 4, 5, 6]);
    expect(await truth([1], 1)).toEqual([1, 2, 3]);
    expect(await truth([1], 0)).toEqual([1]);
    await plain('nodes').where({ id: 1 }).update({ parent_id: 4 });
    expect(await truth([4])).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await truth([4], 2)).toEqual([1, 2, 3, 4]);
    expect(await truth([])).toEqual([]);
  });

  test.skipIf(database !== 'postgres')('paths of ltree say the same', async ({ skip }) => {
    const plain = Knex(shop.config);
    cleanups.push(() => plain.destroy());
    const { rows: found } = await plain.raw("select 1 from pg_available_extensions where name = 'ltree'");
    if (found.length === 0) return skip('this PostgreSQL has no ltree');
    await plain.raw('create extension if not exists ltree');
    await plain.raw('drop table if exists paths');
    await plain.raw('create table paths (id int primary key, path ltree)');
    await plain.raw("insert into paths values (1, 'a'), (2, 'a.b'), (3, 'a.b.c'), (4, 'a.d'), (5, 'e')");
    const ids = async (from?: number[], depth?: number) => {
      const { sql, params } = treeQuery('ltree', {
        ...{ table: 'paths', id: 'id', parent: 'path', columns: ['id'] },
        ...(from === undefined ? {} : { from }),
        ...(depth === undefined ? {} : { depth }),
      });
      const { rows } = await plain.raw(`${sql.replace('any($1)', 'any(?)')} order by id`, params as never);
      return rows.map(({ id }: Row) => id);
    };
    expect(await ids()).toEqual([1, 2, 3, 4, 5]);
    expect(await ids([2])).toEqual([2, 3]);
    expect(await ids([1, 5], 1)).toEqual([1, 2, 4, 5]);
  });
});
