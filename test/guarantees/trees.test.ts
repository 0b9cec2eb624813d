import type { Knex as Instance } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { start, type Worker } from './trees-processes.js';
import { aTreeDatabase } from './trees-table.js';
import type { Order, Setup } from './trees-worker.js';

/**
 * A tree that several processes change at random, by a wrapped client and by hand, is in each of them what one recursive
 * query gives; and what a change makes them load again is what it changed. Two trees that are made as most are fail here.
 * `UNSTALE_LONG=1` plays for longer.
 */
const { postgres, redis } = inject('services');
const rounds = process.env.UNSTALE_LONG ? 60 : 5;

interface State {
  readonly rows: readonly string[];
  readonly queries: number;
  readonly loaded: number;
}

describe.skipIf(postgres === undefined || redis === undefined)('a tree in several processes', () => {
  const name = `trees_${process.pid}`;
  let nodes: Awaited<ReturnType<typeof aTreeDatabase>>;
  let knex: Instance;
  beforeAll(async () => {
    nodes = await aTreeDatabase(postgres?.url as string, name);
    knex = nodes.knex;
  });
  afterAll(() => nodes?.drop());

  async function plant(count: number, parentOf: (id: number) => number | null): Promise<void> {
    await knex('nodes').delete();
    const rows = Array.from({ length: count }, (_, at) => ({ id: at, parent_id: parentOf(at), name: `n${at % 30}` }));
    await knex.batchInsert('nodes', rows, 1000);
  }

  /** Each row before its children, those by name. */
  async function truth(): Promise<readonly string[]> {
    const { rows } = await knex.raw(
      `with recursive t as (
         select id, parent_id, name, array[(name, id)] as path from nodes where parent_id is null
         union all select n.id, n.parent_id, n.name, path || (n.name, n.id) from nodes n join t on n.parent_id = t.id
       ) select id, parent_id, name from t order by path`,
    );
    return rows.map((row: { id: number; parent_id: number; name: string }) => `${row.id}<${row.parent_id}:${row.name}`);
  }

  async function play(
    kind: Setup['kind'],
    label: string,
    play: (workers: Worker<Order>[]) => Promise<void>,
  ): Promise<void> {
    const common = { redis: redis?.url as string, postgres: nodes.url, name: `${name}-${label}`, kind };
    const workers = await Promise.all(
      [1, 2, 3].map((me) => start<Order>('./trees-worker.ts', { ...common, me } satisfies Setup)),
    );
    try {
      await play(workers);
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  }

  /** Rounds of changes that meet; after each, how many readers see something else than the database has. */
  async function differences(
    workers: readonly Worker<Order>[],
    most: number,
    enough = Number.POSITIVE_INFINITY,
  ): Promise<number> {
    let count = 0;
    for (let round = 1; round <= most && count < enough; round++) {
      await Promise.all(workers.map((worker, me) => worker.do({ do: 'changes', count: 6, seed: round * 10 + me })));
      const expected = await truth();
      for (const worker of workers) {
        const { rows } = (await worker.do({ do: 'state' })) as State;
        if (rows.join() !== expected.join()) count++;
      }
    }
    return count;
  }

  test('is what a recursive query gives, whoever changes it and how', async () => {
    await plant(60, (id) => (id < 2 ? null : Math.floor(id / 3)));
    await play('ours', 'differences', async (workers) => {
      expect(await differences(workers, rounds)).toBe(0);
    });
  }, 600_000);

  test.each(['delete on write', 'late versions'] as const)(
    'a tree with %s is not',
    async (kind) => {
      await plant(60, (id) => (id < 2 ? null : Math.floor(id / 3)));
      await play(kind, kind.replaceAll(' ', '-'), async (workers) => {
        expect(await differences(workers, 60, 1)).toBeGreaterThan(0);
      });
    },
    600_000,
  );

  test('loads what has changed, and what others have loaded from the store', async () => {
    // 3 roots, 30 below each, 30 below each of those.
    await plant(2793, (id) => (id < 3 ? null : id < 93 ? (id - 3) % 3 : 3 + ((id - 93) % 90)));
    await play('ours', 'loads', async ([first, second]) => {
      const state = async (worker: Worker<Order> | undefined) => (await worker?.do({ do: 'state' })) as State;
      expect(await state(first)).toMatchObject({ loaded: 2793 });
      // Shelves are written behind the first reader's back.
      await first?.do({ do: 'settle' });
      expect(await state(second)).toMatchObject({ queries: 0, loaded: 0 });
      // Each change ends a share of the rows, about three here, and the lists that the row is in or leaves.
      const changes = [
        { sql: 'update nodes set name = ? where id = ?', params: ['new', 2000] },
        { sql: 'insert into nodes (id, parent_id, name) values (?, ?, ?)', params: [5000, 50, 'n5'] },
        { sql: 'update nodes set parent_id = ? where id = ?', params: [60, 2001] },
        { sql: 'delete from nodes where id = ?', params: [2002] },
      ];
      for (const { sql, params } of changes) {
        await first?.do({ do: 'change', sql, params });
        const expected = await truth();
        const seen = await state(second);
        expect(seen.rows).toEqual(expected);
        // A move names the list that the row comes into; the one that it leaves is found when the row is, and asked for then.
        expect(seen.queries, sql).toBeLessThanOrEqual(sql.includes('set parent_id') ? 5 : 4);
        expect(seen.loaded, sql).toBeLessThanOrEqual(150);
      }
    });
  }, 120_000);
});
