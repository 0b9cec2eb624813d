import { loadMysql } from './mysql.js';
import { loadPostgres } from './postgres.js';
import { loadSqlite, loadSqliteAtOnce } from './sqlite.js';
import type { LoadCatalog, LoadCatalogAtOnce } from './types.js';

export type * from './types.js';

const loaders: Record<'postgres' | 'mysql' | 'sqlite', LoadCatalog> = {
  postgres: loadPostgres,
  mysql: loadMysql,
  sqlite: loadSqlite,
};

/** Reads what the database says about itself: one to three queries, as the user of the connection. */
export const loadCatalog: LoadCatalog = async (ask, database, dialect, functions, home) => {
  try {
    return await loaders[dialect.name](ask, database, dialect, functions, home);
  } catch (cause) {
    throw unreadable(database, cause);
  }
};

/** The same over a driver that answers at once, which are drivers of SQLite. */
export const loadCatalogAtOnce: LoadCatalogAtOnce = (ask, database, dialect, functions) => {
  try {
    return loadSqliteAtOnce(ask, database, dialect, functions);
  } catch (cause) {
    throw unreadable(database, cause);
  }
};

function unreadable(database: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`The catalogue of the database ${database} could not be read: ${why}`, { cause });
}
