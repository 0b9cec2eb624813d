import type { Transform } from 'node:stream';
import {
  type Client,
  clientIn,
  type Driver,
  expected,
  openClient,
  type WrapOptions,
  type Wrapping,
} from '../../src/adapter/index.js';
import { databaseOf } from './database.js';
import type { Builder, KnexClient, Query, Runner } from './internals.js';
import { isRead, readThrough, withCacheMethod } from './reads.js';
import { type Responses, responsesOf } from './responses.js';

type ClientClass = new (config?: any) => KnexClient;
type BuilderClass = new (client: KnexClient) => Builder;
type Handle = { readonly client: KnexClient; readonly executionPromise: Promise<unknown> };

/**
 * Makes a client one of a class that is derived from its own. So nothing but this client changes, and the clients of
 * its transactions, which Knex makes from its prototype, are wrapped with it.
 *
 * @throws TypeError
 */
export function wrapClient(client: KnexClient, options: WrapOptions): Wrapping {
  for (const method of ['query', 'stream', 'runner', 'transaction'])
    if (Object.hasOwn(client, method))
      throw expected('knex', `an instance of which nobody has replaced client.${method}: wrap it first`, client);
  const Original = client.constructor as ClientClass;
  const place = () => databaseOf(client, options.database);
  const responses = responsesOf(client, place().dialect.name);
  const ask = askOf(client, responses);
  const driver: Driver<Query> = {
    ...responses,
    ask,
    async borrow(fn) {
      const connection = await client.acquireConnection();
      try {
        return await fn((sql) => ask(connection, sql));
      } finally {
        await client.releaseConnection(connection);
      }
    },
  };
  const open = () => openClient<Query>({ options, adapter: 'knex', ...place(), driver });
  let cache = open();
  let isOpen = true;
  let BuilderWithCache: BuilderClass | undefined;
  let RawWithCache: BuilderClass | undefined;
  /** The connections of transactions, which their clients keep to themselves. */
  const connections = new WeakMap<KnexClient, object>();

  class Cached extends Original {
    get [clientIn](): Client<Query> {
      return cache;
    }

    override query(connection: object, given: Query | string): Promise<Query> {
      const query = typeof given === 'string' ? { sql: given } : given;
      if (this.transacting) connections.set(this, connection);
      if (!query.sql) return super.query(connection, query);
      const asked = query.sql;
      const sql = this.positionBindings(asked);
      return cache.session(connection).run(sql, this.prepBindings(query.bindings) ?? [], (text) => {
        // Knex is going to make parameters of question marks, which those that are left are not.
        query.sql = text === sql ? asked : text.replaceAll('?', '\\?');
        return super.query(connection, query);
      });
    }

    override async stream(connection: object, query: Query, stream: Transform, options: unknown): Promise<unknown> {
      const params = this.prepBindings(query.bindings) ?? [];
      const opening = cache.session(connection).open(this.positionBindings(query.sql), params);
      // What is refused before it is sent Knex does not tell the stream either.
      opening.catch((error) => stream.emit('error', error));
      const statement = await opening;
      const giveUp = () => statement.end(new Error('The stream was closed before its end.'));
      if (stream.destroyed) return giveUp();
      // Whoever reads the stream sees its end when what the statement wrote is invalidated.
      stream._flush = (done) => void statement.end().then(() => done(), done);
      stream.once('close', () => giveUp().catch(() => {}));
      let isSent = false;
      try {
        const streamed = super.stream(connection, query, stream, options);
        isSent = true;
        return await streamed;
      } catch (error) {
        await statement.end(error);
        // What is thrown at once Knex tells the stream itself, but it is too late for that.
        if (!isSent) stream.emit('error', error);
        throw error;
      }
    }

    override runner(builder: Builder): Runner {
      const runner = super.runner(builder);
      return isOpen && !this.transacting && isRead(builder) ? readThrough(runner, cache, responses) : runner;
    }

    override transaction(container: (trx: Handle) => any, config: unknown, outer: unknown) {
      const inside = (trx: Handle) => {
        // Its client has sent BEGIN, or SAVEPOINT.
        const session = cache.session(connections.get(trx.client) as object);
        cache.bind(trx, session);
        let returned: any;
        const all = cache.within(session, async () => {
          try {
            returned = container(trx);
          } catch (error) {
            returned = Promise.reject(error);
          }
          // Knex commits when it gets a promise. Otherwise somebody does so by the handle.
          return returned?.then ? returned : trx.executionPromise.catch(() => {});
        });
        return returned?.then ? all : void all;
      };
      return super.transaction(inside, config, outer);
    }

    override queryBuilder(): any {
      BuilderWithCache ??= withCacheMethod(super.queryBuilder().constructor as BuilderClass);
      return new BuilderWithCache(this);
    }

    override raw(...args: unknown[]): Builder {
      RawWithCache ??= withCacheMethod(super.raw('').constructor as BuilderClass);
      return new RawWithCache(this).set(...args);
    }

    override initializePool(config?: object): void {
      super.initializePool(config);
      if (!isOpen) cache = open();
      isOpen = true;
    }

    override async destroy(callback: unknown): Promise<void> {
      if (!this.transacting) {
        isOpen = false;
        await cache.rest();
      }
      try {
        await super.destroy(callback);
      } finally {
        if (!isOpen) cache.close();
      }
    }
  }

  Object.setPrototypeOf(client, Cached.prototype);
  const unwrap = () => {
    Object.setPrototypeOf(client, Original.prototype);
    isOpen = false;
    cache.close();
  };
  return { unwrap };
}

/** For queries of the kit itself: no event shows them, and whatever the connection is set to, their rows are objects. */
function askOf(client: KnexClient, responses: Responses): Driver<Query>['ask'] {
  const { _query } = client;
  const options = { nestTables: false, rowsAsArray: false, typeCast: true, safeIntegers: false };
  return async (connection, sql) =>
    responses.rowsOf(await _query.call(client, connection, { sql, bindings: [], options })) ?? [];
}
