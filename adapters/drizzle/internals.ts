/**
 * What this adapter touches of Drizzle's inside, where its types say `private` or nothing: the same in 0.44 and 0.45.
 * Everything that a session sends goes through its `client`, which is the driver's pool or connection, or the callback of
 * a proxy; a transaction takes a connection from there and gives it to a session of its own. `prepareQuery` alone knows
 * what `$withCache` said.
 */
export interface DrizzleSession {
  client: any;
  /** Of a proxy: sends several statements. */
  batchCLient?: (queries: readonly { sql: string; params: readonly unknown[] }[]) => Promise<unknown>;
  readonly cache?: object;
  prepareQuery(...args: any[]): any;
  transaction(fn: Callback, config?: unknown): any;
}

export interface Transaction {
  readonly session: DrizzleSession;
  transaction(fn: Callback, config?: unknown): any;
}

export type Callback = (tx: Transaction) => unknown;

/** A pool or a connection of `pg`, or of `mysql2/promise`. */
export interface Wire {
  query(config: Config, params?: readonly unknown[]): Promise<any>;
  execute?(sql: string, params?: readonly unknown[]): Promise<any>;
  /** Pools of `pg` have one, those of `mysql2` the other. */
  connect?(): Promise<Wire>;
  getConnection?(): Promise<Wire>;
  release?(error?: unknown): void;
  /** Of a pool of `pg`: it was ended. */
  readonly ending?: boolean;
  /** Of a pool of `mysql2`: the one with callbacks. */
  readonly pool?: { readonly _closed?: boolean };
  /** Of `mysql2`: the connection with callbacks, by which Drizzle streams. */
  readonly connection?: any;
  on?(event: 'error', listener: () => void): unknown;
  off?(event: 'error', listener: () => void): unknown;
}

/** Whether a pool was ended, which nobody tells: it gives no connections any more. */
export const isEnded = ({ ending, pool }: Wire): boolean => ending ?? pool?._closed ?? false;

/**
 * What Drizzle sends: its `text` to `pg`, and perhaps a `name` to prepare it under, its `sql` to `mysql2`, with `values`
 * or not; `rowMode` and `rowsAsArray` say what rows are to look like.
 */
export type Config = Readonly<Record<string, any>>;

/** What kind of thing a value of Drizzle's is, whichever copy of Drizzle it comes from. */
export const kindOf = (value: any): string | undefined => value?.constructor?.[Symbol.for('drizzle:entityKind')];

export const textOf = ({ text, sql }: Config): string => text ?? sql;

/** The same thing but for some of its properties. */
export const from = <T extends object>(thing: T, own: object): T => Object.assign(Object.create(thing), own);

/** Runs a transaction's callback as a part of what is open on its connection, and those of transactions in it. */
export function within<T>(at: Within<T>, tx: Transaction, fn: Callback): T {
  const { transaction } = tx;
  tx.transaction = (inner, config) => transaction.call(tx, (nested) => within(at, nested, inner), config);
  at.cache.bind(tx, at.session);
  return at.run(at.session, () => fn(tx));
}
type Within<T> = { readonly cache: any; readonly session: any; run(session: any, fn: () => any): T };
