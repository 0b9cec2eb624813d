import { AsyncResource } from 'node:async_hooks';
import { type Client, openClient, type Per, type Session, type WrapOptions } from '../../src/adapter/index.js';
import {
  answered,
  type Callback,
  type Config,
  type Connected,
  callOf,
  type PgClient,
  type PgPool,
  replace,
  type Submittable,
} from './internals.js';
import { type Answer, answers, formOf } from './results.js';

/** Where a pool or client keeps what it was wrapped with: found across the ESM and the CommonJS copy of the package. */
export const wrapping: unique symbol = Symbol.for('unstale.pg') as never;

export interface Wrapping {
  readonly options: WrapOptions;
  unwrap(): void;
}

/** A pool, or a client that belongs to none. @throws TypeError for wrong options */
export function wrap(given: PgPool | PgClient, options: WrapOptions): void {
  const wrapped = new Wrapped(given, options);
  const restore = isPool(given) ? wrapped.pool(given) : wrapped.client(given);
  const unwrap = () => {
    wrapped.close();
    for (const one of restore) one();
    delete (given as { [wrapping]?: Wrapping })[wrapping];
  };
  Object.defineProperty(given, wrapping, { value: { options, unwrap } satisfies Wrapping, configurable: true });
}

export function isPool(given: object): given is PgPool {
  return 'Client' in given && 'totalCount' in given;
}

/** One database as a pool and its clients see it, or one client alone. */
class Wrapped {
  readonly #cache: Client<Answer>;
  readonly #form;
  #isOpen = true;
  /** `query` as it was, of each client that was met. */
  readonly #queries = new WeakMap<PgClient, PgClient['query']>();

  constructor(given: PgPool | PgClient, options: WrapOptions) {
    // One that never connects knows what is in the options, the environment and a connection string.
    const sample = isPool(given) ? new given.Client({ ...given.options, connection: {} }) : given;
    const { host, port, database, user } = sample;
    const settings = JSON.stringify([user, sample.connectionParameters.options]);
    const types = isPool(given) && given.options.types ? 'types' : '';
    this.#form = formOf(() => sample);
    this.#cache = openClient<Answer>({
      options,
      adapter: 'pg',
      dialect: { name: 'postgres' },
      database,
      address: `${host}:${port}/${database}${settings}${types}`,
      driver: {
        ...answers,
        ask: async (client, sql) => (await this.#queryOf(client as PgClient).call(client, sql)).rows,
      },
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#cache.close();
  }

  pool(pool: PgPool): (() => void)[] {
    const { connect, query } = pool;
    const met = (error: unknown, client: PgClient | undefined) => {
      if (!error && client !== undefined && !this.#queries.has(client) && this.#isOpen) this.#meet(client);
      return client;
    };
    return [
      replace(pool, 'connect', (callback?: Connected) => {
        if (callback === undefined) return connect.call(pool).then((client: PgClient) => met(undefined, client));
        // Whoever gives a client back may be somebody else than who waits for it, in a load or transaction of his own.
        const back = AsyncResource.bind(callback);
        return connect.call(pool, (error, client, release) => back(error, met(error, client), release));
      }),
      replace(pool, 'query', (...args: unknown[]) => {
        const call = callOf(args);
        if (call === undefined || !this.#isOpen) return query.apply(pool, args);
        // The client that it takes must not look into the cache again.
        const send = () => query.call(pool, { ...call.config, cache: false });
        return answered(this.#read(call.config, send), call.callback);
      }),
      this.#end(pool),
    ];
  }

  client(client: PgClient): (() => void)[] {
    return [this.#meet(client), this.#end(client)];
  }

  #end(given: PgPool | PgClient): () => void {
    const { end } = given;
    return replace(given as PgClient, 'end', (callback?: Callback) => {
      const ended = Promise.resolve(end.call(given)).finally(() => this.close());
      return answered(ended, callback);
    });
  }

  #meet(client: PgClient): () => void {
    const { query } = client;
    this.#queries.set(client, query);
    const session = this.#cache.session(client);
    /** Of statements on their way. One may be a `BEGIN` that nobody awaited. */
    let running = 0;
    const restore = replace(client, 'query', (...args: any[]) => {
      if (!this.#isOpen && session.unit === undefined) {
        restore();
        this.#queries.delete(client);
        return client.query(...args);
      }
      if (typeof args[0]?.submit === 'function') return this.#submit(client, session, args);
      const call = callOf(args);
      if (call === undefined) return query.apply(client, args);
      const send = () => {
        running++;
        return this.#send(client, session, call.config).finally(() => running--);
      };
      const mayRead = running === 0 && session.unit === undefined && call.config.cache !== false;
      return answered(mayRead ? this.#read(call.config, send) : send(), call.callback);
    });
    return restore;
  }

  #queryOf(client: PgClient): PgClient['query'] {
    return this.#queries.get(client) ?? client.query;
  }

  #read(config: Config, send: () => Promise<any>): Promise<any> {
    const { text, values = [], cache, rowMode } = config;
    const isKnown = Object.entries(config).every(([name, value]) => value == null || readable.has(name));
    if (typeof text !== 'string' || !Array.isArray(values) || !isKnown) return send();
    // Rows of another shape are another answer.
    const sql = rowMode === 'array' ? `${text}\n/* rows as arrays */` : text;
    return this.#cache.read({ sql, params: values, per: cache as Per }, send, this.#form);
  }

  async #send(client: PgClient, session: Session<Answer>, { cache: _, ...config }: Config): Promise<any> {
    const { name, values } = config;
    const text = config.text ?? preparedText(client, name as string);
    const query = this.#queryOf(client);
    const { result } = await session.run(text, Array.isArray(values) ? values : [], async (sql) => {
      // A prepared statement has one text for ever.
      const isOther = sql !== text && name !== undefined;
      return { result: await query.call(client, sql === text || isOther ? config : { ...config, text: sql }), isOther };
    });
    this.#bind(client, session);
    return result;
  }

  /** Rows, or data, go by at the caller's speed; what comes behind is that they have ended. */
  #submit(client: PgClient, session: Session<Answer>, [given, second, third]: any[]): unknown {
    const query: Submittable = given;
    const callback = third || second;
    if (!query.callback && typeof callback === 'function') query.callback = callback;
    const text = query.text ?? query.cursor?.text;
    const values = query.values ?? query.cursor?.values;
    const { handleReadyForQuery, handleError } = query;
    const after = (fn: () => unknown) => void ended.then(fn, fn);
    let isTold = false;
    let running: Promise<Answer> | undefined;
    const ended = session.run(
      typeof text === 'string' ? text : unknown,
      Array.isArray(values) ? values : [],
      () =>
        (running ??= new Promise((resolve, reject) => {
          query.handleReadyForQuery = (connection) => {
            isTold = true;
            resolve({ result: {}, isOther: true });
            after(() => handleReadyForQuery.call(query, connection));
          };
          query.handleError = (error, connection) => {
            isTold = true;
            reject(error);
            after(() => handleError.call(query, error, connection));
          };
          this.#queryOf(client).call(client, query);
        })),
    );
    after(() => this.#bind(client, session));
    // A cursor that is closed hears of it from the connection.
    const cursor = query.cursor ?? query;
    const { close } = cursor;
    if (close !== undefined)
      cursor.close = (callback) => {
        const closed = new Promise((resolve, reject) => {
          close.call(cursor, (error) => {
            const settle = error ? () => reject(error) : () => resolve(undefined);
            if (isTold) after(settle);
            else settle();
          });
        });
        return answered(closed, callback);
      };
    return query;
  }

  #bind(client: PgClient, session: Session<Answer>): void {
    if (session.unit !== undefined) this.#cache.bind(client, session);
  }
}

/** Of a query config. Others change what rows look like, or how long the caller is going to wait. */
const readable = new Set(['text', 'values', 'name', 'rowMode', 'queryMode', 'cache']);

/** A statement that may do anything. */
const unknown = 'do query_of_unknown_text';

function preparedText({ connection }: PgClient, name: string): string {
  return connection?.parsedStatements?.[name] ?? connection?.submittedNamedStatements?.[name] ?? unknown;
}
