import { expected, StoreUnavailableError } from '../core/errors.js';
import type { Store } from '../core/store.js';
import { Gate, type HeldCalls } from './faulty/gate.js';
import { Ledger, type StoreCall, type StoreCounts, type StoreOperation } from './faulty/ledger.js';
import { FaultySession, type Wire } from './faulty/session.js';

export type { HeldCalls } from './faulty/gate.js';
export type { StoreCall, StoreCounts, StoreOperation } from './faulty/ledger.js';

/** Faults from the start; each can be changed later by the method of the same name. */
export interface Faults {
  /** Milliseconds that every call takes longer. @defaultValue 0 */
  delay?: number;
  /** Milliseconds that this store's `now()` is ahead of the true one; negative for behind. @defaultValue 0 */
  skew?: number;
  /** Changes the bytes of every entry that is read. @defaultValue unchanged */
  corrupt?: (bytes: Uint8Array) => Uint8Array;
  /** Whether the store is out of reach. @defaultValue false */
  down?: boolean;
  /**
   * Milliseconds after which a held or delayed read, write or lease rejects with `StoreUnavailableError`. A raise and a
   * fence go by their own time-out instead. @defaultValue Infinity
   */
  timeout?: number;
}

/** A store whose faults are in the hands of a test. */
export interface FaultyStore extends Store {
  /** Every call since the start or the last {@link FaultyStore.forget}, oldest first. */
  readonly calls: readonly StoreCall[];
  readonly counts: StoreCounts;
  /**
   * Holds every call of `operation` from now on: at `'request'` (unless given) before the store behind gets to know of
   * it, at `'reply'` when it has been carried out and the answer is on its way back.
   *
   * A held raise or fence rejects after its time-out, any other after {@link Faults.timeout}; when it is released it is carried
   * out nevertheless, as a command is that a server gets late.
   */
  hold(operation: StoreOperation, at?: 'request' | 'reply'): HeldCalls;
  /**
   * Makes every call of `operation` reject, with `error` or a `StoreUnavailableError`, without carrying it out.
   *
   * @returns the way to end that
   */
  fail(operation: StoreOperation, error?: unknown): () => void;
  /**
   * Cuts the connection. Sessions have no epoch, calls reject at once with `StoreUnavailableError`, those under way
   * too: a request that is held is never carried out. The listeners hear `lost` now and nothing more until `up`.
   */
  down(): void;
  /** Restores the connection: the listeners hear `lost` again, the last `proven`, and `up`. */
  up(): void;
  /** Makes every later call take `ms` milliseconds longer, before the store behind gets to know of it. */
  delay(ms: number): void;
  /** Sets how far ahead `now()` is, in milliseconds. */
  skew(ms: number): void;
  /** Changes the bytes of every entry read from now on; undefined ends that. */
  corrupt(change: ((bytes: Uint8Array) => Uint8Array) | undefined): void;
  /** Empties the store behind, when it has a way (`memoryStore` has); if not, only tells the listeners `lost`. */
  lose(): void;
  /** Forgets calls and counts. */
  forget(): void;
}

/**
 * Wraps a store so that a test can hold, delay, fail and cut its calls, and can see them.
 *
 * Each wrapper is one process's way to the store: wrap a shared store twice, and one can be down while the other
 * works. Time is that of each session's clock, so a fake clock governs delays and time-outs too.
 *
 * @throws TypeError when a fault is not of the kind that {@link Faults} says
 * @example
 * ```ts
 * import { faultyStore, memoryStore } from 'unstale/testing';
 *
 * const shared = memoryStore();
 * const store = faultyStore(shared);
 * const reads = store.hold('read', 'reply');
 * // … start a read through a cache on `store`, then:
 * await reads.arrived();
 * // … invalidate through a cache on `shared`, then let the old answer arrive:
 * reads.release();
 * ```
 */
export function faultyStore(store: Store, faults: Faults = {}): FaultyStore {
  const fault: Wire['fault'] = {
    delay: milliseconds('delay', faults.delay ?? 0),
    skew: finite('skew', faults.skew ?? 0),
    corrupt: faults.corrupt,
    down: faults.down ?? false,
    timeout: milliseconds('timeout', faults.timeout ?? Number.POSITIVE_INFINITY),
  };
  const wire: Wire = { fault, gates: new Set(), failures: new Map(), sessions: new Set(), ledger: new Ledger() };
  const { gates, failures, sessions, ledger } = wire;

  return {
    kind: store.kind,
    open: (context) => new FaultySession(store, wire, context),
    get calls() {
      return ledger.calls;
    },
    get counts() {
      return ledger.counts();
    },
    hold(operation, at = 'request') {
      const gate = new Gate(operation, at, () => gates.delete(gate));
      gates.add(gate);
      return gate;
    },
    fail(operation, error = new StoreUnavailableError(`every ${operation} fails in this test`)) {
      failures.set(operation, error);
      return () => {
        if (failures.get(operation) === error) failures.delete(operation);
      };
    },
    down() {
      if (fault.down) return;
      fault.down = true;
      for (const session of [...sessions]) session.down();
    },
    up() {
      if (!fault.down) return;
      fault.down = false;
      for (const session of [...sessions]) session.up();
    },
    delay(ms) {
      fault.delay = milliseconds('delay', ms);
    },
    skew(ms) {
      fault.skew = finite('skew', ms);
    },
    corrupt(change) {
      fault.corrupt = change;
    },
    lose() {
      const { lose } = store as { lose?: () => void };
      if (lose !== undefined) lose.call(store);
      else for (const session of [...sessions]) session.lose();
    },
    forget() {
      ledger.forget();
    },
  };
}

function milliseconds(what: string, value: number): number {
  if (value >= 0) return value;
  throw expected(what, 'a number of milliseconds of at least 0', value);
}

function finite(what: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw expected(what, 'a finite number of milliseconds', value);
}
