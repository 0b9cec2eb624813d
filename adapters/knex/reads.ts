import type { Client, Per } from '../../src/adapter/index.js';
import type { Builder, KnexClient, Query, Runner, RunnerBuilder, RunnerClass } from './internals.js';
import type { Responses } from './responses.js';

/** A builder whose `.cache(per)` says how long what it reads may come from the cache; a clone of it says the same. */
export function withCacheMethod(Original: new (client: KnexClient) => Builder): new (client: KnexClient) => Builder {
  return class extends Original {
    cache(per: unknown = {}): this {
      if (this._single === undefined) this._cacheFor = per;
      else this._single.cacheFor = per;
      return this;
    }
  };
}

const wishOf = (builder: Builder) => (builder._single ?? { cacheFor: builder._cacheFor }).cacheFor;

/** Whether awaiting a builder may be a read. What a raw one does shows in its text. */
export function isRead({ isRawInstance, _method }: Builder): boolean {
  return isRawInstance === true || _method === 'select' || _method === 'first' || _method === 'pluck';
}

/**
 * Lets a runner ask the cache before it takes a connection. Knex compiles a builder when it has one; here that comes
 * first, after `start`, whose listeners may still change the builder.
 */
export function readThrough(runner: Runner, cache: Client<Query>, responses: Responses): Runner {
  const connect = runner.ensureConnection;
  runner.ensureConnection = async (fn, streamed) => {
    const { client, builder } = runner;
    const per = wishOf(builder) as Per;
    // A stream, or a connection that the caller holds.
    if (streamed !== undefined || builder._connection !== undefined || !cache.isWanted(per))
      return connect.call(runner, fn, streamed);
    client.emit('start', builder);
    builder.emit('start', builder);
    const query = builder.toSQL();
    if (builder._debug) client.logger.debug?.(query);
    if (Array.isArray(query)) return connect.call(runner, () => runner.queryArray(query));
    // Options of the driver change what rows look like. Who joins another's load would wait by the other's time-out.
    if (query.timeout || Object.keys(query.options ?? {}).length > 0)
      return connect.call(runner, () => runner.query(query));

    let own: { query: Query; runner: Runner } | undefined;
    const send = async (sent: Query, by: Runner) => {
      await connect.call(by, (it) => it.query(sent));
      return sent;
    };
    const load = async () => {
      own = { query: { ...query }, runner: rawRunner(runner) };
      return send(own.query, own.runner);
    };
    const again = () => send({ ...query }, rawRunner(runner));
    const params = client.prepBindings(query.bindings) ?? [];
    const statement = { sql: client.positionBindings(query.sql), params, per, again };
    const { response } = await cache.read(statement, load, responses);
    return answer(runner, { ...(own?.query ?? query), response }, own?.runner.connection);
  };
  return runner;
}

/**
 * Another runner for the same, answering with what the driver said: the rest is done with what the cache answers, so a
 * hit and a miss are the same.
 */
function rawRunner({ client, builder, constructor }: Runner): Runner {
  return new (constructor as RunnerClass)(rawClientOf(client), new Quiet(builder));
}

/** Objects that become prototypes are slow to make, so there is one for each client, and none for a builder. */
const rawClients = new WeakMap<KnexClient, KnexClient>();

function rawClientOf(client: KnexClient): KnexClient {
  let raw = rawClients.get(client);
  if (raw === undefined) {
    const asItIs = (query: Query) => query;
    const emit: Builder['emit'] = (event, ...args) => event !== 'query-response' && client.emit(event, ...args);
    raw = Object.assign(Object.create(client), { emit, processResponse: asItIs, postProcessResponse: asItIs });
    rawClients.set(client, raw as KnexClient);
  }
  return raw as KnexClient;
}

/** What a runner needs of its builder, without the event that is still to come. */
class Quiet implements RunnerBuilder {
  readonly #builder: Builder;

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  get sql(): unknown {
    return this.#builder.sql;
  }

  get bindings(): unknown {
    return this.#builder.bindings;
  }

  emit(event: string, ...args: unknown[]): boolean {
    return event !== 'query-response' && this.#builder.emit(event, ...args);
  }

  queryContext(): unknown {
    return this.#builder.queryContext();
  }
}

/** What Knex does with a response. A hit has no `query`, and so no `query-response` either. */
function answer(runner: Runner, query: Query, by: Runner['connection']): unknown {
  const { client, builder } = runner;
  const result = client.postProcessResponse(client.processResponse(query, runner), builder.queryContext());
  if (by === undefined) return result;
  const sent = { __knexUid: by.__knexUid, __knexTxId: by.__knexTxId, ...query };
  for (const emitter of [builder, client]) emitter.emit('query-response', result, sent, builder);
  return result;
}
