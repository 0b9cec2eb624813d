import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { type Dialect, expected } from '../../src/adapter/index.js';
import type { KnexClient, Settings } from './internals.js';

/** What identifies a database in tags, and what else tells its answers from another's in keys; no credentials. */
type Place = { readonly dialect: Dialect['name']; readonly database: string; readonly address: string };
type Found = [name?: string, where?: string];

/** Which database a Knex instance talks to, as far as its configuration says. @throws TypeError */
export function placeOf(client: KnexClient, given: string | undefined): Place {
  const { driverName, config, connectionSettings: settings = {}, connectionConfigProvider } = client;
  const dialect = dialectOf(driverName);
  if (dialect === undefined) throw expected('knex', 'an instance for PostgreSQL, MySQL, MariaDB or SQLite', driverName);
  const isHidden = connectionConfigProvider || 'connectionPool' in config;
  const [name, where] = isHidden ? [] : dialect === 'sqlite' ? fileOf(settings) : serverOf(settings, dialect);
  const database = given ?? name;
  if (!database)
    throw new TypeError(
      'Expected the option `database`: the configuration of this Knex instance does not tell which database it is. Give it a name that no other database has.',
    );
  const shape = JSON.stringify({ ...settings, searchPath: config.searchPath }, telling);
  return { dialect, database, address: `${where ?? ''}${shape}` };
}

function dialectOf(driver: string): Dialect['name'] | undefined {
  if (driver === 'pg' || driver === 'pgnative') return 'postgres';
  if (driver === 'mysql2' || driver === 'mysql' || driver === 'mariadb') return 'mysql';
  return driver === 'better-sqlite3' || driver === 'sqlite3' ? 'sqlite' : undefined;
}

/** Settings by which the same statement has other rows, or rows of other types. */
const telling = [
  ...['user', 'searchPath', 'options', 'timezone', 'charset', 'safeIntegers', 'dateStrings', 'decimalNumbers'],
  ...['supportBigNumbers', 'bigNumberStrings', 'jsonStrings', 'typeCast', 'nestTables', 'rowsAsArray'],
];

/** What is not said, `pg` takes from the environment. */
function serverOf(settings: Settings, dialect: Dialect['name']): Found {
  const isPostgres = dialect === 'postgres';
  const env: NodeJS.ProcessEnv = isPostgres ? process.env : {};
  const { host, port, database, user, socketPath } = withUrl(settings);
  const name = database || env.PGDATABASE || (isPostgres ? user || env.PGUSER || env.USER : undefined);
  return [name, `${socketPath || host || env.PGHOST || 'localhost'}:${port || env.PGPORT || ''}/${name}`];
}

/** What a URL says counts more than what stands beside it. */
function withUrl(settings: Settings): Settings {
  const url = settings.connectionString ?? settings.uri;
  if (url === undefined || !URL.canParse(url)) return settings;
  const { hostname, port, pathname, username: user, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? hostname;
  return { ...settings, host, port, database: decodeURIComponent(pathname.slice(1)), user };
}

function fileOf({ filename: file = '' }: Settings): Found {
  // Each is a database of its own, which nobody else can open, and which ends with its connection.
  if (file === '' || /:memory:|mode=memory/.test(file)) return ['memory', `memory:${randomUUID()}`];
  return [basename(file.replace(/^file:|\?.*$/g, '')).replace(/\.\w+$/, ''), resolve(file)];
}
