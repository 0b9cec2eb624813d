import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder, removeFolder } from './folders.js';
import { MissingServerError } from './programs.js';

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('../sqlite', import.meta.url));

/** What the tests use of better-sqlite3, which is in `test/sqlite` and so has no types here. */
export interface SqliteConnection {
  exec(sql: string): void;
  prepare(sql: string): { readonly reader: boolean; all(...params: unknown[]): unknown[] };
  pragma(text: string): unknown;
  close(): void;
}

/** better-sqlite3, for clients that want the driver itself: it cannot be required by its name from anywhere else. */
export type SqliteDriver = new (file: string, options?: object) => SqliteConnection;

export function sqliteDriver(): SqliteDriver {
  return require(join(folder, 'node_modules/better-sqlite3'));
}

/** Stands in the list of servers, so that its absence is told in the same way. */
export async function startSqlite(): Promise<{ folder: string; stop: () => Promise<void> }> {
  try {
    new (sqliteDriver())(':memory:').close();
  } catch (error) {
    const { message } = error as Error;
    throw new MissingServerError('sqlite', `npm run setup compiles it into test/sqlite    (${message.split('\n')[0]})`);
  }
  return { folder, stop: async () => {} };
}

/** A database in a file of its own, for as many connections as you like. */
export function aSqliteFile(name = 'app.db'): { file: string; open(): SqliteConnection; remove(): void } {
  const folder = makeFolder('sqlite');
  const file = join(folder, name);
  const connections: SqliteConnection[] = [];
  return {
    file,
    open() {
      const connection = new (sqliteDriver())(file);
      connections.push(connection);
      return connection;
    },
    remove() {
      for (const connection of connections) connection.close();
      removeFolder(folder);
    },
  };
}
