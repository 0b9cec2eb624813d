/**
 * The cache for Knex: reads of its builders from the cache, invalidation by every statement that it sends.
 *
 * @packageDocumentation
 */
import type { Knex } from 'knex';
import { expected, type Per, unwrapOnce, type WrapOptions, wrapOnce } from '../../src/adapter/index.js';
import { wrapClient } from './client.js';
import type { KnexClient } from './internals.js';

export {
  type BatchByOptions,
  type ById,
  cached,
  type Per,
  type PerOptions,
  type TableRule,
  type WrapOptions,
} from '../../src/adapter/index.js';

export { batchBy, type IdOf, type RowOf } from './batch-by.js';

declare module 'knex' {
  namespace Knex {
    interface QueryBuilder<TRecord extends {} = any, TResult = any> {
      /**
       * What this query reads may come from the cache, for so long; `false`: never. Left out: for the `ttl` of the
       * cache. Only of an instance that was wrapped by `withCache`; writes and queries of a transaction ignore it.
       */
      cache(per?: Per): this;
    }
    interface Raw<TResult = any> {
      /** As of a query builder: `knex.raw('select …').cache('1m')`. */
      cache(per?: Per): this;
    }
  }
}

/**
 * Wraps an instance of Knex: every statement that it sends is seen, of its transactions too. Writes end what they
 * change in the cache when they are committed, and loads of the cache depend on what they read. Queries that are marked
 * with `.cache('1m')`, that run inside of `cached('1m', fn)`, or for which the options say so, come from the cache.
 *
 * The instance itself is changed, and given back; another instance of the same database is not seen.
 *
 * @throws TypeError for what is not an instance of Knex, for a database that cannot be read, for wrong options, and
 * for an instance that is wrapped with other options already
 * @example
 * ```ts
 * import Knex from 'knex';
 * import { createCache } from 'unstale';
 * import { withCache } from 'unstale/knex';
 *
 * const knex = withCache(Knex({ client: 'pg', connection: 'postgres://localhost/app' }), { cache: createCache() });
 * const user = await knex('users').where({ id: 7 }).first().cache('1m');
 * ```
 */
export function withCache<K extends Knex<any, any>>(knex: K, options: WrapOptions): K {
  const client = clientOf(knex);
  wrapOnce('knex', client, options, () => wrapClient(client, options));
  return knex;
}

/**
 * Gives a wrapped instance its own ways back. Transactions that are open end as wrapped ones.
 *
 * @throws TypeError for what is not an instance of Knex that was wrapped
 */
export function unwrap<K extends Knex<any, any>>(knex: K): K {
  unwrapOnce('knex', clientOf(knex), 'knex');
  return knex;
}

const methods = ['query', 'stream', 'runner', 'transaction', 'positionBindings'];

function clientOf(knex: any): KnexClient {
  const client = typeof knex === 'function' ? knex.client : undefined;
  if (client && knex.isTransaction) throw expected('knex', 'an instance of Knex, not one of its transactions', knex);
  if (methods.every((name) => typeof client?.[name] === 'function')) return client;
  throw expected('knex', 'an instance of Knex: Knex({ client, connection })', knex);
}
