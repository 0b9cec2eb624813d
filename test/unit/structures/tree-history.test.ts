import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCache, type Store, type Tree } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { after, type Changed, History, inOrder, type Reading, wrongOf } from '../../guarantees/trees-history.js';
import { type Naive, naive } from '../../guarantees/trees-naive.js';
import { ask, type Chance, firstState, randomAsked, randomStep } from '../../guarantees/trees-random.js';
import type { Row } from '../../guarantees/trees-table.js';
import { auditAfterEach, auditWatched, watch } from '../../support/audit.js';
import { effort } from '../../support/effort.js';

/**
 * Readers in two processes while rows are moved, inserted, deleted and renamed: every load, every trip to the store and
 * every word of a change waits until chance lets it go on, so that everything overtakes everything. What a read gives is
 * then looked up in the history of the table. Trees that forget one kind of tag, or raise them in another order, fail.
 * Real processes are in `test/guarantees/trees-history.test.ts`.
 */

/** What waits until chance lets it go on. */
class Gates {
  readonly #closed: (() => void)[] = [];
  readonly #chance: Chance;
  isOpen = false;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  async pass(): Promise<void> {
    if (this.isOpen || this.#chance(3) === 0) return;
    await new Promise<void>((resolve) => this.#closed.push(resolve));
  }

  open(): void {
    this.#closed.splice(this.#chance(this.#closed.length), 1)[0]?.();
  }
}

/** A store whose trips take as long as chance says. */
function dawdling(store: Store, gates: Gates): Store {
  return {
    kind: store.kind,
    open(context) {
      const session = store.open(context);
      const { read, raise } = session;
      session.read = async (key, tags) => {
        await gates.pass();
        const answer = await read.call(session, key, tags);
        await gates.pass();
        return answer;
      };
      session.raise = async (tags, timeout) => {
        await gates.pass();
        return raise.call(session, tags, timeout);
      };
      return session;
    },
  };
}

/** Rows that arrive some time after they were read. */
function loadsOf(form: Form, late: (wanted: (row: Row) => boolean) => Promise<Row[]>) {
  if (form === 'rows') return { rows: () => late(() => true) };
  return {
    load: (ids: readonly number[]) => late(({ id }) => ids.includes(id)),
    children: (parents: readonly (number | null)[]) => late(({ parent_id }) => parents.includes(parent_id)),
  };
}

type Form = 'rows' | 'levels';
const size = 14;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Played {
  readonly readings: readonly Reading[];
  readonly history: History;
}

/** One game: chance begins reads and changes and lets go on what waits, as the list of numbers says. */
async function play(form: Form, dice: readonly number[], kind?: Naive): Promise<Played> {
  let thrown = 0;
  const chance: Chance = (sides) => ((dice[thrown++ % dice.length] as number) + thrown * 7919) % Math.max(1, sides);
  const gates = new Gates(chance);
  const first = firstState(size);
  let [state, made, now] = [first, size, 0];
  const loads = loadsOf(form, async (wanted) => {
    await gates.pass();
    const rows = inOrder([...state.values()].filter(wanted)).map((row) => ({ ...row }));
    await gates.pass();
    return rows;
  });
  const pause = async () => {
    for (let step = 0; step < 10; step++) await gates.pass();
  };
  const store = memoryStore();
  const places = [0, 1].map(() => {
    const way = dawdling(kind === undefined ? store : naive(store, kind, pause), gates);
    const cache = createCache({ jitter: 0, store: way, ackTimeout: '1h' });
    const tree = cache.tree<Row>()('t', { id: 'id', parent: 'parent_id', ...loads } as never);
    return { cache, tree: tree as Tree<Row, number> };
  });
  const readings: Reading[] = [];
  const changes: Changed[] = [];

  const read = async () => {
    const { tree } = places[chance(2)] as (typeof places)[0];
    const asked = randomAsked(made, chance);
    const began = ++now;
    const answer = await ask(tree, asked);
    readings.push({ asked, answer, began, ended: ++now });
  };

  const change = async () => {
    const { cache, tree } = places[chance(2)] as (typeof places)[0];
    const step = randomStep(state, made, chance);
    if (step === undefined) return;
    const { kind, id, rows, from, to } = step;
    if (kind === 'insert') made++;
    const changed = { change: rows, began: ++now, acknowledged: Number.POSITIVE_INFINITY };
    changes.push(changed);
    state = after(state, rows);
    await gates.pass();
    if (kind === 'move' && chance(2) === 0) await tree.move(id, { to, ...(chance(2) === 0 ? { from } : {}) });
    else await cache.transaction(async () => void (await Promise.all(rows.map(([one]) => tree.invalidate(one)))));
    changed.acknowledged = ++now;
  };

  const underWay = new Set<Promise<unknown>>();
  for (const one of dice) {
    if (one % 5 < 2 && underWay.size < 6) {
      const work = one % 10 === 6 ? change() : read();
      underWay.add(work);
      void work.finally(() => underWay.delete(work));
    } else gates.open();
    await turn();
  }
  gates.isOpen = true;
  while (underWay.size > 0) {
    gates.open();
    await turn();
  }
  // Everything is acknowledged: whoever reads now sees the last state.
  for (let count = 0; count < 4; count++) await read();
  if (kind === undefined) for (const { cache } of places) watch(cache);
  else await Promise.all(places.map(({ cache }) => cache.close()));
  await auditWatched();
  return { readings, history: new History(first, changes) };
}

const games = fc.array(fc.nat(9973), { minLength: 60, maxLength: 200 });

auditAfterEach();

describe.each(['rows', 'levels'] as const)('a tree by %s, read while it changes', (form) => {
  test('gives what the table had at some moment after the last change that was acknowledged', async () => {
    let [overlapped, count] = [0, 0];
    const game = fc.asyncProperty(games, async (dice) => {
      const { readings, history } = await play(form, dice);
      expect(wrongOf(form, readings, history)).toBeUndefined();
      count += readings.length;
      overlapped += readings.filter((it) => history.isOverlapped(it)).length;
    });
    // A game is too long to be made shorter step by step.
    await fc.assert(game, { numRuns: effort(100), endOnFailure: true });
    // It was no idle time, and not all of it was a muddle.
    expect(overlapped).toBeGreaterThan(count / 5);
    expect(count - overlapped).toBeGreaterThan(count / 20);
  }, 120_000);
});

const mistakes: readonly [Form, Naive][] = [
  ['levels', 'forgets its rows'],
  ['levels', 'forgets its lists'],
  ['levels', 'forgets its mark'],
  ['rows', 'forgets its mark'],
  ['levels', 'raises its mark before its parts'],
];

test.each(mistakes)(
  'one by %s that %s gives something else',
  async (form, kind) => {
    const game = fc.asyncProperty(games, async (dice) => {
      const { readings, history } = await play(form, dice, kind);
      return wrongOf(form, readings, history) === undefined;
    });
    expect((await fc.check(game, { numRuns: 1000, endOnFailure: true })).failed).toBe(true);
  },
  60_000,
);

test('a list that lacks a change and has a later one is found out', () => {
  const aRow = (id: number, parent_id: number | null): Row => ({ id, parent_id, name: `n${id}` });
  const first = new Map([aRow(1, null), aRow(2, 1), aRow(3, 1), aRow(4, 2), aRow(5, 2)].map((row) => [row.id, row]));
  const history = new History(first, [
    { change: [[8, aRow(8, 2)]], began: 1, acknowledged: 100 },
    { change: [[5, aRow(5, 3)]], began: 10, acknowledged: 20 },
  ]);
  const reading = (...ids: number[]): Reading => ({
    ...{ asked: { what: 'children', id: 2 }, answer: ids.map((id) => `${id}<2:n${id}`), began: 30, ended: 40 },
  });
  expect(history.firstWrong(reading(4, 8))).toBeUndefined();
  expect(history.firstWrong(reading(4))).toBe('below 2: 4<2:n4');
  expect(history.firstWrong(reading(4, 5, 8))).toBeDefined();
});
