import type { Knex } from 'knex';

/**
 * What this adapter touches of Knex's inside, where Knex's own types say `any` or nothing: the same in 3.0 to 3.3. Four
 * methods of its client see everything: `query` each statement, `BEGIN` and `COMMIT` too; `stream` those whose rows are
 * streamed; `runner` a builder that is awaited; `transaction` each transaction.
 */
export interface KnexClient extends Knex.Client {
  readonly connectionSettings: Settings;
  /** Of a transaction: it has a client of its own, made from the prototype of the one that began it. */
  readonly transacting?: boolean;
  _query(connection: object, query: Query): Promise<Query>;
  processResponse(query: Query, runner: Runner): unknown;
}

export type Settings = Readonly<Record<string, any>>;

/** A compiled statement. It gets its `response` when it has run. */
export interface Query {
  sql: string;
  readonly bindings?: readonly unknown[];
  readonly options?: object;
  readonly timeout?: number | false;
  response?: any;
}

/** What a runner uses of a builder that has no connection of its own. */
export interface RunnerBuilder {
  /** Only of raw ones; told with the error that no connection came. */
  readonly sql?: unknown;
  readonly bindings?: unknown;
  emit(event: string, ...args: unknown[]): boolean;
  queryContext(): unknown;
}

/** A query builder, or a raw one. */
export interface Builder extends RunnerBuilder {
  readonly isRawInstance?: boolean;
  readonly _method?: string;
  readonly _connection?: object;
  readonly _debug?: boolean;
  /** What a clone gets too. Raw builders have none, and cannot be cloned. */
  readonly _single?: { cacheFor?: unknown };
  _cacheFor?: unknown;
  set(...args: unknown[]): this;
  toSQL(): Query | Query[];
}

export interface Runner {
  readonly client: KnexClient;
  readonly builder: Builder;
  readonly connection?: { readonly __knexUid?: string; readonly __knexTxId?: string };
  ensureConnection(fn: (runner: Runner, params?: object) => unknown, params?: object): Promise<unknown>;
  query(query: Query): Promise<unknown>;
  queryArray(queries: readonly Query[]): Promise<unknown>;
}

export type RunnerClass = new (client: KnexClient, builder: RunnerBuilder) => Runner;
