import type { Clock } from '../../../src/index.js';

/**
 * Time that passes when the schedule says so. Nothing that is due by time alone, such as a heartbeat, comes between two
 * answers: it would be one more that nobody chose.
 */
export interface StageClock extends Clock {
  pass(ms: number): void;
  /** Goes on to the timer that is due next; `false` when there is none. */
  ring(): boolean;
}

export function stageClock(): StageClock {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  return {
    now: () => now,
    coarse: () => now,
    after(ms, fn) {
      const timer = { at: now + ms, fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass(ms) {
      now += ms;
    },
    ring() {
      const [first] = [...timers].sort((a, b) => a.at - b.at);
      if (first === undefined) return false;
      timers.delete(first);
      now = Math.max(now, first.at);
      first.fn();
      return true;
    },
  };
}
