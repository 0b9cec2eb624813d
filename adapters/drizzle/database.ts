import { expected } from '../../src/adapter/index.js';
import { type Answers, mysqlAnswers, postgresAnswers } from './answers.js';
import { type Connectable, kindOf, type Session } from './internals.js';

/** What identifies a database in tags, and what else tells its answers from another's in keys; no credentials. */
export interface Place {
  readonly dialect: 'postgres' | 'mysql';
  readonly database: string;
  readonly address: string;
  readonly answers: Answers;
}

/** Which database a session talks to, as far as its driver says. @throws TypeError */
export function placeOf(session: Session, given: string | undefined): Place {
  const kind = kindOf(session);
  const place = kind === 'NodePgSession' ? postgres(session.client) : kind === 'MySql2Session' && mysql(session.client);
  if (kind === 'BetterSQLiteSession')
    throw new TypeError(
      'Expected a database whose driver answers with promises: better-sqlite3 answers at once, and so it cannot wait for a cache. Keep what you read in loads that name their tables, and invalidate those: cache.invalidate(table("orders")).',
    );
  if (!place) throw expected('db', 'a database of drizzle-orm/node-postgres or drizzle-orm/mysql2', kind ?? session);
  const database = given ?? place.database;
  if (!database)
    throw new TypeError(
      'Expected the option `database`: the configuration of this driver does not tell which database it is. Give it a name that no other database has.',
    );
  return { ...place, database, address: `drizzle:${place.address}` };
}

function postgres(client: any): Place {
  // One that never connects knows what is in the options, the environment and a connection string.
  const { host, port, database, user, connectionParameters } =
    'totalCount' in client ? new client.Client({ ...client.options, connection: {} }) : client;
  const settings = JSON.stringify([user, connectionParameters?.options]);
  return { dialect: 'postgres', database, address: `${host}:${port}/${database}${settings}`, answers: postgresAnswers };
}

function mysql(client: any): Place {
  const config = client.pool?.config.connectionConfig ?? client.connection?.config ?? {};
  const { host, port, socketPath, database } = config;
  const settings = JSON.stringify(config, telling);
  return {
    dialect: 'mysql',
    database,
    address: `${socketPath || `${host}:${port}`}/${database}${settings}`,
    answers: mysqlAnswers,
  };
}

/** Settings by which the same statement has other rows, or rows of other types. */
const telling = [
  ...['user', 'timezone', 'charsetNumber', 'decimalNumbers', 'supportBigNumbers', 'bigNumberStrings', 'jsonStrings'],
];

export function isPool(client: Connectable): boolean {
  return 'totalCount' in client || 'getConnection' in client;
}
