import { expected } from '../core/errors.js';
import { type Attached, type Port, portOf } from '../core/port.js';
import { tableTag } from '../core/table-tags.js';
import { type Dialect, foldName } from '../sql/index.js';
import { type LoadCatalog, loadCatalog } from './catalog/index.js';
import { Catalogue } from './catalogue.js';
import type { Driver } from './driver.js';
import type { Per, WrapOptions } from './options.js';
import { Plans } from './plans.js';
import { type Form, type ReadStatement, ReadThrough } from './read-through.js';
import { checkRules } from './rules.js';
import { Connection, type Session } from './session.js';
import type { Shared } from './shared.js';
import { Statements } from './statements.js';
import { Wishes } from './wishes.js';

/** What an adapter says of the database client that it wraps. */
export interface ClientOptions<R> {
  readonly options: WrapOptions;
  /** Its own name: `'knex'`. */
  readonly adapter: string;
  /** Modes of the server are completed with those of `options`. */
  readonly dialect: Dialect;
  /** Identity of the database in tags, unless `options` has one. */
  readonly database: string;
  /** What tells this client's answers from another's on the same database: host, user, search path. Part of keys only. */
  readonly address: string;
  readonly driver: Driver<R>;
}

/** One wrapped database client. */
export interface Client<R> extends Attached {
  /** Of one physical connection; the same object has one session, also when it is asked for twice. */
  session(connection: object): Session<R>;
  /** Whether a read for which its call says `per` could come from the cache: if not, there is no need to ask {@link read}. */
  isWanted(per: Per | undefined): boolean;
  /** Answers from the cache or by `run`; decides itself whether the statement is read through. Takes no connection. */
  read<T>(statement: ReadStatement, run: () => Promise<T>, form?: Form<T>): Promise<T>;
  /** From now on `handle` stands for the transaction that is open on this session, in `cache.within`. */
  bind(handle: object, session: Session<R>): void;
  /** Runs a transaction's callback: reads in it go past the cache, invalidations wait for COMMIT. */
  within<T>(session: Session<R>, fn: () => T | Promise<T>): Promise<T>;
  /** The client is of no use any more. */
  close(): void;
}

/** @throws TypeError for wrong options */
export function openClient<R>(o: ClientOptions<R>): Client<R> {
  return openOver(o, loadCatalog);
}

/** The same over another way to the catalogue. @throws TypeError */
export function openOver<R>(o: ClientOptions<R>, load: LoadCatalog): Client<R> {
  const { options, driver, adapter } = o;
  for (const name of Object.keys(options))
    if (!optionNames.includes(name))
      throw new TypeError(`Expected an option of withCache (${optionNames.join(', ')}), got \`${name}\``);
  const port = portIn(options.cache);
  const { backslashEscapes, ansiQuotes } = options;
  const dialect: Dialect = {
    ...o.dialect,
    ...(backslashEscapes === undefined ? {} : { backslashEscapes }),
    ...(ansiQuotes === undefined ? {} : { ansiQuotes }),
  };
  const database = options.database ?? o.database;
  if (typeof database !== 'string' || database === '') throw expected('database', 'a name', database);
  const rules = checkRules(options, dialect);
  const failed = (error: unknown) => port.emit('error', { error });
  const catalogue = new Catalogue({
    database,
    dialect,
    functions: rules.functions,
    failed,
    now: () => port.now(),
    version: (tag) => port.version(tag),
    load,
  });
  const shared: Shared<R> = {
    ...{ port, driver, dialect, catalogue, failed },
    statements: new Statements(dialect),
    plans: new Plans(rules, failed),
    taint: undefined,
    addsReturning: true,
  };
  const wishes = new Wishes(port, rules);
  const said = [options.default, ...Object.values(options.tables ?? {}).map(({ ttl }) => ttl)];
  // Wrong ones are told here, where they are written.
  const hasRules = said.filter((per) => per !== undefined && wishes.of(per) !== undefined).length > 0;
  const readThrough = new ReadThrough(shared, wishes, { adapter, place: [o.address, database], hasRules });
  const sessions = new WeakMap<object, Connection<R>>();
  const bound = new WeakMap<object, { session: Connection<R>; transaction: object | undefined }>();

  const client: Client<R> = {
    database,
    narrowing: narrowingOf(options),
    session(connection) {
      let session = sessions.get(connection);
      if (session === undefined) {
        session = new Connection(shared, connection);
        sessions.set(connection, session);
      }
      return session;
    },
    isWanted: (per) => readThrough.isWanted(per),
    read: (statement, run, form) => readThrough.read(statement, run, form),
    bind(handle, session) {
      const connection = session as Connection<R>;
      bound.set(handle, { session: connection, transaction: connection.transaction });
    },
    unitOf(handle) {
      const of = bound.get(handle);
      // The connection may have gone to somebody else since.
      return of === undefined || of.session.transaction !== of.transaction ? undefined : of.session.unit;
    },
    async within(session, fn) {
      return session.unit === undefined ? fn() : port.within(session.unit, fn);
    },
    tableTag: (schema, name) => tagOf({ schema, name }, database, dialect, catalogue),
    close: () => detach(),
  };
  const detach = port.attach(client);
  return client;
}

/** What decides which tags there are. */
function narrowingOf({ tenant, tables = {} }: WrapOptions): string {
  const rules = Object.entries(tables)
    .map(([name, { grain, tenant, ignoreColumns = [] }]) => ({
      name,
      grain,
      tenant,
      ignored: [...ignoreColumns].sort(),
    }))
    .filter(({ grain, tenant, ignored }) => grain !== undefined || tenant !== undefined || ignored.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return JSON.stringify({ tenant, tables: rules });
}

const optionNames = [
  ...['cache', 'tables', 'tenant', 'default', 'functions', 'database', 'backslashEscapes', 'ansiQuotes'],
];

function portIn(cache: unknown): Port {
  const port = (cache as { [portOf]?: Port } | undefined)?.[portOf];
  if (port === undefined) throw expected('cache', 'a cache made by createCache()', cache);
  return port;
}

/** Of a table that was named by hand: as the database writes it, or as somebody does who did not think of the case. */
function tagOf(
  { schema, name }: { schema: string | undefined; name: string },
  database: string,
  dialect: Dialect,
  { current }: Catalogue,
): string {
  const fold = (text: string) => foldName(text, dialect);
  const found =
    current?.find({ schema, name }) ??
    current?.find({ schema: schema === undefined ? undefined : fold(schema), name: fold(name) });
  if (found !== undefined) return found.tag;
  if (dialect.name === 'postgres') return tableTag(database, schema === 'public' ? undefined : schema, name);
  if (dialect.name === 'mysql') return tableTag(schema === undefined ? database : fold(schema), undefined, fold(name));
  return tableTag(database, schema === undefined || fold(schema) === 'main' ? undefined : fold(schema), fold(name));
}
