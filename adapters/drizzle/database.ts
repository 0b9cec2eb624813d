import { type Answers, answersOf, asRows, expected, type Place, placeOf } from '../../src/adapter/index.js';
import { type DrizzleSession, kindOf } from './internals.js';

/** Which database a session talks to, as far as its driver says, and how that answers. @throws TypeError */
export function databaseOf(session: DrizzleSession, given: string | undefined): Place & { readonly answers: Answers } {
  const { client } = session;
  const kind = kindOf(session);
  const from = (dialect: 'postgres' | 'mysql' | 'sqlite', settings?: object, answers = answersOf(dialect)) => ({
    ...placeOf(dialect, settings, given, 'this driver'),
    answers,
  });
  if (kind === 'NodePgSession') {
    // One that never connects knows what is in the options, the environment and a connection string.
    const known = 'totalCount' in client ? new client.Client({ ...client.options, connection: {} }) : client;
    return from('postgres', known.connectionParameters);
  }
  if (kind === 'MySql2Session') return from('mysql', client.pool?.config.connectionConfig ?? client.connection?.config);
  if (kind === 'BetterSQLiteSession') return from('sqlite', { filename: client.memory ? '' : client.name }, atOnce);
  if (kind === 'SQLiteRemoteSession') return from('sqlite', undefined, proxied);
  throw expected('db', 'one of drizzle-orm/node-postgres, mysql2, better-sqlite3 or sqlite-proxy', kind ?? session);
}

/** `get` gives one row, also of those that a statement has changed. */
const atOnce: Answers = {
  ...answersOf('sqlite'),
  rowsOf({ method, result, columns, isQuery }) {
    const rows = method !== 'get' ? result : isQuery && [result].filter((row) => row !== undefined);
    return asRows(rows, columns?.());
  },
};

/** A proxy answers with rows as arrays, or with one. Their columns it may tell as well, which Drizzle does not need. */
const proxied: Answers = {
  rowsOf({ rows, columns = [] }) {
    if (!Array.isArray(rows)) return undefined;
    const all: unknown[][] = rows.every(Array.isArray) ? rows : [rows];
    return all.map((row) => Object.fromEntries(row.map((value, at) => [columns[at] ?? at, value])));
  },
  pack: ({ rows }) => rows,
  unpack: (rows) => ({ rows }),
};
