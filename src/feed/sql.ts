import { expected } from '../adapter/index.js';
import { changeTableSql } from './change-table-sql.js';
import { listenSql } from './listen-sql.js';
import type { FeedSql, FeedTable } from './types.js';

export interface FeedSqlOptions {
  readonly dialect: 'postgres' | 'mysql' | 'sqlite';
  /** The tables to cover, as the database writes them. `'all'`, for PostgreSQL alone: every table there is when it runs. */
  readonly tables: 'all' | Readonly<Record<string, FeedTable>>;
  /** The tenant column of all tables that have it. PostgreSQL with `tables: 'all'`. */
  readonly tenant?: string;
  /** The channel of NOTIFY, for PostgreSQL. @defaultValue 'unstale' */
  readonly channel?: string;
}

/**
 * The SQL that makes a database tell of its writes: triggers on each table, which NOTIFY in PostgreSQL, and write into the
 * table `unstale_changes` in MySQL, MariaDB and SQLite.
 *
 * @throws TypeError for wrong options
 */
export function feedSql(options: FeedSqlOptions): FeedSql {
  const { dialect, tables, tenant, channel = 'unstale' } = options;
  if (!['postgres', 'mysql', 'sqlite'].includes(dialect))
    throw expected('dialect', "'postgres', 'mysql' or 'sqlite'", dialect);
  if (tables !== 'all' && (typeof tables !== 'object' || tables === null || Object.keys(tables).length === 0))
    throw expected('tables', "'all' or an object such as { orders: { id: 'id' } }", tables);
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel))
    throw expected('channel', 'a lower-case name of at most 63 letters, digits and _', channel);
  if (dialect === 'postgres') return listenSql(tables, tenant, channel);
  if (tables === 'all') throw expected('tables', `an object, since ${dialect} cannot list them in a migration`, tables);
  return changeTableSql(dialect, tables);
}
