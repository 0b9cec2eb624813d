import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { treeBucket } from '../../../src/core/tree-tags.js';
import { type Cache, createCache, type Tree } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { after, inOrder, type State } from '../../guarantees/trees-history.js';
import { type Chance, randomStep, type Step } from '../../guarantees/trees-random.js';
import type { Row } from '../../guarantees/trees-table.js';
import { auditAfterEach, auditWatched, watch } from '../../support/audit.js';
import { effort } from '../../support/effort.js';

/**
 * What a change makes a reader of the whole tree load again, beside the least that it could be: the rows and lists in
 * which the change is. `docs/trees.md` states the bound.
 */

/** A tree three rows wide, and as deep as that makes it. */
const planted = (size: number): State =>
  new Map(
    Array.from({ length: size }, (_, id) => [
      id,
      { id, parent_id: id < 2 ? null : Math.floor((id - 2) / 3), name: `n${id % 20}` },
    ]),
  );

/** The rows and lists that a reader of everything must ask for again, since they are not what they were. */
function leastOf({ kind, id, from, to }: Step): string[] {
  if (kind === 'insert') return [`below ${to}`, `below ${id}`];
  if (kind === 'remove') return [`below ${from}`];
  return [`row ${id}`, `below ${from}`, ...(to === from ? [] : [`below ${to}`])];
}

/** The shares that a change has raised, and the rows and lists in them that it is not in. */
function sharesOf(state: State, { id, from, to, rows }: Step): { shares: number; neighbours: number } {
  const told = {
    rows: new Set(rows.map(([one]) => treeBucket(one))),
    lists: new Set([id, from, to, ...rows.map(([one]) => one)].map(treeBucket)),
  };
  let neighbours = 0;
  for (const one of state.keys()) {
    if (one === id) continue;
    if (told.rows.has(treeBucket(one))) neighbours++;
    if (one !== from && one !== to && told.lists.has(treeBucket(one))) neighbours++;
  }
  return { shares: told.rows.size + told.lists.size, neighbours };
}

/** A table, and what it is asked. */
class Place {
  state: State;
  asked: string[] = [];
  queries = 0;

  constructor(size: number) {
    this.state = planted(size);
  }

  loads(form: 'rows' | 'levels') {
    const rows = async (wanted: (row: Row) => boolean) => {
      this.queries++;
      return inOrder([...this.state.values()].filter(wanted)).map((row) => ({ ...row }));
    };
    if (form === 'rows') return { rows: () => rows(() => true) };
    return {
      load: (ids: readonly number[]) => {
        this.asked.push(...ids.map((id) => `row ${id}`));
        return rows(({ id }) => ids.includes(id));
      },
      children: (parents: readonly (number | null)[]) => {
        this.asked.push(...parents.map((id) => `below ${id}`));
        return rows(({ parent_id }) => parents.includes(parent_id));
      },
    };
  }

  forget(): void {
    this.asked = [];
    this.queries = 0;
  }
}

async function readAll(tree: Tree<Row, number>): Promise<void> {
  for (const { id } of await tree.roots()) await tree.subtree(id);
}

interface Game {
  readonly form: 'rows' | 'levels';
  readonly size: number;
  readonly dice: readonly number[];
  /** By somebody who says that anything may have changed. */
  readonly isVague?: boolean;
}

/** Changes that another process tells of, and what each of them makes this one ask. */
async function play({ form, size, dice, isVague }: Game, see: (place: Place, step: Step) => void): Promise<void> {
  let thrown = 0;
  const chance: Chance = (sides) => ((dice[thrown++ % dice.length] as number) + thrown * 7919) % Math.max(1, sides);
  const place = new Place(size);
  const store = memoryStore();
  const [here, there] = [0, 1].map(() => {
    const cache = watch(createCache({ jitter: 0, store }));
    const tree = cache.tree<Row>()('t', { id: 'id', parent: 'parent_id', ...place.loads(form) } as never);
    return { cache, tree: tree as Tree<Row, number> };
  }) as [{ cache: Cache; tree: Tree<Row, number> }, { cache: Cache; tree: Tree<Row, number> }];
  const tell = async ({ kind, id, from, to, rows }: Step) => {
    if (isVague) await there.tree.clear();
    else if (kind === 'move') await there.tree.move(id, { to, from });
    else
      await there.cache.transaction(
        async () => void (await Promise.all(rows.map(([one]) => there.tree.invalidate(one)))),
      );
  };
  await readAll(here.tree);
  for (let born = size; born < size + 10; born++) {
    const step = randomStep(place.state, born, chance);
    if (step === undefined) continue;
    place.state = after(place.state, step.rows);
    await tell(step);
    place.forget();
    await readAll(here.tree);
    see(place, step);
    place.forget();
    await readAll(here.tree);
    expect(place.queries).toBe(0);
  }
  await auditWatched();
}

const games = fc.array(fc.nat(9973), { minLength: 40, maxLength: 80 });
auditAfterEach();

describe('a change makes a reader of everything', () => {
  test.each([300, 3000])(
    'by level ask for at most twice the rows and lists that it is in, and their neighbours, of %i',
    async (size) => {
      const sum = { pieces: 0, least: 0, shares: 0 };
      const game = fc.asyncProperty(games, (dice) =>
        play({ form: 'levels', size, dice }, ({ asked, queries, state }, step) => {
          const least = leastOf(step).length;
          const { shares, neighbours } = sharesOf(state, step);
          expect(asked.length).toBeLessThanOrEqual(2 * least + neighbours);
          expect(queries).toBeLessThanOrEqual(4 + neighbours);
          sum.pieces += asked.length;
          sum.least += least;
          sum.shares += shares;
        }),
      );
      await fc.assert(game, { numRuns: effort(size > 1000 ? 10 : 30) });
      // A share has a 1,024th of them; some have more.
      expect(sum.pieces).toBeLessThanOrEqual(2 * sum.least + (1.5 * sum.shares * size) / 1024);
    },
    120_000,
  );

  test('by `rows` ask once', async () => {
    const game = fc.asyncProperty(games, (dice) =>
      play({ form: 'rows', size: 300, dice }, ({ queries }) => expect(queries).toBe(1)),
    );
    await fc.assert(game, { numRuns: effort(30) });
  }, 60_000);

  test('ask for everything, when somebody says that anything may have changed', async () => {
    const asked: number[] = [];
    const dice = Array.from({ length: 40 }, (_, at) => at * 31);
    await play({ form: 'levels', size: 300, dice, isVague: true }, (place) => asked.push(place.asked.length));
    expect(Math.min(...asked)).toBeGreaterThan(300);
  }, 60_000);
});
