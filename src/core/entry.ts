import { handOut, type Kept } from '../values/index.js';
import type { Tally } from './stats.js';
import type { Version } from './store.js';
import type { Cell, Tags } from './tags.js';

/** What an entry is made of; times in the clock's milliseconds. */
export interface Making {
  readonly kept: Kept;
  /** Tags, and beside each the version taken before the load. */
  readonly pairs: Iterable<readonly [string, Version]>;
  readonly epoch: string;
  /** When the look that the load began from had begun, in the order of beginnings. */
  readonly begun: number;
  readonly storedAt: number;
  readonly freshUntil: number;
  /** Until then an aged value may still stand in (`swr`, `staleOnError`). */
  readonly keepUntil: number;
  /** Milliseconds that the load took. */
  readonly cost: number;
  /** Host and process that loaded it. */
  readonly origin: string;
  /** What its reads count under. */
  readonly counter: Tally;
  /** Whose it is. */
  readonly tenant: string | number | undefined;
}

/** An entry in this process's memory: a value, and the versions that it was loaded under. */
export class Entry {
  readonly kept: Kept;
  /** Resolved with the value when every hit may get the same one, so that a hit allocates nothing. */
  answer: Promise<unknown> | undefined;
  /** The tags that the value depends on, and beside each the version taken before the load. */
  readonly cells: readonly Cell[];
  readonly versions: readonly Version[];
  readonly epoch: string;
  readonly begun: number;
  readonly storedAt: number;
  /** Until then a hit needs no thought: the end of freshness, or a little earlier by the lot of early refresh. */
  readonly settledUntil: number;
  readonly freshUntil: number;
  readonly keepUntil: number;
  readonly cost: number;
  readonly origin: string;
  readonly counter: Tally;
  readonly tenant: string | number | undefined;
  /** No background load before that: one in a second is enough, also while the database is down. */
  retryAt = 0;
  /** Until then its last load counts as failed just now. */
  failedUntil = 0;
  /** Whether anybody had a hit on it here. */
  used = false;
  /** The same, before {@link takeUse} was called. */
  #usedBefore = false;
  /** The state of the tags under which its versions were last compared and found to hold. */
  checked = -1;
  #tags: readonly string[] | undefined;

  constructor(tags: Tags, making: Making) {
    const cells: Cell[] = [];
    const versions: Version[] = [];
    for (const [tag, version] of making.pairs) {
      cells.push(tags.cell(tag));
      versions.push(version);
    }
    this.kept = making.kept;
    this.answer = undefined;
    // Copies without the room that growing lists keep for more: entries are many.
    this.cells = cells.slice();
    this.versions = versions.slice();
    this.epoch = making.epoch;
    this.begun = making.begun;
    // Whole milliseconds: a fraction would cost a heap object each.
    this.storedAt = Math.floor(making.storedAt);
    this.settledUntil = Math.floor(drawLot(making));
    this.freshUntil = Math.floor(making.freshUntil);
    this.keepUntil = Math.floor(making.keepUntil);
    this.cost = Math.ceil(making.cost);
    this.origin = making.origin;
    this.counter = making.counter;
    this.tenant = making.tenant;
  }

  /** Whether anybody ever had a hit on it here. */
  get wasUsed(): boolean {
    return this.used || this.#usedBefore;
  }

  /** Whether anybody had a hit on it here since this was asked for the last time. */
  takeUse(): boolean {
    const { used } = this;
    this.#usedBefore ||= used;
    this.used = false;
    return used;
  }

  get tags(): readonly string[] {
    this.#tags ??= this.cells.map((cell) => cell.tag);
    return this.#tags;
  }

  /** Pairs of tag and version. */
  *[Symbol.iterator](): Generator<readonly [string, Version]> {
    for (let i = 0; i < this.cells.length; i++) yield [(this.cells[i] as Cell).tag, this.versions[i] as Version];
  }
}

/** Loads cheaper than this need neither early refresh nor a lease. Milliseconds. */
export const cheap = 5;

/**
 * When this process begins to think of refreshing: δ·β·ln(1/u) before the end, so that expensive values are most
 * likely replaced by one reader before everybody misses. Drawn once per entry and process rather than per read, which
 * leaves a comparison on the path of a hit. (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede
 * Prevention, VLDB 2015; β = 1.)
 */
function drawLot({ cost, storedAt, freshUntil }: Making): number {
  if (cost < cheap || freshUntil === Number.POSITIVE_INFINITY) return freshUntil;
  const lot = freshUntil - cost * -Math.log(1 - Math.random());
  return Math.max(lot, storedAt + (freshUntil - storedAt) / 2);
}

/** Whether memory alone proves that no change acknowledged before `floor` is missing in the entry. */
export function holdsHere(tags: Tags, epoch: string | undefined, entry: Entry, floor: number): boolean {
  if (entry.epoch !== epoch) return false;
  // Nothing at all has changed since the last comparison, which is the common case between two writes.
  if (entry.checked === tags.changes && tags.proven >= floor) return true;
  const { cells, versions } = entry;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as Cell;
    if (cell.version !== versions[i] || cell.distrusted) return false;
    if (tags.proven < floor && cell.readAt < floor) return false;
  }
  entry.checked = tags.changes;
  return true;
}

/** The value as a hit gives it: always a promise, and the same one while the value can be shared. */
export function answerOf(entry: Entry): Promise<unknown> {
  if (entry.answer !== undefined) return entry.answer;
  const answer = Promise.resolve(handOut(entry.kept));
  if (entry.kept.shared) entry.answer = answer;
  return answer;
}
