import type { LoadCatalog } from '../../../../src/adapter/catalog/types.js';
import { type Client, type ClientOptions, openOver } from '../../../../src/adapter/client.js';
import type { Guard } from '../../../../src/adapter/guard.js';
import type { WrapOptions } from '../../../../src/adapter/options.js';
import type { Params, Row } from '../../../../src/adapter/types.js';
import type { Cache } from '../../../../src/index.js';
import type { Dialect } from '../../../../src/sql/index.js';
import { aCache, deferred, heard } from '../../core/a-cache.js';
import { aCatalog, type Spec } from '../a-catalog.js';
import { shop } from '../a-plan.js';

/** What the driver of these tests answers with. */
export interface Result {
  readonly rows?: readonly Row[];
  readonly hidden?: boolean;
}

/** One connection to a server that answers one statement after the other. */
export interface Connection {
  /** What was sent, in order. */
  readonly sent: string[];
  run(sql: string, params?: Params): Promise<Result>;
  /** The next statement with this text is answered when the test says so. */
  hold(sql: string): ReturnType<typeof deferred<Result>>;
  /** So is every one with this text. */
  readonly answers: Map<string, () => Result | Promise<Result>>;
  readonly session: ReturnType<Client<Result>['session']>;
}

export interface World {
  readonly cache: Cache;
  readonly client: Client<Result>;
  connect(): Connection;
  /** A statement as somebody runs it who takes a connection for it. */
  query(sql: string, params?: Params): Promise<Result>;
  /** What was published so far, each time in order. */
  published(): string[][];
  /** Of errors that the cache told of. */
  readonly errors: string[];
  /** How often the catalogue was read. */
  readonly catalogs: {
    count: number;
    fail?: Error | undefined;
    tables: Readonly<Record<string, Spec>>;
    hold?: Promise<void>;
  };
}

type Given = Partial<Omit<WrapOptions, 'cache'>> & {
  dialect?: Dialect['name'];
  cache?: Cache;
  hidesRows?: boolean;
  loadCatalog?: LoadCatalog;
  driver?: Partial<ClientOptions<Result>['driver']>;
  guards?: readonly Guard[];
};

/** A wrapped client over a server that does what the test says. */
export function aClient({
  dialect: name = 'postgres',
  cache = aCache().cache,
  hidesRows,
  loadCatalog: load,
  driver: own,
  guards = [],
  ...options
}: Given = {}): World {
  const dialect = { name };
  const events = heard(cache, 'invalidate');
  const errors: string[] = [];
  cache.on('error', ({ error }) => void errors.push(String((error as Error)?.message ?? error)));
  const catalogs: World['catalogs'] = { count: 0, tables: shop };
  const asked = new WeakMap<object, (sql: string) => Promise<Result>>();
  const driver: ClientOptions<Result>['driver'] = {
    ask: async (connection, sql) => (await asked.get(connection)?.(sql))?.rows ?? [],
    rowsOf: ({ rows }) => rows,
    ...(hidesRows && { hideRows: () => ({ hidden: true }) }),
    ...own,
  };
  const loadCatalog: LoadCatalog = async (ask, ...rest) => {
    catalogs.count++;
    await ask('the catalogue');
    await catalogs.hold;
    if (catalogs.fail !== undefined) throw catalogs.fail;
    return load ? load(ask, ...rest) : aCatalog(dialect, catalogs.tables);
  };
  const place = { adapter: 'test', dialect, database: 'app', address: 'here', driver };
  const client = openOver({ ...place, options: { ...options, cache } }, loadCatalog, () => guards);
  const connect = (): Connection => {
    const connection = {};
    const sent: string[] = [];
    const held = new Map<string, Promise<Result>[]>();
    const answers: Connection['answers'] = new Map();
    let last: Promise<unknown> = Promise.resolve();
    const send = (sql: string): Promise<Result> => {
      sent.push(sql);
      const answer = last.then(() => held.get(sql)?.shift() ?? answers.get(sql)?.() ?? { rows: [] });
      last = answer.catch(() => {});
      return answer;
    };
    asked.set(connection, send);
    return {
      sent,
      answers,
      session: client.session(connection),
      run: (sql, params = []) => client.session(connection).run(sql, params, send),
      hold(sql) {
        const answer = deferred<Result>();
        held.set(sql, [...(held.get(sql) ?? []), answer.promise]);
        return answer;
      },
    };
  };
  return {
    ...{ cache, client, connect, errors, catalogs },
    query: (sql, params) => connect().run(sql, params),
    published: () => events.map(({ tags }) => tags.map((tag) => tag.replace('table:app.', '')).sort()),
  };
}
