import type { Duration } from '../../core/duration.js';
import type { Cache } from '../../index.js';

/** How the suite gets at an adapter and a database behind it. */
export interface AdapterDriver {
  /** What is wrapped: `knex`. */
  readonly name: string;
  /** What it talks to, for reports: `PostgreSQL 15.4`. */
  readonly server: string;
  readonly dialect: AdapterDialect;
  /**
   * Whether one client may use several connections at the same time. If not, whoever reads beside a transaction gets a
   * client of his own.
   */
  readonly pool: boolean;
  /** Why a case cannot run here, by what it needs. A feature that is not named must be there. */
  readonly lacks: Readonly<Partial<Record<AdapterFeature, string>>>;
  /** Why a client cannot have a cache with `strict`, if it cannot, at all or for cases that need a feature. */
  readonly refuses?: string | Readonly<Partial<Record<AdapterFeature, string>>>;
  /** Why the client fails a case without a cache as well, by what the case's name begins with. */
  readonly fails?: Readonly<Record<string, string>>;
  /**
   * An empty database of its own. Row and value types of the driver are those that its users have by default.
   *
   * @param filling - what is run in it first; a driver may do so itself, and then says so by `filled`: where making
   * tables is slow, it can keep a database of them whose tables are as they were, and only put the rows back
   */
  database(filling?: readonly string[]): Promise<AdapterDatabase>;
}

export type AdapterDialect = 'postgres' | 'mysql' | 'sqlite';

/** What not every client or server has; {@link AdapterDriver.lacks} says why. */
export type AdapterFeature =
  /** `builders` of the client. */
  | 'builders'
  /** `connection` of the client. */
  | 'connection'
  /** `stream` of the client. */
  | 'stream'
  /** `batch` of the client. */
  | 'batch'
  /** `using` of the client. */
  | 'using'
  /** `save` of the client. */
  | 'save'
  /** `acquired` of the client. */
  | 'acquired'
  /** `around` of the client: statements can be held on their way. */
  | 'around'
  /** `around` may throw, which loses the connection. */
  | 'wire'
  /** `twice` of the options. */
  | 'twice'
  /** Two transactions that write at the same time. */
  | 'two writers'
  /** A text with several statements. */
  | 'several'
  /** SELECT … FROM t, LATERAL (…). */
  | 'lateral'
  /** INSERT, UPDATE and DELETE … RETURNING. */
  | 'returning'
  /** MERGE. */
  | 'merge';

export interface AdapterDatabase {
  /** Whether the filling has been run. @defaultValue false */
  readonly filled?: boolean;
  /** Opens a client of this database and wraps it. Each call is another client, as of another process. */
  open(options: AdapterOptions): Promise<AdapterClient>;
  /** Runs a statement through a client that nobody wrapped. */
  bare(sql: string, params?: readonly unknown[]): Promise<AdapterRow[]>;
  /** Ends the bare client, and removes the database. */
  drop(): Promise<void>;
}

/** What the adapter's `withCache` gets, beside the client. */
export interface AdapterOptions extends AdapterRules {
  readonly cache: Cache;
  /** Wraps the client once more, as two parts of a program do that do not know of each other. */
  readonly twice?: boolean;
}

/** The rules of a wrapped client that the suite sets. */
export interface AdapterRules {
  tables?: Record<string, AdapterTableRule>;
  tenant?: string;
  functions?: Record<string, 'pure' | readonly string[]>;
  default?: Duration;
}

export interface AdapterTableRule {
  ttl?: Duration;
  cache?: false;
  grain?: string;
  tenant?: false;
  ignoreColumns?: readonly string[];
  writes?: readonly string[];
}

export type AdapterRow = Record<string, unknown>;

/** What the outcome of a statement is, in every client. */
export interface AdapterResult {
  readonly rows: AdapterRow[];
  /** Rows that were changed; undefined where nobody tells. */
  readonly count: number | undefined;
}

/** Statements of a client, or of one of its transactions. `?` stands for a parameter in all of them. */
export interface AdapterStatements {
  /**
   * Reads by the client's way to run SQL.
   *
   * @param per - for how long it may be answered from the cache, by the adapter's own idiom; `false`: not at all; left
   *   out, nothing is said
   */
  read(sql: string, params?: readonly unknown[], per?: Duration | false): Promise<AdapterRow[]>;
  write(sql: string, params?: readonly unknown[]): Promise<AdapterResult>;
  /** What the client's own builders or repositories send for the commonest things. `where` is a list of equalities. */
  readonly builders?: AdapterBuilders;
  /** Commits when `fn` resolves, rolls back when it throws, which it then does too; inside of another, a savepoint. */
  transaction<T>(fn: (tx: AdapterTransaction) => Promise<T>): Promise<T>;
}

export interface AdapterTransaction extends AdapterStatements {
  /** What users pass around to name the transaction, and give to `cache.within`. */
  readonly handle: object;
}

export interface AdapterBuilders {
  find(table: string, where: AdapterRow, per?: Duration | false): Promise<AdapterRow[]>;
  insert(table: string, rows: AdapterRow | readonly AdapterRow[]): Promise<unknown>;
  update(table: string, where: AdapterRow, set: AdapterRow): Promise<unknown>;
  remove(table: string, where: AdapterRow): Promise<unknown>;
  /** Inserts, or updates the row with the same `conflict`. */
  upsert(table: string, row: AdapterRow, conflict: readonly string[]): Promise<unknown>;
}

/** A wrapped client. */
export interface AdapterClient extends AdapterStatements {
  /** Runs `fn` with one connection, outside of any transaction of the client's making. */
  connection?<T>(fn: (raw: AdapterRaw) => Promise<T>): Promise<T>;
  /** Rows one by one, of any statement that has some. */
  stream?(sql: string, params?: readonly unknown[]): AsyncIterable<AdapterRow>;
  /** Several statements in one transaction, by the client's idiom for that. */
  batch?(statements: readonly { sql: string; params?: readonly unknown[]; per?: Duration }[]): Promise<AdapterRow[][]>;
  /** Statements of this client that are put into a transaction by its handle: `.transacting(handle)`. */
  using?(handle: object): Pick<AdapterStatements, 'read' | 'write'>;
  /** Reads the row with `id` as an object, lets `change` change it, and saves what differs. */
  save?(table: string, id: number, change: (row: AdapterRow) => void, per?: Duration): Promise<void>;
  /** How often a connection was taken from the pool so far. */
  acquired?(): number;
  /** Texts of the statements that have reached the database so far, those of transactions included. */
  sent(): readonly string[];
  /**
   * Lets the next statement that `matches` run inside of `hook`: it is sent when `send` is called, which resolves when
   * the database has answered, and nobody else hears of the answer before `hook` ends. When `hook` throws, the
   * statement fails with that error and its connection is gone.
   */
  around?(matches: (sql: string) => boolean, hook: (send: () => Promise<void>) => Promise<void>): void;
  close(): Promise<void>;
}

/** One connection: whatever is sent goes over it. */
export type AdapterRaw = (sql: string, params?: readonly unknown[]) => Promise<AdapterRow[]>;

/** A case of the suite: a sentence, and what fails when it is not true. */
export interface AdapterCase {
  /** Begins with what the case is about. Unique, and stable between releases. */
  readonly name: string;
  /** Why it cannot run with this driver; then `run` does nothing. */
  readonly skip?: string;
  /** Rejects, mostly with an `AssertionError`, when the adapter does not do what the name says. */
  run(): Promise<void>;
}
