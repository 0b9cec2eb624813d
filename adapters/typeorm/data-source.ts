import { openClient, type Per, type WrapOptions } from '../../src/adapter/index.js';
import { placeOf } from './database.js';
import type { Builder, DataSource, Manager, Mode, QueryRunner, Result } from './internals.js';
import { resultsOf } from './results.js';
import { faceOf, type Watch, watchRunner } from './runner.js';

/** Where a data source keeps what it was wrapped with: found across the ESM and the CommonJS copy of the package. */
export const wrapping: unique symbol = Symbol.for('unstale.typeorm') as never;

export interface Wrapping {
  readonly options: WrapOptions;
  unwrap(): void;
}

/**
 * Replaces three methods of this data source, and `transaction` of its managers: what they make is watched. Nothing of
 * TypeORM's own classes is changed.
 *
 * @throws TypeError
 */
export function wrapDataSource(ds: DataSource, options: WrapOptions): Wrapping {
  if (ds.queryResultCache !== undefined)
    throw new TypeError('Expected a data source without a cache of its own: leave `cache` out of its options.');
  const { driver } = ds;
  const { dialect, ...place } = placeOf(driver, options.database);
  const results = resultsOf(dialect, driver);
  const isShared = dialect === 'sqlite';
  const open = () =>
    openClient<Result>({ options, adapter: 'typeorm', dialect: { name: dialect }, ...place, driver: results });
  const { createQueryRunner: makeRunner, createEntityManager: makeManager, createQueryBuilder: makeBuilder } = ds;
  const watch: Watch = {
    cache: open(),
    results,
    said: undefined,
    owner: undefined,
    shared: () => (isShared ? (driver.databaseConnection ?? driver) : undefined),
    create: () => createQueryRunner('master'),
  };

  const createQueryRunner = (mode: Mode = 'master') => {
    // What a replica answers may be older than what was said to be over.
    const runner = makeRunner.call(ds, driver.isReplicated && isInLoad(options) ? 'master' : mode);
    const isForReading = mode === 'slave';
    watchRunner(watch, runner, isForReading);
    return isShared ? faceOf(watch, runner, { isForReading, manage: createEntityManager }) : runner;
  };
  const createEntityManager = (runner?: QueryRunner) => watchManager(watch, makeManager.call(ds, runner));
  const createQueryBuilder = (...args: unknown[]) => teachFalse(makeBuilder.apply(ds, args));
  const close = () => {
    watch.cache?.close();
    watch.cache = undefined;
  };

  const given = ds.options;
  const before = Object.getOwnPropertyDescriptors(ds);
  const transaction = Object.getOwnPropertyDescriptor(ds.manager, 'transaction');
  let isWrapped = true;
  const queryResultCache = {
    // Called by `initialize` and `destroy`.
    connect: async () => {
      if (isWrapped) watch.cache ??= open();
    },
    disconnect: async () => close(),
    synchronize: async () => {},
    /** Throws at once, not later: the next statement of that runner, in the same tick, is the one that it is about. */
    getFromCache({ identifier, duration }: { identifier?: string; duration: number }, by: QueryRunner): never {
      const per: Per = duration === byTheCache ? {} : duration === never ? false : duration;
      watch.said = { by, per, name: identifier };
      throw said;
    },
    isExpired: () => true,
    storeInCache: async () => {},
    clear: () => options.cache.clear(),
    remove: async () => {
      throw new Error(
        'Nothing is kept by that id: rows end with what they come from. cache.invalidate(table(…)) ends them.',
      );
    },
  };
  Object.assign(ds, { createQueryRunner, createEntityManager, createQueryBuilder, queryResultCache });
  ds.options = new Proxy(given, { get: (target, name) => (name === 'cache' ? asking : Reflect.get(target, name)) });
  watchManager(watch, ds.manager);
  return {
    options,
    unwrap() {
      isWrapped = false;
      close();
      for (const name of replaced) {
        delete ds[name];
        if (before[name] !== undefined) Object.defineProperty(ds, name, before[name]);
      }
      delete (ds.manager as Partial<Manager>).transaction;
      if (transaction !== undefined) Object.defineProperty(ds.manager, 'transaction', transaction);
    },
  };
}

const replaced = [
  'createQueryRunner',
  'createEntityManager',
  'createQueryBuilder',
  'queryResultCache',
  'options',
] as const;
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
function watchManager(watch: Watch, manager: Manager): Manager {
  const { transaction } = manager;
  const inside = (fn: (manager: Manager) => Promise<unknown>) => async (own: Manager) => {
    const { cache } = watch;
    const connection = cache && (await own.queryRunner?.connect());
    if (!cache || !connection) return fn(own);
    const session = cache.session(connection);
    cache.bind(own, session);
    return cache.within(session, () => fn(own));
  };
  manager.transaction = (...args) =>
    transaction.apply(
      manager,
      args.map((arg) => (typeof arg === 'function' ? inside(arg as never) : arg)),
    );
  return manager;
}

/** Whether the running code is a load of the cache, or of one that knows of it. */
function isInLoad({ cache }: WrapOptions): boolean {
  return (cache as any)[Symbol.for('unstale.port')].inLoad();
}
