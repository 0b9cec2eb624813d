import type { Duration } from '../../core/duration.js';
import type { Explanation } from '../../core/explain.js';
import type { Timing } from '../../core/options.js';
import type { Receipt } from '../../core/receipt.js';
import type { KeyPart } from '../../values/index.js';

/** A row, and the same of each of its children, in the order in which they were loaded. */
export interface Node<Row> {
  readonly row: Row;
  readonly children: readonly Node<Row>[];
}

/** A row on the way through a subtree. */
export interface Step<Row> {
  readonly row: Row;
  /** 0 for the row that the way began with. */
  readonly depth: number;
}

/** How much of a subtree is wanted. */
export interface Depth {
  /** Levels below the row; 0: the row alone. @defaultValue all of them */
  depth?: number;
}

/**
 * Rows that name their parents, as a tree. What is handed out is frozen and shared: as long as nothing in a subtree has
 * changed, it is the same object.
 */
export interface Tree<Row, Id> {
  /** The row, or null. @throws what the loading functions throw */
  get(id: Id): Promise<Row | null>;
  /** The rows directly below; of `null`: the roots. @throws as {@link Tree.get} */
  children(id: Id | null): Promise<readonly Row[]>;
  /** The row and what is below it, nested; null when there is no such row. @throws as {@link Tree.get}; TreeCycleError when it is below itself */
  subtree(id: Id, o?: Depth): Promise<Node<Row> | null>;
  /** What is below the row, flat: each row before its children. @throws as {@link Tree.subtree} */
  descendants(id: Id, o?: Depth): Promise<readonly Row[]>;
  /** The row and what is below it, one by one, each before its children: what one `subtree` gives, whatever changes meanwhile. @throws as {@link Tree.subtree} */
  walk(id: Id, o?: Depth): AsyncIterable<Step<Row>>;
  /** What is above the row: the root first, the row itself left out. @throws as {@link Tree.subtree} */
  ancestors(id: Id): Promise<readonly Row[]>;
  /** The rows without a parent. @throws as {@link Tree.get} */
  roots(): Promise<readonly Row[]>;
  /** Rows whose parent is missing. @throws TypeError for a tree that is loaded by level, which does not know */
  orphans(): Promise<readonly Row[]>;
  /**
   * The row was inserted, changed or deleted. Inside a transaction it is kept until that has committed.
   *
   * @throws InvalidationPendingError when the store did not confirm it in time; it is delivered later
   * @throws TenantMissingError when the tree has a `tenant`, and nobody says whose row it is
   * @throws TypeError for an id that is none
   */
  invalidate(id: Id): Promise<Receipt>;
  /** The row, and all that is below it, got another parent. `from` saves others a query. @throws as {@link Tree.invalidate} */
  move(id: Id, o: { to: Id | null; from?: Id | null }): Promise<Receipt>;
  /** Anything may have changed. @throws as {@link Tree.invalidate} */
  clear(): Promise<Receipt>;
  /**
   * What a read of the row and all that is below it would find, where, and what of it would be loaded and why. For a
   * tree of `rows`, which is one value, what is stored of that.
   */
  explain(id: Id): Promise<Explanation>;
  /** The tree of one tenant, for code outside of a request. */
  tenant(id: string | number): Tree<Row, Id>;
}

/** What the loading functions are told. */
export interface TreeContext {
  /** Aborted when the load has taken too long or the cache is closed. */
  readonly signal: AbortSignal;
  /** Whose tree is loaded, where the cache knows a tenant. */
  readonly tenant: string | number | undefined;
}

/** Names of the columns whose values are `V`. */
export type ColumnsOf<Row, V> = { [K in keyof Row]-?: Row[K] extends V ? K : never }[keyof Row] & string;

/** All rows by one function; or rows by their ids, and the children of rows, level by level as they are asked for. */
export type TreeLoad<Row, Id> =
  | {
      rows: (context: TreeContext) => Promise<readonly Row[]>;
      load?: never;
      children?: never;
    }
  | {
      /** In any order; a row that does not exist is left out. */
      load: (ids: readonly Id[], context: TreeContext) => Promise<readonly Row[]>;
      /** All rows that have one of these parents; `null` asks for the roots. */
      children: (parents: readonly (Id | null)[], context: TreeContext) => Promise<readonly Row[]>;
      rows?: never;
    };

/** Options of `cache.tree`. */
export type TreeOptions<Row, I extends keyof Row> = Timing & {
  /** The column that names a row: a number, a bigint or a text, the same in every row's type. */
  id: I;
  /** The column that names its parent; null for a root. */
  parent: ColumnsOf<Row, Row[I] | null | undefined>;
  /** The column that says whose a row is: there is one tree for each tenant of the cache, with no rows of another one. */
  tenant?: ColumnsOf<Row, KeyPart>;
  /**
   * The table that the rows come from, as in `table('sales.orders')`: a write of it through a wrapped client ends the
   * tree, and with the rule `tree: '<parent column>'` for that table, only what has changed.
   */
  table?: string;
  /** How stale this process's memory may be against changes by other processes; at most the cache's. @defaultValue 0 */
  maxStale?: Duration;
} & TreeLoad<Row, Row[I]>;
