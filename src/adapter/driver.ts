import type { Ask, Row } from './types.js';

/** What the kit needs of a database driver. `R` is the result of a statement. */
export interface Driver<R> {
  /** Runs a query of ours on that connection, past the adapter; rows as objects. */
  ask(connection: object, sql: string): Promise<readonly Row[]>;
  /** The same of a driver that answers at once, for `runAtOnce` of sessions. */
  askAtOnce?(connection: object, sql: string): readonly Row[];
  /**
   * Runs `fn` on a connection of its own, past the adapter, which is given back when that has settled. Left out where
   * the client has but one.
   */
  borrow?: (<T>(fn: (ask: Ask) => Promise<T>) => Promise<T>) | undefined;
  /** Whether this stands for a pool, of which each statement gets a connection of its own. Left out: none does. */
  isSpread?(connection: object): boolean;
  /** The rows of a result, if it has any. */
  rowsOf(result: R): readonly Row[] | undefined;
  /** The connection that a handle of the driver's own stands before, for `cache.within`. */
  connectionOf?(handle: any): object | undefined;
  /** Takes the rows of an added RETURNING out of a result again; left out: none is added. */
  hideRows?(result: R): R;
}
