import { setTimeout as wait } from 'node:timers/promises';
import { InvalidationPendingError } from '../../../src/index.js';
import { randomOf, zipf } from '../random.js';
import type { Referee } from './referee.js';
import type { Subject } from './subjects.js';

/** What one process does in a race. */
export interface Plan {
  /** From it comes the schedule: which rows, in which order, after which pauses. */
  readonly seed: number;
  readonly readers: number;
  readonly writers: number;
  /** How long, in milliseconds. */
  readonly lasts: number;
}

/** What came of it. */
export interface Tally {
  reads: number;
  /** Queries that the reads sent. */
  loads: number;
  writes: number;
  /** Writes whose invalidation was refused: nobody was told that it has happened. */
  refused: number;
  stale: number;
  /** How many acknowledged writes the worst stale read was behind. */
  behind: number;
}

export const noTally = (): Tally => ({ reads: 0, loads: 0, writes: 0, refused: 0, stale: 0, behind: 0 });

export function addTally(to: Tally, from: Tally): Tally {
  for (const name of ['reads', 'loads', 'writes', 'refused', 'stale'] as const) to[name] += from[name];
  to.behind = Math.max(to.behind, from.behind);
  return to;
}

const rows = 24;
const pick = (random: () => number) => 1 + zipf(random, rows);

/** Readers and writers of one process, side by side on the same rows. */
export async function play(plan: Plan, subject: Subject, referee: Referee): Promise<Tally> {
  const tally = noTally();
  const end = performance.now() + plan.lasts;

  async function reader(random: () => number): Promise<void> {
    while (performance.now() < end) {
      const row = pick(random);
      const floor = await referee.acknowledged(row);
      const value = await subject.read(row, () => tally.loads++);
      tally.reads++;
      if (value < floor) {
        tally.stale++;
        tally.behind = Math.max(tally.behind, floor - value);
      }
      await wait(random() * 6);
    }
  }

  async function writer(random: () => number): Promise<void> {
    while (performance.now() < end) {
      const row = pick(random);
      tally.writes++;
      await subject.write(row).then(
        (value) => referee.record(row, value),
        (error) => {
          if (!(error instanceof InvalidationPendingError)) throw error;
          tally.refused++;
        },
      );
      await wait(random() * 90);
    }
  }

  const { seed } = plan;
  await Promise.all([
    ...Array.from({ length: plan.readers }, (_, i) => reader(randomOf(seed * 1000 + i))),
    ...Array.from({ length: plan.writers }, (_, i) => writer(randomOf(seed * 1000 + 500 + i))),
  ]);
  return tally;
}
