import type { Clock } from '../../src/adapter/index.js';

/**
 * Keeps calls from waiting for a server that does not answer. One for each node, since in a Cluster one node may hang
 * while the others work.
 *
 * closed → open: after 5 failures within a second, or at once when the heartbeat fails. While open, every call is
 * refused without being sent. open → half-open: after 500 ms × 2ⁿ, at most 10 s, with jitter, or as soon as the server
 * gives a sign of life; then one probe is sent, and nothing else. half-open → closed: only when the probe, which is the
 * epoch script, was answered, since an answer alone does not show that the server still is what it was.
 *
 * It knows nothing of Redis: who uses it says what failed, and sends the probe.
 */
export interface Breaker {
  readonly state: BreakerState;
  /** A call failed. */
  failed(): void;
  /** The heartbeat or the probe failed. */
  trip(): void;
  /** The heartbeat or the probe was answered. */
  succeeded(): void;
  /** The server gave a sign of life. */
  hint(): void;
  /** Calls off the timer. */
  stop(): void;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  readonly clock: Clock;
  /** Sends the probe. It ends in `succeeded`, `trip` or `stop`. */
  probe(): void;
  changed(state: BreakerState): void;
  /** In [0, 1). */
  random?(): number;
}

/** So many failures within {@link span} open it. */
const failures = 5;
const span = 1000;
const firstWait = 500;
const longestWait = 10_000;

export function createBreaker({ clock, probe, changed, random = Math.random }: BreakerOptions): Breaker {
  let state: BreakerState = 'closed';
  let recent: number[] = [];
  let opened = 0;
  let callOff = () => {};

  const go = (next: BreakerState) => {
    if (next === state) return;
    state = next;
    changed(next);
  };
  const open = () => {
    callOff();
    recent = [];
    const wait = Math.min(longestWait, firstWait * 2 ** opened++);
    // Never longer than the wait, so that the figures above are upper bounds; down to half of it, so that processes
    // that lost the server in the same moment do not come back in the same moment.
    callOff = clock.after(wait * (0.5 + 0.5 * random()), halfOpen);
    go('open');
  };
  const halfOpen = () => {
    callOff();
    go('half-open');
    probe();
  };

  return {
    get state() {
      return state;
    },
    failed() {
      if (state !== 'closed') return;
      const now = clock.now();
      recent = recent.filter((at) => at > now - span);
      recent.push(now);
      if (recent.length >= failures) open();
    },
    trip() {
      // Each failed attempt to connect ends here too; they have a backoff of their own and do not prolong this one.
      if (state !== 'open') open();
    },
    succeeded() {
      callOff();
      opened = 0;
      recent = [];
      go('closed');
    },
    hint() {
      if (state === 'open') halfOpen();
    },
    stop() {
      callOff();
    },
  };
}
