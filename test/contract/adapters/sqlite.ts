import { randomUUID } from 'node:crypto';
import type { AdapterFeature, AdapterRow } from '../../../src/testing/adapter-contract.js';
import { aSqliteFile, type SqliteConnection } from '../../services/sqlite.js';

/** Files of SQLite, each an empty database. */
export async function sqliteServer() {
  const probe = aSqliteFile();
  const [row] = probe.open().prepare('select sqlite_version() as version').all() as AdapterRow[];
  probe.remove();
  const lacks: Partial<Record<AdapterFeature, string>> = {
    wire: 'there is no connection to lose',
    'two writers': 'SQLite has one writer at a time',
    several: 'better-sqlite3 takes one statement at a time',
    lateral: 'SQLite has no LATERAL',
    merge: 'SQLite has no MERGE',
  };
  return {
    version: `SQLite ${row?.version}`,
    lacks,
    async make() {
      const { file, remove } = aSqliteFile(`contract_${randomUUID().slice(0, 8)}.db`);
      return { file, drop: async () => remove() };
    },
  };
}

/** Sets what the suite needs of a connection: two of them at a file, and no waiting for a disk. */
export function tuned<T extends Pick<SqliteConnection, 'pragma'>>(connection: T): T {
  for (const text of ['journal_mode = wal', 'synchronous = off', 'foreign_keys = on', 'busy_timeout = 1000'])
    connection.pragma(text);
  return connection;
}
