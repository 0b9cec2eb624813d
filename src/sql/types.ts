/**
 * What is known of a statement once it is read. The promise behind every field: whatever the statement reads or writes
 * is in `reads` or `writes`, or `opaque` says why nobody can tell. It may name too much, never too little.
 *
 * A text does not show what the database adds: views, triggers, rules, foreign keys, row level security, partitions,
 * and what functions do. Those come from the catalogue, and from whoever declares the functions.
 */
export interface Statement {
  readonly kind: StatementKind;
  /** Why it cannot be told what this reads and writes: never from the cache, and every entry may have changed. */
  readonly opaque: string | undefined;
  /** Every table that is read, once each. The target of a write is no read of its own. */
  readonly reads: readonly Read[];
  /** Every change, also those in a `WITH`. Two of the same table are two writes. */
  readonly writes: readonly Write[];
  /**
   * Why the rows cannot be cached even so, if they cannot: a lock, a clock, a write, a system table. A parameter is not
   * seen here: PostgreSQL takes `'now'` in one for the time of the call.
   */
  readonly uncacheable: string | undefined;
  /**
   * The same without what only age can end, the clock and chance: why its rows depend on more than rows of tables. A
   * value that is made of them has dependencies that nobody knows.
   */
  readonly untracked: string | undefined;
  /**
   * Functions that are not known to depend on their arguments alone. They may read, or write, any table: cache the
   * statement only when somebody declared what they do.
   */
  readonly functions: readonly string[];
  readonly transaction: TransactionControl | undefined;
  /** What this changes for all later statements of the connection: `search_path`, `role`, `temporary table`. */
  readonly session: string | undefined;
  /** What this changes for the statements of its transaction: `SET LOCAL`. */
  readonly local: string | undefined;
  /**
   * MySQL commits an open transaction before this, or may: a later ROLLBACK need not take anything back. Since it also
   * may not have, what was written before counts as committed now and again at the end.
   */
  readonly commitsImplicitly: boolean;
  /** PostgreSQL does not carry it out in a transaction: databases, tablespaces, subscriptions, an index CONCURRENTLY. */
  readonly refusesTransaction: boolean;
  /**
   * MySQL: whether tables are locked behind it, when it succeeds: by LOCK TABLES they are, and by UNLOCK TABLES or a BEGIN
   * no more. Undefined when it changes nothing about that.
   */
  readonly holdsTables: boolean | undefined;
  /** Each statement of a text with several, in their order; empty for one. */
  readonly parts: readonly Statement[];
  /** Every name in the text, folded: a column that is not among them is not named. */
  readonly names: ReadonlySet<string>;
  /** Whether all columns of some table may be read without being named: `*`, `TABLE t`, a row as a value. */
  readonly readsWholeRows: boolean;
  /** Set when each row of the result is made of one row of the only table: no join, group, aggregate, union, subquery. */
  readonly rowOutput: RowOutput | undefined;
  /**
   * Set when there is no row in the result without a row of each table that fits the WHERE: no group, aggregate, union,
   * subquery. The one exception is a query that is all another one has behind FROM: its rows are handed on.
   */
  readonly needsRows: boolean;
}

export type StatementKind =
  | 'select'
  | 'insert'
  | 'upsert'
  | 'replace'
  | 'update'
  | 'delete'
  | 'merge'
  | 'truncate'
  /** A definition; opaque ones too, where they belong to their transaction. */
  | 'ddl'
  | 'copy'
  | 'transaction'
  | 'set'
  /** Reads nothing that is cached and writes nothing: SHOW, EXPLAIN, LISTEN. */
  | 'other'
  | 'several'
  | 'opaque';

/** A table as the statement names it, folded. Whether `users` is `public.users` depends on the connection. */
export interface Table {
  readonly schema: string | undefined;
  readonly name: string;
}

export interface Read {
  readonly table: Table;
  /**
   * Whether the statement has this table in one place only, whatever the schemas say. If a view of the statement also
   * stands on the table, the catalogue must say so; the equalities hold for the place, not for the view.
   */
  readonly once: boolean;
  /** Rows that fail one of these do not affect the result. Empty unless `once`. */
  readonly equalities: readonly Equality[];
}

export interface Write {
  readonly table: Table;
  readonly how: WriteKind;
  /** Rows that fail one of these are not changed by an `update` or a `delete`. */
  readonly equalities: readonly Equality[];
  /** The columns that are assigned to rows that existed; undefined when that cannot be told. */
  readonly assigned: readonly string[] | undefined;
  /** What columns of an `update` are set to, as far as it is a literal or a parameter. */
  readonly set: ReadonlyMap<string, Value>;
  /** The rows of an INSERT or upsert with VALUES. */
  readonly inserted: Inserted | undefined;
  /** The columns of the conflict target of an upsert; undefined when it has none, or several. */
  readonly conflict: readonly string[] | undefined;
  readonly returning: boolean;
  /** What of the changed rows the result shows; undefined when it shows none, or when that cannot be told. */
  readonly returned: RowOutput | undefined;
  /** Of a table that was not there before, unless it was this one: CREATE TABLE. */
  readonly creates: boolean;
}

/** `insert` adds rows and changes none. `replace` may delete rows that the statement does not name, and cascades. */
export type WriteKind = 'insert' | 'upsert' | 'replace' | 'update' | 'delete' | 'merge' | 'truncate' | 'ddl';

/**
 * `columns` have the values of one of `rows`. A column without a qualifier is claimed for every table in its place, so
 * ask only for columns that the table has; then the database would have called any other meaning ambiguous.
 *
 * The database compares by its own rules: `varchar = 0` in MySQL is true for many texts, `'07'::int` is 7. Check that
 * the type of the value fits the column before you take it for the row's.
 */
export interface Equality {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
  /** From the condition of a join: the result may have rows without one of the table's. */
  readonly joins?: boolean;
}

export type Value =
  /** `at` counts from 0; a name keeps its `:`, `@` or `$`. `each`: the parameter is an array of the values. */
  | { readonly kind: 'parameter'; readonly at: number | string; readonly each?: true; readonly cast?: string }
  | { readonly kind: 'string' | 'number'; readonly text: string; readonly cast?: string };

/** What is told is what is stored: an INSERT that makes values fit, such as MySQL's IGNORE, tells none. */
export interface Inserted {
  /** As listed; undefined when all columns are meant, in the table's order. */
  readonly columns: readonly string[] | undefined;
  /** A value that is neither literal nor parameter is undefined. */
  readonly rows: readonly (readonly (Value | undefined)[])[];
}

export interface TransactionControl {
  readonly action: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback to' | 'autocommit';
  /** Of a savepoint, folded. */
  readonly name: string | undefined;
  /** `AND CHAIN`: the next transaction begins at once. For `autocommit`: whether it is switched on. */
  readonly on: boolean;
}

/** Which property of a row carries which column: `all` when every column has its own name. */
export type RowOutput = 'all' | ReadonlyMap<string, string>;
