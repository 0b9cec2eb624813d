import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { type Dialect, expected } from '../../src/adapter/index.js';
import type { Driver, Settings } from './internals.js';

/** What identifies a database in tags, and what else tells its answers from another's in keys; no credentials. */
type Place = { readonly dialect: Dialect['name']; readonly database: string; readonly address: string };

const dialects = new Map<string, Dialect['name']>([
  ['postgres', 'postgres'],
  ['mysql', 'mysql'],
  ['mariadb', 'mysql'],
  ['better-sqlite3', 'sqlite'],
]);

/** Which database a data source talks to, as far as its options say; it need not be initialized. @throws TypeError */
export function placeOf(driver: Driver, given: string | undefined): Place {
  const { type, replication, extra, ...settings } = driver.options;
  const dialect = dialects.get(type);
  if (dialect === undefined)
    throw expected('dataSource', 'one of type postgres, mysql, mariadb or better-sqlite3', type);
  // What a replica answers is not kept.
  const own = withUrl({ ...settings, ...replication?.master });
  const [name, where] = dialect === 'sqlite' ? fileOf(settings) : serverOf(own, dialect, driver);
  const database = given ?? name;
  if (!database)
    throw new TypeError(
      'Expected the option `database`: the options of this data source do not tell which database it is. Give it a name that no other database has.',
    );
  return { dialect, database, address: `${where}${JSON.stringify({ ...own, ...extra }, telling)}` };
}

/** Settings by which the same statement has other rows, or rows of other types. */
const telling = [
  ...['user', 'username', 'schema', 'options', 'timezone', 'charset', 'dateStrings', 'decimalNumbers', 'useUTC'],
  ...['supportBigNumbers', 'bigNumberStrings', 'jsonStrings', 'typeCast', 'parseInt8'],
];

/** What is not said, `pg` takes from the environment. */
function serverOf(settings: Settings, dialect: Dialect['name'], driver: Driver): [name?: string, where?: string] {
  const isPostgres = dialect === 'postgres';
  const env: NodeJS.ProcessEnv = isPostgres ? process.env : {};
  const { host, port, username, socketPath } = settings;
  const name =
    driver.database || settings.database || env.PGDATABASE || (isPostgres ? username || env.PGUSER || env.USER : '');
  return [name, `${socketPath || host || env.PGHOST || 'localhost'}:${port || env.PGPORT || ''}/${name}`];
}

/** What a URL says counts more than what stands beside it. */
function withUrl(settings: Settings): Settings {
  if (typeof settings.url !== 'string' || !URL.canParse(settings.url)) return settings;
  const { hostname: host, port, pathname, username } = new URL(settings.url);
  return { ...settings, host, port, username, database: decodeURIComponent(pathname.slice(1)) };
}

function fileOf({ database: file = '' }: Settings): [name: string, where: string] {
  // Each is a database of its own, which nobody else can open, and which ends with its connection.
  if (file === '' || /:memory:|mode=memory/.test(file)) return ['memory', `memory:${randomUUID()}`];
  return [basename(file).replace(/\.\w+$/, ''), resolve(file)];
}
