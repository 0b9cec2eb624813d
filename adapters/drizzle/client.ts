import {
  clientIn,
  type Driver,
  notConnected,
  openClient,
  type Per,
  replace,
  takenBackBy,
  type WrapOptions,
} from '../../src/adapter/index.js';
import { CommitUnknownError, InvalidationPendingError } from '../../src/index.js';
import { databaseOf } from './database.js';
import {
  type Callback,
  type Config,
  type DrizzleSession,
  from,
  isEnded,
  textOf,
  type Wire,
  within,
} from './internals.js';
import { streaming } from './streams.js';
import { wishOf } from './wish.js';

/**
 * Puts another client in the place of the one that a session sends its statements to. It is made from that one, so
 * Drizzle takes it for the same; and nothing but this session changes. @throws TypeError for wrong options
 */
export function wrapSession(session: DrizzleSession, options: WrapOptions) {
  const { client, batchCLient: batch, prepareQuery, transaction } = session;
  const { answers, ...place } = databaseOf(session, options.database);
  const ask = async (connection: any, sql: string) =>
    answers.rowsOf(await connection.query({ text: sql, sql, rowMode: 'all' }, [])) ?? [];
  const own: Wire =
    typeof client === 'function' ? { query: ({ text, rowMode }, params) => client(text, params, rowMode) } : client;
  const isPool = 'totalCount' in own || 'getConnection' in own;
  const take = (pool: Wire) => (pool.connect ?? pool.getConnection)!.call(pool);
  const borrow: Driver<any>['borrow'] = async (fn) => {
    if (isEnded(own)) throw notConnected;
    return lent(
      () => take(own),
      (connection) => fn((sql) => ask(connection, sql)),
    );
  };
  const driver = { ...answers, ask, borrow: isPool ? borrow : undefined };
  const cache = openClient({ options, adapter: 'drizzle', ...place, driver });
  /** By what stands for the connection. */
  const sessions = new WeakMap<object, ReturnType<typeof cache.session>>();

  const read = (
    config: Config,
    params: readonly unknown[],
    per: Per | undefined,
    send: () => Promise<any>,
    again?: false,
  ) => {
    const shape = config.rowMode ?? (config.rowsAsArray ? 'array' : undefined);
    return cache.read({ sql: textOf(config), params, per, shape, again }, send, answers);
  };

  const sendBy = (connection: Wire, config: Config, params: readonly unknown[]) => {
    const text = textOf(config);
    const send = (sql: string) => connection.query(sql === text ? config : { ...config, text: sql }, params);
    return cache.session(connection).run(text, params, send, config.name === undefined);
  };

  /** @param reads - of a connection that is no pool's: what statements say of their answers */
  const ofConnection = (connection: Wire, reads?: { per: Per | undefined }): Wire => {
    const at = cache.session(connection);
    const query: Wire['query'] = (config, params = config.values ?? []) => {
      const send = () => sendBy(connection, config, params);
      return reads !== undefined && at.isIdle ? read(config, params, reads.per, send, false) : send();
    };
    const { execute } = connection;
    const more = execute && {
      execute: (sql: string, params: readonly unknown[] = []) =>
        at.run(sql, params, () => execute.call(connection, sql, params)),
      release: () => connection.release?.(),
      connection: streaming(connection.connection, at),
    };
    const put = from(connection, { query, ...more });
    sessions.set(put, at);
    return put;
  };

  const ofPool = (pool: Wire, per: Per | undefined): Wire => {
    const query: Wire['query'] = (config, params = config.values ?? []) =>
      read(config, params, per, () =>
        lent(
          () => take(pool),
          (connection) => sendBy(connection, config, params),
        ),
      );
    const given = async () => ofConnection(await take(pool));
    return from(pool, { query, [pool.connect ? 'connect' : 'getConnection']: given });
  };

  /** What stands for the session's own pool, connection or proxy, for statements that say `per`. */
  const put = (per?: Per): unknown => {
    if (isPool) return ofPool(own, per);
    const connection = ofConnection(own, { per });
    if (own === client) return connection;
    const proxy = (text: string, params: unknown[], rowMode: string) => connection.query({ text, rowMode }, params);
    sessions.set(proxy, cache.session(own));
    return proxy;
  };

  /** A proxy sends several statements at once, in a transaction or not. */
  const sendAll: DrizzleSession['batchCLient'] = async (queries) => {
    const statements = await Promise.all(queries.map(({ sql, params }) => cache.session(own).open(sql, params)));
    const running = batch!(queries);
    const failed = await errorOf(running);
    await Promise.all(statements.map((statement) => statement.end(failed)));
    return running;
  };

  return takenBackBy(
    cache.close,
    replace(session as any, clientIn as never, cache as any),
    replace(session, 'client', put()),
    replace(session as Required<DrizzleSession>, 'batchCLient', batch && (sendAll as any)),
    replace(session, 'prepareQuery', (...args: any[]) => {
      const prepared = prepareQuery.apply(session, args);
      const per = wishOf(args[cacheConfigAt]);
      if (per !== undefined) prepared.client = put(per);
      const { queryWithCache } = prepared;
      prepared.queryWithCache = (...given: unknown[]) => queryWithCache.apply(prepared, given).catch(unveil);
      return prepared;
    }),
    replace(session, 'transaction', (fn: Callback, config?: unknown) => {
      const at = ({ session: { client } }: { session: DrizzleSession }) => ({
        cache,
        session: sessions.get(client)!,
        run: cache.within,
      });
      const inside: Callback = (tx) => within(at(tx), tx, fn);
      return transaction.call(session, inside, config).catch(unveil);
    }),
  );
}

/** A connection of the pool for one statement; who reads from the cache takes none. */
async function lent<T>(take: () => Promise<Wire>, fn: (connection: Wire) => Promise<T>): Promise<T> {
  const connection = await take();
  // A connection that breaks tells its statement, and everybody else who listens.
  connection.on?.('error', ignored);
  const running = fn(connection);
  const failed = await errorOf(running);
  connection.off?.('error', ignored);
  connection.release?.(failed instanceof InvalidationPendingError ? undefined : failed);
  return running;
}

/** Drizzle takes every error for one of the statement. What ours say is of the write, which may have succeeded. */
function unveil(error: Error): never {
  const { cause } = error;
  throw cause instanceof InvalidationPendingError || cause instanceof CommitUnknownError ? cause : error;
}

/** The argument of `prepareQuery`, in every dialect. */
export const cacheConfigAt = 6;
const ignored = () => {};
const errorOf = (running: Promise<unknown>) => running.then(ignored, (error: unknown) => error);
