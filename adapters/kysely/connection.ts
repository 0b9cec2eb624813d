import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import type { Client, Form, Session } from '../../src/adapter/index.js';

export type Result = QueryResult<any>;

/** Where `within` finds the connection that a transaction of Kysely runs on: across both copies of the package. */
export const seenBy: unique symbol = Symbol.for('unstale.kysely') as never;

/**
 * What Kysely takes for a connection, before every query. The driver's own is taken when something is sent, so an answer
 * from the cache takes none.
 */
export class LazyConnection implements DatabaseConnection {
  readonly #driver: Driver;
  readonly #cache: Client<Result>;
  readonly #form: Form<Result>;
  #own: Promise<DatabaseConnection> | undefined;
  #session: Session<Result> | undefined;
  #isReleased = false;
  /** Loads that go on after their caller has gone: by a time-out, or to refresh. */
  readonly #running = new Set<Promise<unknown>>();

  constructor(driver: Driver, cache: Client<Result>, form: Form<Result>) {
    this.#driver = driver;
    this.#form = form;
    this.#cache = cache;
  }

  get [seenBy](): { cache: Client<Result>; session: Session<Result> | undefined } {
    return { cache: this.#cache, session: this.#session };
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const send = () => this.#use((connection, session) => sent(connection, session, query));
    if (this.#session?.unit !== undefined) return send();
    const { sql, parameters: params } = query;
    return this.#cache.read({ sql, params, again: () => this.#sendApart(query) }, send, this.#form);
  }

  /** On a connection of its own: the reader's may have begun a transaction by then. */
  async #sendApart(query: CompiledQuery): Promise<Result> {
    const apart = new LazyConnection(this.#driver, this.#cache, this.#form);
    try {
      return await apart.#use((connection, session) => sent(connection, session, query));
    } finally {
      await apart.release();
    }
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<R>> {
    const connection = await this.own();
    const statement = await this.#cache.session(connection).open(query.sql, query.parameters);
    try {
      yield* connection.streamQuery<R>(query, chunkSize);
      await statement.end();
    } catch (error) {
      await statement.end(error);
      throw error;
    } finally {
      await statement.end(new Error('The stream was given up before its end.'));
    }
  }

  /** Transaction control, which every driver does in its own way. */
  async control(sql: string, fn: (connection: DatabaseConnection) => Promise<void>): Promise<void> {
    await this.#use((connection, session) => session.run(sql, [], async () => fn(connection).then(() => none)));
  }

  own(): Promise<DatabaseConnection> {
    this.#own ??= this.#driver.acquireConnection().then((connection) => {
      this.#session = this.#cache.session(connection);
      return connection;
    });
    return this.#own;
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    if (this.#running.size === 0) await this.#giveBack();
  }

  async #use<T>(fn: (connection: DatabaseConnection, session: Session<Result>) => Promise<T>): Promise<T> {
    if (this.#isReleased && this.#running.size === 0) this.#own = undefined;
    const running = this.own().then((connection) => fn(connection, this.#cache.session(connection)));
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      if (this.#isReleased && this.#running.size === 0) await this.#giveBack();
    }
  }

  async #giveBack(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    this.#session = undefined;
    // One that could not be taken need not be given back.
    const connection = await own?.catch(() => undefined);
    if (connection !== undefined) await this.#driver.releaseConnection(connection);
  }
}

const none: Result = { rows: [] };

async function sent(connection: DatabaseConnection, session: Session<Result>, query: CompiledQuery): Promise<Result> {
  return session.run(query.sql, query.parameters, (sql) =>
    connection.executeQuery(sql === query.sql ? query : { ...query, sql }),
  );
}
