import { PassThrough, pipeline } from 'node:stream';
import { type Client, openClient, type Per, type WrapOptions } from '../../src/adapter/index.js';
import { InvalidationPendingError } from '../../src/index.js';
import type { Answer, Answers } from './answers.js';
import { isPool, placeOf } from './database.js';
import {
  type Config,
  type Connectable,
  type ConnectionLike,
  cacheConfigAt,
  type PoolLike,
  type Session,
  type Transaction,
} from './internals.js';
import { wishOf } from './wish.js';

/** Where a session keeps what it was wrapped with: found across the ESM and the CommonJS copy of the package. */
export const wrapping: unique symbol = Symbol.for('unstale.drizzle') as never;

export interface Wrapping {
  readonly options: WrapOptions;
  unwrap(): void;
}

/**
 * Puts another client in the place of the one that a session sends its statements to. It is made from that one, so
 * Drizzle takes it for the same; and nothing but this session changes. @throws TypeError for wrong options
 */
export function wrapSession(session: Session & { [wrapping]?: Wrapping }, options: WrapOptions): void {
  const { client, prepareQuery, transaction } = session;
  const wrapped = new Wrapped(session, options);
  session.client = wrapped.put(client);
  const own = {
    prepareQuery(...args: any[]) {
      const prepared = prepareQuery.apply(session, args);
      const per = wishOf(args[cacheConfigAt]);
      if (per !== undefined) prepared.client = wrapped.put(client, per);
      const { queryWithCache } = prepared;
      prepared.queryWithCache = (...given) => unveiled(queryWithCache.apply(prepared, given));
      return prepared;
    },
    transaction: (fn: (tx: Transaction) => unknown, config?: unknown) =>
      unveiled(transaction.call(session, (tx) => wrapped.within(tx, fn), config)),
  };
  const unwrap = () => {
    wrapped.close();
    session.client = client;
    for (const name of [...Object.keys(own), wrapping]) delete (session as any)[name];
  };
  const wrappingOf = { value: { options, unwrap } satisfies Wrapping, configurable: true };
  Object.defineProperty(Object.assign(session, own), wrapping, wrappingOf);
}

/** Drizzle takes every error for one of the statement, which has succeeded when its invalidation is pending. */
async function unveiled<T>(running: Promise<T>): Promise<T> {
  try {
    return await running;
  } catch (error) {
    const { cause } = error as Error;
    throw cause instanceof InvalidationPendingError ? cause : error;
  }
}

class Wrapped {
  readonly #cache: Client<Answer>;
  readonly #answers: Answers;
  readonly #connections = new WeakMap<Connectable, ConnectionLike>();
  #isOpen = true;
  /** Statements on their way by which the only connection may get into a transaction. */
  #direct = 0;

  constructor(session: Session, options: WrapOptions) {
    const { answers, dialect, ...place } = placeOf(session, options.database);
    this.#answers = answers;
    const ask = async (connection: object, sql: string) => {
      const result = await (connection as ConnectionLike).query({ text: sql, sql } as Config);
      return answers.rowsOf({ result }) ?? [];
    };
    this.#cache = openClient({
      options,
      adapter: 'drizzle',
      dialect: { name: dialect },
      ...place,
      driver: { ...answers, ask },
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#cache.close();
  }

  /** What stands for a session's own pool or connection, for statements that say `per`. */
  put(client: Connectable, per?: Per): Connectable {
    return isPool(client) ? this.#pool(client, per) : this.#connection(client as ConnectionLike, { per, reads: true });
  }

  /** Runs a transaction's callback, and those of transactions in it. */
  async within<T>(tx: Transaction, fn: (tx: Transaction) => T | Promise<T>): Promise<T> {
    const connection = this.#connections.get(tx.session.client);
    if (connection === undefined) return fn(tx);
    const session = this.#cache.session(connection);
    this.#cache.bind(tx, session);
    const { transaction } = tx;
    tx.transaction = (inner, config) => transaction.call(tx, (nested) => this.within(nested, inner), config);
    return this.#cache.within(session, () => fn(tx));
  }

  #pool(pool: PoolLike, per: Per | undefined): PoolLike {
    const take = async () => {
      const connection = await (pool.connect ?? pool.getConnection)!.call(pool);
      return this.#isOpen ? this.#connection(connection, {}) : connection;
    };
    const query: PoolLike['query'] = (config, params) => {
      if (!this.#isOpen) return pool.query(config, params);
      return this.#read(config, params, per, () =>
        this.#lent(pool, (connection) => this.#send(connection, config, params)),
      );
    };
    return from(pool, { query, [pool.connect ? 'connect' : 'getConnection']: take });
  }

  /** A connection of the pool for one statement; who reads from the cache takes none. */
  async #lent<T>(pool: PoolLike, fn: (connection: ConnectionLike) => Promise<T>): Promise<T> {
    const connection = await (pool.connect ?? pool.getConnection)!.call(pool);
    // A connection that breaks tells its statement, and everybody else who listens.
    connection.on?.('error', ignored);
    let failed: unknown;
    try {
      return await fn(connection);
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      connection.off?.('error', ignored);
      connection.release?.(failed instanceof InvalidationPendingError ? undefined : failed);
    }
  }

  #connection(
    connection: ConnectionLike,
    { per, reads = false }: { per?: Per | undefined; reads?: boolean },
  ): ConnectionLike {
    const session = this.#cache.session(connection);
    const query: ConnectionLike['query'] = (config, params) => {
      const send = () => this.#send(connection, config, params);
      if (!this.#isOpen && session.unit === undefined) return connection.query(config, params);
      if (!reads) return send();
      if (session.unit === undefined && this.#direct === 0) return this.#read(config, params, per, send);
      this.#direct++;
      return send().finally(() => this.#direct--);
    };
    const put = from(connection, {
      query,
      execute: (sql: string, params: readonly unknown[] = []) =>
        this.#run(connection, sql, params, () => connection.execute!(sql, params)),
      release: (error?: unknown) => connection.release?.(error),
      ...('execute' in connection && { connection: this.#streams(connection) }),
    });
    this.#connections.set(put, connection);
    return put;
  }

  #read(
    config: Config,
    given: readonly unknown[] | undefined,
    per: Per | undefined,
    send: () => Promise<any>,
  ): Promise<any> {
    const isArrays = config.rowMode === 'array' || config.rowsAsArray === true;
    const text = textOf(config);
    // Rows of another shape are another answer.
    const sql = isArrays ? `${text}\n/* rows as arrays */` : text;
    return this.#cache.read({ sql, params: given ?? config.values ?? [], per }, send, this.#answers.form(isArrays));
  }

  #send(connection: ConnectionLike, config: Config, params = config.values ?? []): Promise<any> {
    const text = textOf(config);
    return this.#run(
      connection,
      text,
      params,
      (sql) => {
        if (sql === text || config.name !== undefined) return connection.query(config, params);
        return connection.query({ ...config, text: sql }, params);
      },
      config.name !== undefined,
    );
  }

  /** @param isFixed - a prepared statement has one text for ever */
  async #run(
    connection: ConnectionLike,
    text: string,
    params: readonly unknown[],
    send: (sql: string) => Promise<any>,
    isFixed = false,
  ): Promise<any> {
    const { result } = await this.#cache
      .session(connection)
      .run(text, params, async (sql) => ({ result: await send(sql), isOther: isFixed && sql !== text }));
    return result;
  }

  /** Drizzle's `iterator()` takes rows as they come, from what is behind the promises. */
  #streams(connection: ConnectionLike): object {
    const { connection: core } = connection;
    /** Rows that are still to come. */
    let coming: PassThrough | undefined;
    const query = (config: Config, params: readonly unknown[]) => ({
      stream: () => {
        const opened = this.#cache.session(connection).open(textOf(config), params);
        const rows = new PassThrough({
          objectMode: true,
          // Whoever reads the rows sees their end when what the statement wrote is invalidated.
          flush(done) {
            coming = undefined;
            opened.then((statement) => statement.end()).then(() => done(), done);
          },
        });
        coming = rows;
        opened.then(
          (statement) => {
            const source = core.query(config, params).stream();
            source.once('error', () => {
              coming = undefined;
            });
            pipeline(source, rows, (error) => void statement.end(error ?? undefined));
          },
          (error) => rows.destroy(error),
        );
        return rows;
      },
    });
    const end = () => {
      if (coming === undefined) return core.release();
      // Nobody wants the rest, and nobody else gets anything over this connection before it.
      coming.destroy();
      core.destroy();
    };
    return from(core, { query, end });
  }
}

const ignored = () => {};
const textOf = ({ text, sql }: Config) => (text ?? sql) as string;

/** The same thing but for some of its properties. */
function from<T extends object>(thing: T, own: object): T {
  return Object.assign(Object.create(thing), own);
}
