import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock.js';
import { expected } from '../core/errors.js';

/** A {@link Clock} that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /**
   * Moves time forward by `ms` milliseconds. Timers that fall due fire in the order of their times, each at its own
   * time, and promise jobs run before the first, between them and after the last: so a timer that such a job sets
   * within the span fires too.
   *
   * @throws TypeError (as a rejection) when `ms` is not a finite number of at least 0; else rejects with what a timer
   *   throws
   */
  advance(ms: number): Promise<void>;
  /** How many timers are set: 0 at the end of a test, or somebody forgot to call one off. */
  readonly pending: number;
}

/**
 * A clock for tests: a cache and the stores it opens count their time by it, and none passes by itself.
 *
 * @param start - what `now()` says at first, in milliseconds; 0 unless given
 * @throws TypeError when `start` is not a finite number
 * @example
 * ```ts
 * import { fakeClock } from 'unstale/testing';
 *
 * const clock = fakeClock();
 * let rang = false;
 * clock.after(1000, () => {
 *   rang = true;
 * });
 * await clock.advance(999); // rang is false, clock.pending is 1
 * await clock.advance(1); // rang is true, clock.pending is 0
 * ```
 */
export function fakeClock(start = 0): FakeClock {
  if (!Number.isFinite(start)) throw expected('start', 'a finite number of milliseconds', start);
  let now = start;
  // In the order in which they were set, which decides between timers of the same time.
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  const firstDue = (end: number) => {
    let first: { readonly at: number; readonly fn: () => void } | undefined;
    for (const timer of timers) if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    return first;
  };
  return {
    now: () => now,
    coarse: () => now,
    after(ms, fn) {
      const timer = { at: now + Math.max(0, ms), fn };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    async advance(ms) {
      if (!(Number.isFinite(ms) && ms >= 0)) throw expected('ms', 'a finite number of at least 0', ms);
      const end = now + ms;
      await nextTurn();
      for (let timer = firstDue(end); timer !== undefined; timer = firstDue(end)) {
        timers.delete(timer);
        // Two calls of advance may run at once; time goes forward in both.
        now = Math.max(now, timer.at);
        timer.fn();
        await nextTurn();
      }
      now = Math.max(now, end);
      await nextTurn();
    },
    get pending() {
      return timers.size;
    },
  };
}
