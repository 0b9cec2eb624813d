/** A value, and how it was come by. */
export interface Cached<T> {
  readonly value: T;
  /** near = memory; store = Redis; load = loaded, on its way into the store; database = loaded past the cache (bypass, transaction). */
  readonly source: 'near' | 'store' | 'load' | 'database';
  /** Milliseconds since the value was loaded. */
  readonly age: number;
  /** Whether the next read may find it. */
  readonly stored: boolean;
  /** Why it was loaded, or not stored. */
  readonly reason?: string;
}

/** A read in a trace. */
export interface Traced extends Cached<unknown> {
  /** The function's name, or the first part of the key. */
  readonly name: string;
}
