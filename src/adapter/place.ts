import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { Dialect } from '../sql/index.js';

/** How a driver was told where its database is: the names that `pg`, `mysql2`, TypeORM and the drivers of SQLite have for it. */
export type ConnectionSettings = Readonly<Record<string, any>>;

/** What identifies a database in tags, and what else tells its answers from another's in keys; no credentials. */
export interface Place {
  readonly dialect: Dialect;
  readonly database: string;
  readonly address: string;
}

/**
 * Which database a driver talks to, as far as its settings say.
 *
 * @param settings - undefined when they are not known beforehand
 * @param given - the option `database`, which counts more
 * @param who - for the error: `'this Knex instance'`
 * @throws TypeError when nothing tells it
 */
export function placeOf(
  dialect: Dialect['name'],
  settings: ConnectionSettings | undefined,
  given: string | undefined,
  who: string,
): Place {
  const [name, where = ''] =
    settings === undefined ? [] : dialect === 'sqlite' ? fileOf(settings) : serverOf(settings, dialect);
  const database = given ?? name;
  if (!database)
    throw new TypeError(
      `Expected the option \`database\`: the configuration of ${who} does not tell which database it is. Give it a name that no other database has.`,
    );
  return {
    dialect: { name: dialect },
    database,
    address: `${where}${JSON.stringify(withUrl(settings ?? {}), telling)}`,
  };
}

/** Settings by which the same statement has other rows, or rows of other types. */
const telling = [
  ...['user', 'searchPath', 'schema', 'options', 'types', 'timezone', 'useUTC', 'charset', 'charsetNumber'],
  ...['safeIntegers', 'dateStrings', 'decimalNumbers', 'supportBigNumbers', 'bigNumberStrings', 'parseInt8'],
  ...['jsonStrings', 'typeCast', 'nestTables', 'rowsAsArray', 'stringifyObjects'],
];

type Found = [name?: string, where?: string];

/** What is not said, `pg` takes from the environment. */
function serverOf(settings: ConnectionSettings, dialect: Dialect['name']): Found {
  const isPostgres = dialect === 'postgres';
  const env: NodeJS.ProcessEnv = isPostgres ? process.env : {};
  const { host, port, database, user, socketPath } = withUrl(settings);
  const name = database || env.PGDATABASE || (isPostgres ? user || env.PGUSER || env.USER : undefined);
  return [name, `${socketPath || host || env.PGHOST || 'localhost'}:${port || env.PGPORT || ''}/${name}`];
}

/** What a URL says counts more than what stands beside it. */
function withUrl(settings: ConnectionSettings): ConnectionSettings {
  const { connectionString, uri, url = connectionString ?? uri, username } = settings;
  if (url === undefined || !URL.canParse(url)) return { ...settings, user: settings.user ?? username };
  const { hostname, port, pathname, username: user, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? hostname;
  const said = Object.fromEntries(searchParams);
  return { ...settings, ...said, host, port, database: decodeURIComponent(pathname.slice(1)), user };
}

function fileOf({ database, filename: file = database ?? '' }: ConnectionSettings): Found {
  // Each is a database of its own, which nobody else can open, and which ends with its connection.
  if (file === '' || /:memory:|mode=memory/.test(file)) return ['memory', `memory:${randomUUID()}`];
  return [basename(file.replace(/^file:|\?.*$/g, '')).replace(/\.\w+$/, ''), resolve(file)];
}
