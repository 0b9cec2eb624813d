import type { Event } from './events.js';

/**
 * Judges a history. Values of a row only grow, so "contains that write" is "is not smaller".
 *
 * - ACK: a read that began after a write was acknowledged contains it.
 * - DB: the probe, which asks the database itself, never breaks that rule (else the referee is wrong), and no read gives a
 *   value whose transaction was rolled back.
 * - QUIET: when all is over, every process reads what the database has.
 * - MONO: no process sees a row step back from one read to the next.
 * - COMMIT: a read contains whatever anybody, the probe among them, had seen when it began: that had been committed.
 *   Only `strict` promises the last two.
 */
export interface Verdict {
  readonly reads: number;
  readonly writes: number;
  readonly acknowledged: number;
  /** Hits among the reads that say whether they were one, 0 to 1. */
  readonly hitRatio: number;
  /** The same by popularity: the most popular tenth of the rows first. */
  readonly deciles: readonly number[];
  readonly ACK: number;
  readonly DB: number;
  readonly QUIET: number;
  readonly MONO: number;
  readonly COMMIT: number;
  /** How long the write that a read lacked had been acknowledged when the read began, at most; milliseconds. */
  readonly oldest: number;
  readonly readErrors: number;
  readonly unhandled: number;
  /** The first few violations and errors, in words. */
  readonly examples: readonly string[];
}

/**
 * @param histories - the events of each process
 * @param rows - how many rows there are; row 1 is the most popular
 * @param truth - what the database has at the end, by row
 * @param maxStale - how old an acknowledged write may be that a read lacks, in microseconds
 */
export function check(
  histories: readonly (readonly Event[])[],
  rows: number,
  truth: ReadonlyMap<number, number>,
  maxStale = 0,
): Verdict {
  const all = histories.flat();
  const acknowledged = known(all.filter((event) => event.type === 'write' && event.outcome === 'acknowledged'));
  const seen = known(all.filter((event) => event.type === 'read'));
  const undone = new Set<number>();
  const broken = { ACK: 0, DB: 0, QUIET: 0, MONO: 0, COMMIT: 0 };
  const count = { reads: 0, writes: 0, acknowledged: 0, readErrors: 0, unhandled: 0 };
  const hits = Array(10).fill(0) as number[];
  const told = Array(10).fill(0) as number[];
  const examples: string[] = [];
  let oldest = 0;
  const violates = (rule: keyof typeof broken, process: number, text: string) => {
    if (broken[rule]++ < 3) examples.push(`${rule} process ${process}: ${text}`);
  };

  for (const events of histories)
    for (const event of events) if (event.type === 'write' && event.outcome === 'rolled back') undone.add(event.value);

  for (const [process, events] of histories.entries()) {
    const own = new Map<number, { ended: number; value: number }[]>();
    for (const event of events) {
      if (event.type === 'failed') {
        if (event.what === 'process') count.unhandled++;
        if (event.what === 'read') count.readErrors++;
        if (event.what !== 'write' && examples.length < 12) examples.push(`process ${process}: ${event.why}`);
        continue;
      }
      if (event.type === 'write') {
        count.writes++;
        if (event.outcome === 'acknowledged') count.acknowledged++;
        continue;
      }
      const { row, value, begun, ended, hit, probe, final } = event;
      const newest = acknowledged.before(row, probe ? begun : begun - maxStale);
      if (!probe) oldest = Math.max(oldest, (begun - acknowledged.overtook(row, value)) / 1000);
      if (value < newest)
        violates(probe ? 'DB' : 'ACK', process, `row ${row} was ${value} although ${newest} was acknowledged`);
      if (!probe && value < seen.before(row, begun))
        violates('COMMIT', process, `row ${row} was ${value} although ${seen.before(row, begun)} had been seen`);
      if (undone.has(value)) violates('DB', process, `row ${row} was ${value}, which was rolled back`);
      if (final && value !== truth.get(row))
        violates('QUIET', process, `row ${row} is ${value}, the database has ${truth.get(row)}`);
      if (probe) continue;
      count.reads++;
      if (hit !== undefined) {
        const decile = Math.min(9, Math.floor(((row - 1) / rows) * 10));
        told[decile] = (told[decile] as number) + 1;
        if (hit) hits[decile] = (hits[decile] as number) + 1;
      }
      const steps = own.get(row) ?? [];
      own.set(row, steps);
      const before = steps.findLast((step) => step.ended < begun);
      if (before !== undefined && value < before.value)
        violates('MONO', process, `row ${row} stepped back from ${before.value} to ${value}`);
      const last = steps.at(-1);
      if (last === undefined || value > last.value) steps.push({ ended, value });
      if (steps.length > 50) steps.shift();
    }
  }
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  return {
    ...broken,
    ...count,
    oldest,
    hitRatio: sum(told) === 0 ? 0 : sum(hits) / sum(told),
    deciles: told.map((of, i) => (of === 0 ? 0 : (hits[i] as number) / of)),
    examples,
  };
}

/** Values of rows, by the time when they were known. */
function known(events: readonly Event[]): {
  /** The newest value of a row that was known before a time. */
  before(row: number, time: number): number;
  /** When a newer value than this one was known first. */
  overtook(row: number, value: number): number;
} {
  const byRow = new Map<number, { ended: number; value: number }[]>();
  for (const event of events) {
    if (event.type === 'failed') continue;
    const list = byRow.get(event.row) ?? [];
    byRow.set(event.row, list);
    list.push({ ended: event.ended, value: event.value });
  }
  for (const list of byRow.values()) {
    list.sort((a, b) => a.ended - b.ended);
    let newest = 0;
    for (const write of list) {
      newest = Math.max(newest, write.value);
      write.value = newest;
    }
  }
  return {
    before(row, time) {
      const list = byRow.get(row) ?? [];
      let [low, high] = [0, list.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((list[middle] as { ended: number }).ended < time) low = middle + 1;
        else high = middle;
      }
      return list[low - 1]?.value ?? 0;
    },
    overtook(row, value) {
      const list = byRow.get(row) ?? [];
      let [low, high] = [0, list.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((list[middle] as { value: number }).value <= value) low = middle + 1;
        else high = middle;
      }
      return list[low]?.ended ?? Number.POSITIVE_INFINITY;
    },
  };
}
