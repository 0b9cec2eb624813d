import type { Knex as Instance } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { History, wrongOf } from './trees-history.js';
import type { Order, Played, Setup } from './trees-history-worker.js';
import type { Naive } from './trees-naive.js';
import { start } from './trees-processes.js';
import { firstState } from './trees-random.js';
import { aTreeDatabase } from './trees-table.js';

/**
 * Several processes read a tree while each of them moves, inserts, deletes and renames: every read is of a moment at or
 * after the last change that was acknowledged before it began. Three mistakes that a tree can be made with fail here.
 * `UNSTALE_LONG=1` plays for longer.
 */
const { postgres, redis } = inject('services');
const rounds = process.env.UNSTALE_LONG ? 40 : 2;
const forms = ['rows', 'levels'] as const;

describe.skipIf(postgres === undefined || redis === undefined)('a tree that is read while it changes', () => {
  const name = `trees_history_${process.pid}`;
  const first = firstState(40);
  let nodes: Awaited<ReturnType<typeof aTreeDatabase>>;
  let knex: Instance;
  beforeAll(async () => {
    nodes = await aTreeDatabase(postgres?.url as string, name);
    knex = nodes.knex;
    await knex.schema.createTable('turns', (table) => {
      table.integer('id').primary();
      table.integer('number');
    });
  });
  afterAll(() => nodes?.drop());

  /** Rounds in four processes; `judge` says whether there shall be another one. */
  async function play(mistake: Naive | undefined, most: number, judge: (played: Played) => boolean): Promise<void> {
    const common = {
      redis: redis?.url as string,
      postgres: nodes.url,
      ...(mistake === undefined ? {} : { naive: mistake }),
    };
    // A mistake is found soon: short rounds end sooner.
    const changes = mistake === undefined ? 25 : 10;
    const label = mistake?.replaceAll(' ', '-') ?? 'ours';
    const workers = await Promise.all(
      [1, 2, 3, 4].map((me) =>
        start<Order>('./trees-history-worker.ts', { ...common, name: `${name}-${label}`, me } satisfies Setup),
      ),
    );
    try {
      for (let round = 1; round <= most; round++) {
        await knex('nodes').delete();
        await knex('turns').delete();
        await knex('turns').insert({ id: 1, number: 0 });
        await knex.batchInsert('nodes', [...first.values()], 1000);
        // What the last round has left was written past all caches.
        await workers[0]?.do({ do: 'clear' });
        const all = await Promise.all(workers.map((one) => one.do<Played>({ do: 'play', changes, seed: round })));
        // And once more, when everything is acknowledged.
        all.push(...(await Promise.all(workers.map((one) => one.do<Played>({ do: 'read' })))));
        const made = all.flatMap((it) => it.changes).sort((a, b) => a.number - b.number);
        expect(made.map(({ number }) => number)).toEqual(made.map((_, at) => at + 1));
        const [rows, levels] = forms.map((form) => all.flatMap((it) => it[form]));
        if (!judge({ rows, levels, changes: made } as Played)) return;
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.do({ do: 'close' }).finally(() => worker.stop())));
    }
  }

  test('gives what the table had at some moment after the last change that was acknowledged', async () => {
    const counts = { reads: 0, levels: 0, overlapped: 0, hurried: 0, changes: 0 };
    await play(undefined, rounds, ({ changes, ...readings }) => {
      const history = new History(first, changes);
      for (const form of forms) {
        expect(wrongOf(form, readings[form], history)).toBeUndefined();
        counts.reads += readings[form].length;
        counts.overlapped += readings[form].filter((it) => history.isOverlapped(it)).length;
      }
      counts.levels += readings.levels.length;
      counts.hurried += readings.levels.filter((it) => it.isHurried).length;
      counts.changes += changes.length;
      return true;
    });
    // It was no idle time.
    expect(counts.changes).toBe(rounds * 100);
    expect(counts.overlapped).toBeGreaterThan(counts.reads / 10);
    // Of nearly all it was judged whether they are of one moment.
    expect(counts.hurried).toBeLessThan(counts.levels / 20);
  }, 600_000);

  test.each(['forgets its lists', 'forgets its mark', 'raises its mark before its parts'] as const)(
    'one that %s gives something else',
    async (mistake) => {
      let wrong: string | undefined;
      await play(mistake, 40, ({ changes, ...readings }) => {
        const history = new History(first, changes);
        wrong = forms.map((form) => wrongOf(form, readings[form], history)).find((it) => it !== undefined);
        return wrong === undefined;
      });
      expect(wrong).toBeDefined();
    },
    600_000,
  );
});
