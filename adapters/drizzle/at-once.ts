import { clientIn, openClient, replace, takenBackBy, type WrapOptions } from '../../src/adapter/index.js';
import { cacheConfigAt } from './client.js';
import { databaseOf } from './database.js';
import { type Callback, type DrizzleSession, from, type Transaction, within } from './internals.js';
import { wishOf } from './wish.js';

/** A database of `drizzle-orm/better-sqlite3`, whose statements wait for nobody. @throws TypeError for wrong options */
export function wrapAtOnce(session: DrizzleSession, options: WrapOptions) {
  const rules = Object.values(options.tables ?? {}).map(({ ttl }) => ttl);
  if ([options.default, ...rules].some(Boolean)) throw refused('`default` or `ttl` in the options');
  const { client, prepareQuery } = session;
  const { answers, ...place } = databaseOf(session, options.database);
  const askAtOnce = (_: object, sql: string) => client.prepare(sql).safeIntegers(false).all();
  const driver = { ...answers, askAtOnce, ask: async (_: object, sql: string) => askAtOnce(_, sql) };
  const cache = openClient<any>({ options, adapter: 'drizzle', ...place, driver });
  const connection = cache.session(client);

  const prepare = (sql: string) => {
    const statement = client.prepare(sql);
    let columns: (() => unknown) | undefined;
    const run = (method: 'run' | 'get' | 'all', params: any[]) => {
      const isRead = statement.readonly && connection.unit === undefined;
      if (isRead && cache.isWanted(undefined)) throw refused('query inside of cached()');
      const send = () => ({ result: statement[method](...params), columns, method, isQuery: statement.readonly });
      return connection.runAtOnce(sql, params, send).result;
    };
    const watched = {
      run: (...params: any[]) => run('run', params),
      get: (...params: any[]) => run('get', params),
      all: (...params: any[]) => run('all', params),
      raw() {
        columns = () => statement.columns();
        statement.raw();
        return watched;
      },
    };
    return watched;
  };

  /** The driver's own sends what nobody sees. */
  const transaction = (fn: Callback) => {
    const by = (behavior: string) => (tx: Transaction) => {
      const [begin, commit, ...back] = client.inTransaction
        ? ['savepoint inner', 'release inner', 'rollback to inner', 'release inner']
        : [`begin ${behavior}`, 'commit', 'rollback'];
      const send = (sql: string) => void prepare(sql).run();
      send(begin as string);
      try {
        const result: any = within({ cache, session: connection, run: cache.withinAtOnce }, tx, fn);
        if (typeof result?.then === 'function') throw new TypeError('Transaction function cannot return a promise');
        send(commit as string);
        return result;
      } catch (error) {
        if (client.inTransaction) back.forEach(send);
        throw error;
      }
    };
    return { deferred: by('deferred'), immediate: by('immediate'), exclusive: by('exclusive') };
  };

  return takenBackBy(
    cache.close,
    replace(session as any, clientIn as never, cache as any),
    replace(session, 'client', from(client, { prepare, transaction })),
    replace(session, 'prepareQuery', (...args: any[]) => {
      if (wishOf(args[cacheConfigAt])) throw refused('$withCache()');
      return prepareQuery.apply(session, args);
    }),
  );
}

const refused = (what: string) =>
  new TypeError(`Expected no ${what}: better-sqlite3 answers at once. Use a load, or drizzle-orm/sqlite-proxy.`);
