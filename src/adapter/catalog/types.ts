import type { Dialect, Table } from '../../sql/index.js';

/**
 * What the database knows and no statement shows: which columns a row is found by, what hangs on a table by foreign
 * keys, what stands behind a view. Read from the database's own catalogue, and read again after DDL.
 */
export interface Catalog {
  readonly dialect: Dialect;
  /** The relation that a statement's name means under the usual search path; undefined when there is none. */
  find(table: Table): Relation | undefined;
  /** Every relation of that name, in any schema: what the name may mean once a search path was changed. */
  named(name: string): readonly Relation[];
  /**
   * What the server calls the database: `current_database()`, `DATABASE()` (empty when none was chosen), the name of
   * the file in SQLite.
   */
  readonly server: string;
  /** The schemas in which a name without one is looked for, in their order, as the database writes them. */
  readonly path: readonly string[];
}

/** What names mean on a new connection. A catalogue that is read on another one must not take that one's word for it. */
export type Home = Pick<Catalog, 'server' | 'path'>;

export interface Relation {
  /** The tag of its rows: of its root, for a partition or a table that inherits; `table:app.orders`. */
  readonly tag: string;
  /** As the database writes it, with its schema if that is not the usual one; for messages. */
  readonly name: string;
  /** A materialised view is a table: it has rows of its own, which REFRESH changes. */
  readonly kind: 'table' | 'view';
  /** Folded name → column, in the table's order. Empty for a view of SQLite, which checks it only when it is used. */
  readonly columns: ReadonlyMap<string, Column>;
  /** Folded, in the key's order; empty when there is none, or when its rows cannot be told apart by it. */
  readonly primaryKey: readonly string[];
  /** For a view: the tables behind it, transitively, once each. */
  readonly bases: readonly Relation[];
  /**
   * Why what is read from it cannot be known: row level security, a foreign table, a view with unknown functions. Of a
   * view also when that is so of anything behind it.
   */
  readonly unreadable: string | undefined;
  /**
   * Names of triggers, rules and the like that do something on a write of its rows which no statement shows; those of
   * all partitions, and of tables that inherit. In MySQL also a text in words, when this user may not see triggers.
   */
  readonly triggers: readonly string[];
  /**
   * Whether ` returning "column"` may be added to a statement that changes it: PostgreSQL, a table without triggers,
   * rules and row level security, all of whose columns this user may select.
   */
  readonly returnable: boolean;
  /**
   * Tables that refer to this one by foreign keys, one for each key: also those that forbid a change of what they refer
   * to, since TRUNCATE … CASCADE and DROP reach them.
   */
  readonly children: readonly Child[];
}

export interface Column {
  /** As the database writes it. */
  readonly name: string;
  /**
   * Which values fit. Equal ones have one text after folding, if both are printable ASCII. `other`: no claims by it, as
   * where that does not hold (a collation of one's own) or where the column is not the same in all that share the tag.
   */
  readonly type: 'integer' | 'numeric' | 'text' | 'uuid' | 'other';
  /**
   * MySQL: how many characters fit, or which number is the largest that surely does. Of what is more, a server that is
   * not strict stores something else; and each connection may say what it wants.
   */
  readonly max?: number;
  readonly nullable: boolean;
  /** Computed by the database, or set by it on each update (`ON UPDATE CURRENT_TIMESTAMP`): changes when others do. */
  readonly generated: boolean;
}

export interface Child {
  readonly relation: Relation;
  /** The columns of the parent that it refers to, folded. */
  readonly columns: readonly string[];
  /** Whether its rows change when the parent's are deleted (CASCADE, SET NULL, SET DEFAULT), or when the columns are updated. */
  readonly onDelete: boolean;
  readonly onUpdate: boolean;
}

/** Runs a query of ours on a connection, past the adapter; rows as objects with the column names asked for. */
export type Ask = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** The same of a driver that answers at once. */
export type AskAtOnce = (sql: string) => Awaited<ReturnType<Ask>>;

/** What functions of the database do: nothing but compute, or which tables they read (`orders`, `sales.orders`). */
export type Functions = Readonly<Record<string, 'pure' | readonly string[]>>;

/**
 * @param database - identity of the database in tags
 * @param functions - what is declared of functions that views may call; by name, `f` or `app.f`
 * @param home - what names mean; left out, what they mean on this connection
 * @throws Error that says what could not be read; what the server said is its cause
 */
export type LoadCatalog = (ask: Ask, ...about: About) => Promise<Catalog>;
export type About = [database: string, dialect: Dialect, functions?: Functions, home?: Home];

/** The same over a driver that answers at once. @throws Error */
export type LoadCatalogAtOnce = (ask: AskAtOnce, ...about: About) => Catalog;
