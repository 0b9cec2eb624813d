import type { Clock } from '../../core/clock.js';
import type { StoreListener, StoreSession } from '../../core/store.js';

/** A case of {@link storeContract}: a sentence, and what fails when it is not true. */
export interface ContractCase {
  /** Begins with the number of the promise, or with what the case is about. Unique, and stable between releases. */
  readonly name: string;
  /** Rejects, mostly with an `AssertionError`, when the store does not do what the name says. */
  run(): Promise<void>;
}

/** A session that a case works with, and how to end it. */
export interface ContractSession {
  readonly session: StoreSession;
  /** The clock that the session was opened with: lets the suite check the times that the store tells. */
  readonly clock?: Clock;
  /** Closes the session, and whatever was made for it. The case may have closed the session already. */
  dispose(): Promise<void>;
}

/** How the suite gets at the store. */
export interface ContractOptions {
  /**
   * Opens a session under `name`. With a `listener` the session is opened with that one and with
   * {@link ContractOptions.maxStale}; without, nobody listens and `maxStale` is 0. `strict` is to be passed on; left out,
   * it is false.
   */
  open(name: string, listener?: StoreListener, strict?: boolean): Promise<ContractSession>;
  /** The same from what counts as another process: another store object, other connections. */
  another(name: string, listener?: StoreListener, strict?: boolean): Promise<ContractSession>;
  /**
   * How stale memory may be in sessions that are listened to, in milliseconds. Above 0 the cases about watching are
   * part of the suite. @defaultValue 0
   */
  readonly maxStale?: number;
  /** Whether the store has fences: then the cases about them are part of the suite. @defaultValue false */
  readonly fences?: boolean;
  /** Empties the store behind the sessions' back. Without it the cases about loss are left out. */
  lose?(): Promise<void>;
  /**
   * Remembers what the store holds, and resolves with the way to bring that back behind the sessions' back: a restart
   * from an older snapshot. Without it the cases about going back in time are left out.
   */
  rewind?(): Promise<() => Promise<void>>;
  /** Makes the store unreachable for the sessions. Without it and `up` the cases about outages are left out. */
  down?(): Promise<void>;
  /** Makes it reachable again. */
  up?(): Promise<void>;
  /** Milliseconds to wait for what a store does in its own time, such as to reconnect. @defaultValue 5000 */
  readonly patience?: number;
}
