import type { Driver, WrapOptions } from '../../src/adapter/index.js';
import {
  type Dialect,
  expected,
  notConnected,
  noted,
  openClient,
  placeOf,
  replace,
  takenBackBy,
} from '../../src/adapter/index.js';
import { classesOf } from './entities.js';
import type { Builder, DataSource, Manager, QueryRunner, Result } from './internals.js';
import { resultsOf } from './results.js';
import { Runners } from './runners.js';

/**
 * Replaces four methods of this data source, `transaction` of its managers and what makes relations lazy: what they
 * make is watched. Nothing of TypeORM's own classes is changed.
 *
 * @throws TypeError
 */
export function wrapDataSource(ds: DataSource, options: WrapOptions) {
  if (ds.queryResultCache !== undefined)
    throw new TypeError('Expected a data source without a cache of its own: leave `cache` out of its options.');
  const { driver, createQueryRunner, createEntityManager, createQueryBuilder, initialize, destroy } = ds;
  const { type, replication, extra, ...settings } = driver.options;
  const dialect = dialects[type];
  if (dialect === undefined)
    throw expected('dataSource', 'one of type postgres, mysql, mariadb or better-sqlite3', type);
  const results = resultsOf(dialect, driver);
  let isConnected = ds.isInitialized;
  const lent: Borrow = async (fn) => {
    if (!isConnected) throw notConnected;
    const runner = createQueryRunner.call(ds, 'master');
    try {
      const connection = await runner.connect();
      return await fn((sql) => results.ask(connection, sql));
    } finally {
      await runner.release();
    }
  };
  const open = () => {
    // What a replica answers is not kept.
    const own = { ...extra, ...settings, ...replication?.master };
    const place = placeOf(dialect, own, options.database, 'this data source');
    // SQLite has one runner for all.
    const borrow = dialect === 'sqlite' ? undefined : lent;
    return openClient<Result>({ options, adapter: 'typeorm', ...place, driver: { ...results, borrow } });
  };
  const shared = () => (dialect === 'sqlite' ? (driver.databaseConnection ?? driver) : undefined);
  const runners: Runners = new Runners(ds, results, shared);
  runners.cache = open();
  const makeRunner = (mode = 'master') => {
    // What a replica answers may be older than what was said to be over.
    const of = driver.isReplicated && runners.cache?.inLoad() ? 'master' : mode;
    return runners.watch(createQueryRunner.call(ds, of), mode === 'slave');
  };
  const makeManager = (by?: QueryRunner) => {
    const manager = createEntityManager.call(ds, by);
    return Object.assign(manager, { transaction: transactionOf(runners, manager) });
  };
  const close = () => {
    runners.cache?.close();
    runners.cache = undefined;
  };

  const lazy = noted(ds.relationLoader, 'enableLazyLoad', 1);
  const store = () => runners.cache?.store(classesOf(ds, lazy.seen));
  store();

  const queryResultCache = {
    // Called by `initialize` and `destroy`.
    connect: async () => {
      isConnected = true;
      runners.cache ??= open();
    },
    disconnect: async () => {
      await runners.cache?.rest();
      isConnected = false;
      close();
    },
    synchronize: async () => {},
    /** Throws at once, not later: the next statement of that runner, in the same tick, is the one that it is about. */
    getFromCache({ identifier, duration }: { identifier?: string; duration: number }, by: QueryRunner): never {
      const per = duration === byTheCache ? {} : duration === never ? false : duration;
      runners.said = { by, per, name: identifier };
      throw said;
    },
    clear: () => options.cache.clear(),
    remove: async () => {
      throw new Error('Nothing is kept by an id: rows end with what they come from, or by cache.invalidate(table(…)).');
    },
  };
  const put = (name: string, value: unknown) => replace(ds as any, name, value as any);
  const given = (ds as any).options;
  const restore = [
    put('initialize', () => initialize.call(ds).finally(store)),
    // It tells its cache when the connections have gone.
    put('destroy', async () => {
      await runners.cache?.rest();
      return destroy.call(ds);
    }),
    lazy.end,
    put('createQueryRunner', makeRunner),
    put('createEntityManager', makeManager),
    put('createQueryBuilder', (...args: unknown[]) => teachFalse(createQueryBuilder.apply(ds, args))),
    put('queryResultCache', queryResultCache),
    put('options', new Proxy(given, { get: (it, name) => (name === 'cache' ? asking : Reflect.get(it, name)) })),
    replace(ds.manager, 'transaction', transactionOf(runners, ds.manager)),
  ];
  return takenBackBy(close, ...restore, () => runners.leave());
}

type Borrow = NonNullable<Driver<Result>['borrow']>;

const dialects: Readonly<Record<string, Dialect['name']>> = {
  ...{ postgres: 'postgres', mysql: 'mysql', mariadb: 'mysql' },
  'better-sqlite3': 'sqlite',
};
const said = new Error('The statement is answered by unstale.');
/** What a duration means that nobody can have meant. */
const byTheCache = Number.POSITIVE_INFINITY;
const never = -1;
/** Lets TypeORM go on as without a cache. A data source that is made of the same options has none. */
const asking = { ignoreErrors: true, duration: byTheCache, provider: () => undefined };

/** `.cache(false)` is what TypeORM assumes of every query, and so says nothing. Here it does. */
function teachFalse<B extends Builder>(builder: B): B {
  const { cache, clone } = builder;
  builder.cache = (...args) => cache.apply(builder, args[0] === false ? [never] : args) as B;
  builder.clone = () => teachFalse(clone.call(builder)) as B;
  return builder;
}

/** Callbacks of transactions know that they are in one: cached functions in them go past the cache. */
function transactionOf(runners: Runners, manager: Manager): Manager['transaction'] {
  const { transaction } = manager;
  const inside = (fn: (manager: Manager) => Promise<unknown>) => async (own: Manager) => {
    const { cache } = runners;
    const connection = cache && (await own.queryRunner?.connect());
    if (!cache || !connection) return fn(own);
    const session = cache.session(connection);
    cache.bind(own, session);
    return cache.within(session, () => fn(own));
  };
  const watched = (arg: unknown) => (typeof arg === 'function' ? inside(arg as never) : arg);
  return (...args) => transaction.apply(manager, args.map(watched));
}
