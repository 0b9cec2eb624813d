import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from '../database.js';
import { randomOf, zipf } from '../random.js';
import type { Referee } from './referee.js';
import type { Subject } from './subjects.js';

/** What one process does in a race. */
export interface Plan {
  /** From it comes the schedule: which rows, in which order, after which pauses, and how slow the loads are. */
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
export async function play(plan: Plan, subject: Subject, db: Database, referee: Referee): Promise<Tally> {
  const tally = noTally();
  const end = performance.now() + plan.lasts;

  async function reader(random: () => number): Promise<void> {
    while (performance.now() < end) {
      const row = pick(random);
      const slow = 0.005 + random() * 0.03;
      const floor = await referee.acknowledged(row);
      const value = await subject.read(row, () => {
        tally.loads++;
        return readSlowly(db, row, slow);
      });
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
      const value = await increment(db, row); // committed when it answers
      tally.writes++;
      await subject.written(row).then(
        () => referee.record(row, value),
        () => tally.refused++,
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

/** A report of its time: what it answers was true when it began. */
async function readSlowly(db: Database, row: number, seconds: number): Promise<number> {
  const [found] = await db.rows<{ value: number }>('select value, pg_sleep($2)::text from contested where id = $1', [
    row,
    seconds,
  ]);
  return (found as { value: number }).value;
}

async function increment(db: Database, row: number): Promise<number> {
  const [written] = await db.rows<{ value: number }>(
    'update contested set value = value + 1 where id = $1 returning value',
    [row],
  );
  return (written as { value: number }).value;
}
