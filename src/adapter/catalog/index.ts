import { loadMysql } from './mysql.js';
import { loadPostgres } from './postgres.js';
import { loadSqlite } from './sqlite.js';
import type { LoadCatalog } from './types.js';

export type * from './types.js';

const loaders: Record<'postgres' | 'mysql' | 'sqlite', LoadCatalog> = {
  postgres: loadPostgres,
  mysql: loadMysql,
  sqlite: loadSqlite,
};

/** Reads what the database says about itself: one to three queries, as the user of the connection. */
export const loadCatalog: LoadCatalog = async (ask, database, dialect, functions) => {
  try {
    return await loaders[dialect.name](ask, database, dialect, functions);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The catalogue of the database ${database} could not be read: ${why}`, { cause: error });
  }
};
