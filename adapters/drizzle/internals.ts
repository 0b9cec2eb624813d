/**
 * What this adapter touches of Drizzle's inside, where its types say `private` or nothing: the same in 0.44 and 0.45.
 * Everything that a session sends goes through `query` of its `client`, which is the driver's pool or connection; a
 * transaction takes a connection from there and gives it to a session of its own. `prepareQuery` alone knows what
 * `$withCache` said.
 */
export interface Session {
  client: Connectable;
  readonly cache?: object;
  prepareQuery(...args: any[]): Prepared;
  transaction(fn: (tx: Transaction) => unknown, config?: unknown): any;
}

export interface Prepared {
  client: Connectable;
  queryWithCache(sql: string, params: readonly unknown[], query: () => Promise<unknown>): Promise<unknown>;
}

export interface Transaction {
  readonly session: Session;
  transaction(fn: (tx: Transaction) => unknown, config?: unknown): any;
}

/** A pool or a connection of `pg` or `mysql2/promise`. */
export type Connectable = PoolLike | ConnectionLike;

export interface PoolLike {
  query(config: Config, params?: readonly unknown[]): Promise<any>;
  /** Of `pg`. */
  connect?(): Promise<ConnectionLike>;
  /** Of `mysql2`. */
  getConnection?(): Promise<ConnectionLike>;
}

export interface ConnectionLike {
  query(config: Config, params?: readonly unknown[]): Promise<any>;
  execute?(sql: string, params?: readonly unknown[]): Promise<any>;
  release?(error?: unknown): void;
  /** Of `mysql2`: the connection with callbacks, by which Drizzle streams. */
  readonly connection?: any;
  on?(event: 'error', listener: () => void): unknown;
  off?(event: 'error', listener: () => void): unknown;
}

/** What Drizzle sends: `text` to `pg`, `sql` to `mysql2`. */
export interface Config {
  readonly text?: string;
  readonly name?: string | undefined;
  readonly rowMode?: string;
  readonly sql?: string;
  readonly values?: readonly unknown[];
  readonly rowsAsArray?: boolean;
}

/** What kind of thing a value of Drizzle's is, whichever copy of Drizzle it comes from. */
export function kindOf(value: unknown): string | undefined {
  const of = (value as { constructor?: { [kind]?: string } } | null | undefined)?.constructor;
  return of?.[kind];
}

const kind: unique symbol = Symbol.for('drizzle:entityKind') as never;

/** The seventh argument of `prepareQuery`, in every dialect. */
export const cacheConfigAt = 6;
