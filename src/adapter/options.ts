import type { Duration } from '../core/duration.js';
import type { ReadOptions } from '../core/options.js';
import type { Cache } from '../index.js';

/** What the `withCache(client, options)` of every adapter takes. */
export interface WrapOptions {
  /** Where results are kept, and where writes are told. */
  cache: Cache<any>;
  /** Rules of tables: `'orders'`, or `'sales.orders'` in another schema than the usual one. */
  tables?: Record<string, TableRule>;
  /** The column that says whose a row is, in every table that has it: reads of one tenant outlive writes of others. */
  tenant?: string;
  /** How long every cacheable read is kept for which nothing else is said. @defaultValue false */
  default?: Per;
  /** Functions of the database that were made by its users. */
  functions?: Record<string, FunctionRule>;
  /** Identity of the database in tags, the same in every process that uses it. @defaultValue its name, from the client's configuration */
  database?: string;
  /** Whether a backslash in a text escapes, where the server can be told either. @defaultValue as the server does by default */
  backslashEscapes?: boolean;
  /** MySQL's mode ANSI_QUOTES. @defaultValue false */
  ansiQuotes?: boolean;
}

/** What a function of the database does: `'pure'`, the tables that it reads, or those that it reads and writes. */
export type FunctionRule = 'pure' | readonly string[] | { reads?: readonly string[]; writes?: readonly string[] };

/** What is said about one table. */
export interface TableRule {
  /** Every cacheable read of this table, unless it reads others for which nothing, or less, is said. */
  ttl?: Per;
  /** `false`: nothing that reads it is read through, unless the call says so. */
  cache?: false;
  /** The column to narrow by, instead of the tenant's. */
  grain?: string;
  /** `false`: this table's column of that name is no tenant. */
  tenant?: false;
  /** Columns whose updates end only what reads them. */
  ignoreColumns?: readonly string[];
  /**
   * The column by which its rows name their parents, by primary key: `cache.tree` with this table then ends no more than
   * a write has changed. All that write the table must say so.
   */
  tree?: string;
  /** The tables that its triggers change; `[]` for none. One that gives its row another key or tenant changes this table. */
  writes?: readonly string[];
}

/** Whether, and for how long, a statement's result is kept. */
export type Per = false | Duration | PerOptions;

/** The same in detail. */
export type PerOptions = Omit<ReadOptions, 'tags'>;
