import { expected } from './core/errors.js';

/** Two migrations. Both may be run again. */
export interface FenceSql {
  readonly up: string;
  readonly down: string;
}

/**
 * The SQL that makes the table of `strict: true` on MySQL and MariaDB: each writing transaction leaves a row there, which
 * tells whether the transaction is still open; rows are removed soon after. PostgreSQL and SQLite can tell without one.
 *
 * @throws TypeError for another dialect
 */
export function fenceSql(dialect: 'mysql'): FenceSql {
  if (dialect !== 'mysql')
    throw expected('dialect', "'mysql', which is also MariaDB's: PostgreSQL and SQLite need no table", dialect);
  return {
    up: 'create table if not exists unstale_fence (\n  id binary(16) not null primary key\n);\n',
    down: 'drop table if exists unstale_fence;\n',
  };
}
