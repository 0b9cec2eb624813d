import type { Dialect } from '../sql/index.js';
import type { Row } from './types.js';

/** How a connection of a usual driver is asked: `pg`, `mysql2` with callbacks, `better-sqlite3`. */
export const asks: Readonly<Record<Dialect['name'], (connection: any, sql: string) => Promise<readonly Row[]>>> = {
  postgres: async (connection, sql) => (await connection.query(sql)).rows,
  sqlite: async (connection, sql) => {
    const statement = connection.prepare(sql);
    if (statement.reader) return statement.all();
    statement.run();
    return [];
  },
  mysql: (connection, sql) => {
    // Whatever the pool was told about rows.
    const query = { sql, rowsAsArray: false, nestTables: false, typeCast: true };
    return new Promise((done, failed) => {
      connection.query(query, (error: unknown, rows: Row[]) => (error ? failed(error) : done(rows)));
    });
  },
};
