import { expected } from './core/errors.js';

/** Two migrations. Both may be run again. */
export interface OutboxSql {
  readonly up: string;
  readonly down: string;
}

/**
 * The SQL that makes the table of `crashSafe: 'outbox'`: what a transaction has changed, beside the change.
 *
 * Rows come and go with every write, and there are few at a time. So PostgreSQL is told to clean up after so many that
 * are gone, and not after a share of those that are there.
 *
 * @throws TypeError for another dialect
 */
export function outboxSql(dialect: 'postgres' | 'mysql' | 'sqlite'): OutboxSql {
  const up = tables[dialect];
  if (up === undefined) throw expected('dialect', "'postgres', 'mysql' or 'sqlite'", dialect);
  return { up, down: 'drop table if exists unstale_outbox;\n' };
}

const tables: Readonly<Record<string, string>> = {
  postgres: `create table if not exists unstale_outbox (
  id uuid not null primary key,
  cache text not null,
  at timestamp with time zone not null,
  tags text not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
`,
  mysql: `create table if not exists unstale_outbox (
  id binary(16) not null primary key,
  cache varchar(100) character set ascii not null,
  at datetime(3) not null,
  tags mediumtext character set utf8mb4 not null
);
`,
  sqlite: `create table if not exists unstale_outbox (
  id blob not null primary key,
  cache text not null,
  at real not null,
  tags text not null
) without rowid;
`,
};
