import { AsyncResource } from 'node:async_hooks';
import {
  answersOf,
  type Client,
  clientIn,
  type Driver,
  openClient,
  type Per,
  placeOf,
  replace,
  type Session,
  type WrapOptions,
  type Wrapping,
} from '../../src/adapter/index.js';
import {
  answered,
  type Callback,
  type Config,
  type Connected,
  callOf,
  type PgClient,
  type PgPool,
  type Submittable,
} from './internals.js';

/** A pool, or a client that belongs to none. @throws TypeError for wrong options */
export function wrap(given: PgPool | PgClient, options: WrapOptions): Wrapping {
  const wrapped = new Wrapped(given, options);
  const restore = isPool(given) ? wrapped.pool(given) : wrapped.client(given);
  Object.defineProperty(given, clientIn, { value: wrapped.cache, configurable: true });
  const unwrap = () => {
    wrapped.close();
    delete (given as { [clientIn]?: unknown })[clientIn];
    for (const one of restore) one();
  };
  return { unwrap };
}

export function isPool(given: object): given is PgPool {
  return 'Client' in given && 'totalCount' in given;
}

/** One database as a pool and its clients see it, or one client alone. */
class Wrapped {
  readonly cache: Client<any>;
  readonly #answers;
  #isOpen = true;
  /** `query` as it was, of each client that was met. */
  readonly #queries = new WeakMap<PgClient, PgClient['query']>();

  constructor(given: PgPool | PgClient, options: WrapOptions) {
    // One that never connects knows what is in the options, the environment and a connection string.
    const sample = isPool(given) ? new given.Client({ ...given.options, connection: {} }) : given;
    const { host, port, database, user, connectionParameters } = sample;
    const types = isPool(given) ? given.options.types : undefined;
    const settings = { host, port, database, user, options: connectionParameters.options, types };
    this.#answers = answersOf('postgres', () => sample);
    const ask = async (client: object, sql: string) =>
      (await this.#queryOf(client as PgClient).call(client, { text: sql, rowMode: undefined })).rows;
    const borrow = isPool(given) ? borrowOf(given, ask) : undefined;
    this.cache = openClient({
      options,
      adapter: 'pg',
      ...placeOf('postgres', settings, options.database, 'this pool'),
      driver: { ...this.#answers, ask, borrow },
    });
  }

  close(): void {
    this.#isOpen = false;
    this.cache.close();
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
        const send = () => {
          const statement: Told[typeof told] = {};
          // A connection that breaks is told to the pool before its statement, which has more to say of it.
          return query.call(pool, { ...call.config, cache: false, [told]: statement }).catch(async (error: unknown) => {
            await statement.ended;
            throw error;
          });
        };
        return answered(this.#read(call.config, send, {}), call.callback);
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
      const finish = async () => end.call(given);
      const resting = this.cache.rest();
      const ended = (resting?.then(finish) ?? finish()).finally(() => this.close());
      return answered(ended, callback);
    });
  }

  #meet(client: PgClient): () => void {
    // One that was wrapped before finds out that it is over when it is asked the next time, which is now.
    (client.query as Partial<Left>)[leave]?.();
    const { query } = client;
    this.#queries.set(client, query);
    const session = this.cache.session(client);
    const left = (): boolean => {
      if (this.#isOpen || session.unit !== undefined) return false;
      restore();
      this.#queries.delete(client);
      return true;
    };
    const seen = (...args: any[]) => {
      if (left()) return query.apply(client, args);
      if (typeof args[0]?.submit === 'function') return this.#submit(client, session, args);
      const call = callOf(args);
      if (call === undefined) return query.apply(client, args);
      const send = () => this.#send(client, session, call.config);
      const mayRead = session.isIdle && call.config.cache !== false;
      return answered(mayRead ? this.#read(call.config, send, { again: false }) : send(), call.callback);
    };
    const restore = replace(client, 'query', Object.assign(seen, { [leave]: left }));
    return restore;
  }

  #queryOf(client: PgClient): PgClient['query'] {
    return this.#queries.get(client) ?? client.query;
  }

  #read(config: Config, send: () => Promise<any>, how: { again?: false }): Promise<any> {
    const { text, values = [], cache, rowMode } = config;
    const isKnown = Object.entries(config).every(([name, value]) => value == null || readable.has(name));
    if (typeof text !== 'string' || !Array.isArray(values) || !isKnown) return send();
    const statement = { sql: text, params: values, per: cache as Per, shape: rowMode, ...how };
    return this.cache.read(statement, send, this.#answers);
  }

  #send(client: PgClient, session: Session<any>, given: Config & Partial<Told>): Promise<any> {
    const { cache: _, [told]: statement = {}, ...config } = given;
    const { name, values } = config;
    const text = config.text ?? preparedText(client, name as string);
    const send = (sql: string) => this.#queryOf(client).call(client, sql === text ? config : { ...config, text: sql });
    // A prepared statement has one text for ever.
    statement.ended = session.run(text, Array.isArray(values) ? values : [], send, name === undefined);
    return statement.ended;
  }

  /** Rows, or data, go by at the caller's speed; what comes behind is that they have ended. */
  #submit(client: PgClient, session: Session<any>, [given, second, third]: any[]): unknown {
    const query: Submittable = given;
    const callback = third || second;
    if (!query.callback && typeof callback === 'function') query.callback = callback;
    const text = query.text ?? query.cursor?.text;
    const values = query.values ?? query.cursor?.values;
    const { handleReadyForQuery, handleError } = query;
    const after = (fn: () => unknown) => void ended.then(fn, fn);
    let isTold = false;
    const send = () =>
      new Promise((resolve, reject) => {
        query.handleReadyForQuery = (connection) => {
          isTold = true;
          resolve({});
          after(() => handleReadyForQuery.call(query, connection));
        };
        query.handleError = (error, connection) => {
          isTold = true;
          reject(error);
          after(() => handleError.call(query, error, connection));
        };
        this.#queryOf(client).call(client, query);
      });
    const sql = typeof text === 'string' ? text : unknown;
    const ended = session.run(sql, Array.isArray(values) ? values : [], send, false);
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
}

/** A client of the pool, as the pool gives them by itself. */
function borrowOf(pool: PgPool, ask: Driver<any>['ask']): Driver<any>['borrow'] {
  const { connect } = pool;
  return async (fn) => {
    const client = await connect.call(pool);
    // One that breaks tells its statement, and everybody else who listens; the pool takes it back and drops it.
    client.on('error', ignored);
    try {
      return await fn((sql) => ask(client, sql));
    } finally {
      client.off('error', ignored);
      client.release();
    }
  };
}
const ignored = () => {};

/** How a client's `query` goes when its pool was unwrapped, unless a transaction is open; known to both copies of the package. */
const leave: unique symbol = Symbol.for('unstale.pg.leave') as never;
type Left = Record<typeof leave, () => boolean>;

/** Of a config that goes by way of a pool: how its statement has ended, for whoever gave it to the pool. */
const told = Symbol('told');
type Told = Record<typeof told, { ended?: Promise<unknown> }>;

/** Of a query config. Others change what rows look like, or how long the caller is going to wait. */
const readable = new Set(['text', 'values', 'name', 'rowMode', 'queryMode', 'cache']);

/** A statement that may do anything. */
const unknown = 'do query_of_unknown_text';

function preparedText({ connection }: PgClient, name: string): string {
  return connection?.parsedStatements?.[name] ?? connection?.submittedNamedStatements?.[name] ?? unknown;
}
