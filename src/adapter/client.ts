import { namesOf } from '../core/check.js';
import { expected } from '../core/errors.js';
import { type Attached, type Port, portOf } from '../core/port.js';
import type { Cache } from '../index.js';
import type { Dialect } from '../sql/index.js';
import { atOnce } from './at-once.js';
import { type LoadCatalog, loadCatalog } from './catalog/index.js';
import { Catalogue } from './catalogue.js';
import type { Driver } from './driver.js';
import { guardsOf } from './guards.js';
import { type MappedClass, typesOf } from './mapped.js';
import { tagOf } from './named-by-hand.js';
import { Narrowing, narrowingOf } from './narrowing.js';
import type { Per, WrapOptions } from './options.js';
import { ownTable } from './own-table.js';
import { Plans } from './plans.js';
import { type Form, type ReadStatement, ReadThrough } from './read-through.js';
import { type ReadResult, Results } from './results.js';
import { checkRules, coarse } from './rules.js';
import type { Session } from './session.js';
import { Sessions } from './sessions.js';
import type { Shared } from './shared.js';
import { Statements } from './statements.js';
import { Together } from './together.js';
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

const optionNames = namesOf<WrapOptions>({
  cache: true,
  tables: true,
  tenant: true,
  default: true,
  functions: true,
  database: true,
  backslashEscapes: true,
  ansiQuotes: true,
});

/** Where a thing that is wrapped has its {@link Client}, for what is made of it. */
export const clientIn: unique symbol = Symbol.for('unstale.client') as never;

/** One wrapped database client. */
export interface Client<R> extends Attached {
  readonly cache: Cache<any>;
  /** What tells its answers from those of others: a part of keys. */
  readonly place: readonly string[];
  /** Of one physical connection; the same object has one session, also when it is asked for twice. */
  session(connection: object): Session<R>;
  /** Whether a read for which its call says `per` could come from the cache: if not, there is no need to ask {@link read}. */
  isWanted(per: Per | undefined): boolean;
  /** Whether the running code is a load, which a replica must not answer: it may not know yet what has ended. */
  inLoad(): boolean;
  /**
   * Answers from the cache, by `load`, whose answer is kept, or, when it is not for the cache to decide, by `past`.
   * Takes no connection.
   *
   * @param past - @defaultValue `load`
   */
  read<T>(statement: ReadStatement, load: () => Promise<T>, form?: Form<T>, past?: () => Promise<T>): Promise<T>;
  /** The same of a whole result, for which there may be several statements. */
  readResult<T>(result: ReadResult, load: () => Promise<T>, form: Form<T>): Promise<T>;
  /** The load around the running code got something of which nobody can tell what it depends on: it is not stored. */
  refuse(reason: string): void;
  /**
   * The same for every load that is under way, when nobody can tell which of them got it: it was sent for whoever asked
   * first, inside of a load or not.
   */
  refuseAll(reason: string): void;
  /** For a library that sends what is asked in one tick all at once, for whoever asked first; one for each that does. */
  together(): Together;
  /**
   * From now on `handle` stands for the transaction that is open on this session, in `cache.within`; when none is, for
   * whichever is open then. A connection itself need not be bound, nor what the driver finds one behind.
   */
  bind(handle: object, session: Session<R>): void;
  /** Runs a transaction's callback: reads in it go past the cache, invalidations wait for COMMIT. */
  within<T>(session: Session<R>, fn: () => T | Promise<T>): Promise<T>;
  /** The same of a driver that answers at once: `fn` runs before this returns. */
  withinAtOnce<T>(session: Session<R>, fn: () => T): T;
  /** Instances of these classes can be stored from now on, also when the client is closed. @throws TypeError */
  store(classes: readonly MappedClass[]): void;
  /**
   * To be called before the connections are closed: nothing is sent by itself any more. A promise is to be waited for,
   * undefined says that nothing was.
   */
  rest(): Promise<unknown> | undefined;
  /** Nothing is read through any more. What still runs on its connections is seen. */
  close(): void;
  /** For one of several who use it: it is closed when the last one has gone, and open again with the next. @returns ends it */
  use(): () => void;
}

/** @throws TypeError for wrong options */
export function openClient<R>(o: ClientOptions<R>): Client<R> {
  return openOver(o, loadCatalog, guardsOf);
}

/** The same over another way to the catalogue, and with other guards. @throws TypeError */
export function openOver<R>(o: ClientOptions<R>, load: LoadCatalog, guard: typeof guardsOf = () => []): Client<R> {
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
  const tableOf = (name: string, isUsual = shared.taint === undefined) => ownTable(name, isUsual, dialect, catalogue);
  const guards = guard({ port, driver, dialect, database, tableOf, failed });
  const shared: Shared<R> = {
    ...{ port, driver, dialect, catalogue, failed },
    statements: new Statements(dialect),
    plans: new Plans(rules, failed),
    coarsePlans: new Plans(coarse(rules), failed),
    narrowing: new Narrowing(port, database, narrowingOf(options)),
    guards,
    taint: undefined,
    addsReturning: true,
    asItIs: new WeakSet(),
  };
  const wishes = new Wishes(port, rules);
  const said = [options.default, ...Object.values(options.tables ?? {}).map(({ ttl }) => ttl)];
  // Wrong ones are told here, where they are written.
  const hasRules = said.filter((per) => per !== undefined && wishes.of(per) !== undefined).length > 0;
  const readThrough = new ReadThrough(shared, wishes, { adapter, place: [o.address, database], hasRules });
  const results = new Results(shared, wishes, { adapter, place: [o.address, database] });
  const sessions = new Sessions(shared);
  let isOpen = true;
  let users = 0;
  const client: Client<R> = {
    database,
    cache: options.cache,
    place: [o.address, database],
    narrowing: narrowingOf(options) ?? '',
    session: (connection) => sessions.of(connection),
    isWanted: (per) => isOpen && readThrough.isWanted(per),
    inLoad: () => port.inLoad(),
    read: (statement, load, form, past = load) => (isOpen ? readThrough.read(statement, load, form, past) : past()),
    readResult: (result, load, form) =>
      isOpen && readThrough.isWanted(result.per) ? results.read(result, load, form) : load(),
    refuse: (reason) => port.refuse(reason),
    refuseAll: (reason) => port.refuseAll(reason),
    together: () => new Together(port, adapter),
    bind: (handle, session) => sessions.bind(handle, session),
    isOver: guards.find(({ isOver }) => isOver !== undefined)?.isOver,
    quiet: guards.find(({ quiet }) => quiet !== undefined)?.quiet,
    unitOf: (handle) => sessions.unitOf(handle),
    async within(session, fn) {
      return session.unit === undefined ? fn() : port.within(session.unit, fn);
    },
    withinAtOnce: (session, fn) => atOnce((run) => client.within(session, run), fn),
    tableTag: (schema, name) => tagOf({ schema, name }, database, dialect, catalogue),
    hasTree: (schema, name) => rules.hasTree(schema, name),
    store: (classes) => port.addTypes(typesOf(database, classes)),
    rest() {
      const resting = guards.map((one) => one.rest?.()).filter((one) => one !== undefined);
      return resting.length === 0 ? undefined : Promise.all(resting);
    },
    close() {
      isOpen = false;
      for (const one of guards) one.close?.();
      detach();
    },
    use() {
      users++;
      if (!isOpen) {
        isOpen = true;
        catalogue.change();
        detach = port.attach(client);
        for (const one of guards) one.open?.();
      }
      return () => {
        if (--users === 0) client.close();
      };
    },
  };
  let detach = port.attach(client);
  for (const one of guards) one.open?.();
  // Statements that are answered at once wait for nobody: the sooner it is known, the better.
  if (driver.askAtOnce !== undefined) void shared.narrowing.await();
  return client;
}

/** @throws TypeError for what is no cache */
export function portIn(cache: unknown): Port {
  const port = (cache as { [portOf]?: Port } | undefined)?.[portOf];
  if (port === undefined) throw expected('cache', 'a cache made by createCache()', cache);
  return port;
}
