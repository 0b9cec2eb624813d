import type { Model, Step, Violation } from './explore.js';
import { type Bits, each } from './world.js';

/**
 * A cache without a store: the cells are the truth, a look takes no time, and a mark is a version. Mirrors
 * `src/core/tags.ts`, `lookHere` in `look.ts`, `Scope.learn` in `scope.ts`, `settle` in `load.ts`, `holdsHere` in
 * `entry.ts`, and again the joining of `fill.ts`.
 */
export interface AloneState {
  db: Bits;
  acked: Bits;
  /** One counter for the marks of all cells. */
  marks: number;
  /** The newest mark of a cell that was dropped. */
  floor: number;
  /** By tag; -1: there is no cell. */
  cells: number[];
  near: Held | null;
  /** Who is loading; -1: nobody. */
  flight: number;
  readers: Reader[];
  writers: ('idle' | 'committed' | 'done')[];
  drops: number;
}

interface Held {
  readonly value: Bits;
  /** By tag: the mark that it was loaded under; -1: it does not depend on the tag. */
  readonly versions: readonly number[];
}

interface Reader {
  left: number;
  at: 'idle' | 'loads' | 'lands' | 'joined';
  acked: Bits;
  versions: number[];
  /** The table's mark when the load's scope was made. */
  mark: number;
  value: Bits;
}

export interface AloneSetup {
  /** Tag t stands for row t; write w changes row `writes[w]` and raises its tag. */
  readonly tags: readonly ('known' | 'learned')[];
  readonly writes: readonly number[];
  readonly readers: readonly number[];
  /** How many idle cells may be dropped for room. */
  readonly drops?: number;
}

export type AloneFlaw =
  | 'deletes entries instead of touching cells'
  | 'lets joiners have whatever lands'
  | 'takes a learned tag as it is after the load'
  | 'counts the marks of each cell from 0'
  | 'forgets the marks of dropped cells'
  | 'touches cells before COMMIT';

export function alone(setup: AloneSetup, ...broken: readonly AloneFlaw[]): Model<AloneState> {
  const flaws: ReadonlySet<AloneFlaw> = new Set(broken);
  const violations: Violation[] = [];
  const visible = (row: number, db: Bits) =>
    setup.writes.reduce((bits, of, w) => (of === row ? bits | (1 << w) : bits), 0) & db;

  const cellOf = (state: AloneState, tag: number): number => {
    if (state.cells[tag] !== -1) return state.cells[tag] as number;
    const restarts =
      flaws.has('counts the marks of each cell from 0') || flaws.has('forgets the marks of dropped cells');
    return (state.cells[tag] = restarts ? 0 : state.floor);
  };
  const touch = (state: AloneState, tag: number) => {
    if (flaws.has('deletes entries instead of touching cells')) state.near = null;
    else if (flaws.has('counts the marks of each cell from 0')) state.cells[tag] = cellOf(state, tag) + 1;
    else state.cells[tag] = ++state.marks;
  };
  const holds = (state: AloneState, { versions }: Held) =>
    flaws.has('deletes entries instead of touching cells') ||
    versions.every((version, tag) => version === -1 || cellOf(state, tag) === version);

  const serve = (state: AloneState, i: number, value: Bits) => {
    const reader = state.readers[i] as Reader;
    for (const w of each(reader.acked & ~value))
      violations.push({ property: 'ACK', what: `R${i} is served a value without W${w}, acknowledged before it began` });
    state.readers[i] = { left: reader.left - 1, at: 'idle', acked: 0, versions: [], mark: 0, value: 0 };
  };
  const look = (state: AloneState, i: number) => {
    const reader = state.readers[i] as Reader;
    if (state.near !== null && holds(state, state.near)) return serve(state, i, state.near.value);
    if (state.flight !== -1) return void (reader.at = 'joined');
    state.flight = i;
    reader.at = 'loads';
    reader.versions = setup.tags.map((how, tag) => (how === 'known' ? cellOf(state, tag) : -1));
    reader.mark = state.marks;
  };
  const land = (state: AloneState, i: number) => {
    const { value, versions, mark } = state.readers[i] as Reader;
    let torn = false;
    setup.tags.forEach((how, tag) => {
      if (how === 'known') return;
      versions[tag] = cellOf(state, tag);
      const changed = (versions[tag] as number) > mark && !flaws.has('takes a learned tag as it is after the load');
      torn ||= changed;
    });
    const held: Held = Object.freeze({ value, versions: Object.freeze([...versions]) });
    if (!torn && holds(state, held)) state.near = held;
    state.flight = -1;
    serve(state, i, value);
    const shared = flaws.has('lets joiners have whatever lands') || (!torn && holds(state, held));
    state.readers.forEach(({ at }, n) => {
      if (at !== 'joined') return;
      if (shared) serve(state, n, value);
      else look(state, n);
    });
  };

  return {
    broken: violations,
    start: () => ({
      db: 0,
      acked: 0,
      marks: 0,
      floor: 0,
      cells: setup.tags.map(() => -1),
      near: null,
      flight: -1,
      readers: setup.readers.map((left) => ({ left, at: 'idle', acked: 0, versions: [], mark: 0, value: 0 })),
      writers: setup.writes.map(() => 'idle'),
      drops: setup.drops ?? 0,
    }),
    steps(state, step: Step<AloneState>) {
      state.readers.forEach(({ left, at }, i) => {
        if (at === 'idle' && left > 0)
          step(
            () =>
              `R${i} reads: ${state.near !== null && holds(structuredClone(state), state.near) ? 'from memory' : 'not in memory'}`,
            (next) => {
              (next.readers[i] as Reader).acked = next.acked;
              look(next, i);
            },
          );
        if (at === 'loads')
          step(
            () => `database: answers R${i}'s load`,
            (next) => {
              const reader = next.readers[i] as Reader;
              reader.value = setup.tags.reduce((value, _, row) => value | visible(row, next.db), 0);
              reader.at = 'lands';
            },
          );
        if (at === 'lands')
          step(
            () => `R${i}'s load lands`,
            (next) => land(next, i),
          );
      });
      state.writers.forEach((at, w) => {
        const tag = setup.writes[w] as number;
        const early = flaws.has('touches cells before COMMIT');
        const commit = (next: AloneState) => void (next.db |= 1 << w);
        const raise = (next: AloneState) => touch(next, tag);
        if (at === 'idle')
          step(
            () => (early ? `W${w} touches cell ${tag}` : `W${w}: COMMIT`),
            (next) => {
              (early ? raise : commit)(next);
              next.writers[w] = 'committed';
            },
          );
        if (at === 'committed')
          step(
            () => (early ? `W${w}: COMMIT, acknowledged` : `W${w} touches cell ${tag}, acknowledged`),
            (next) => {
              (early ? commit : raise)(next);
              next.acked |= 1 << w;
              next.writers[w] = 'done';
            },
          );
      });
      if (state.drops > 0)
        state.cells.forEach((mark, tag) => {
          const used = state.near !== null && state.near.versions[tag] !== -1;
          if (mark !== -1 && !used)
            step(
              () => `memory drops cell ${tag} for room`,
              (next) => {
                next.drops--;
                next.floor = Math.max(next.floor, mark);
                next.cells[tag] = -1;
              },
            );
        });
    },
    stuck: ({ readers }) => (readers.some(({ left }) => left > 0) ? 'a reader waits for ever' : undefined),
  };
}
