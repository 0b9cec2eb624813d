import { type Dialect, expected, type Place, placeOf } from '../../src/adapter/index.js';
import type { KnexClient } from './internals.js';

/** Which database a Knex instance talks to, as far as its configuration says. @throws TypeError */
export function databaseOf(client: KnexClient, given: string | undefined): Place {
  const { driverName, config, connectionSettings = {}, connectionConfigProvider } = client;
  const dialect = dialectOf(driverName);
  if (dialect === undefined) throw expected('knex', 'an instance for PostgreSQL, MySQL, MariaDB or SQLite', driverName);
  const isHidden = connectionConfigProvider || 'connectionPool' in config;
  const settings = isHidden ? undefined : { ...connectionSettings, searchPath: config.searchPath };
  return placeOf(dialect, settings, given, 'this Knex instance');
}

function dialectOf(driver: string): Dialect['name'] | undefined {
  if (driver === 'pg' || driver === 'pgnative') return 'postgres';
  if (driver === 'mysql2' || driver === 'mysql' || driver === 'mariadb') return 'mysql';
  return driver === 'better-sqlite3' || driver === 'sqlite3' ? 'sqlite' : undefined;
}
