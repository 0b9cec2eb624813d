import type { Knex } from 'knex';
import {
  type BatchByOptions,
  type ById,
  type Client,
  clientIn,
  expected,
  batchBy as inBatches,
  type RowsBy,
} from '../../src/adapter/index.js';
import type { Builder, KnexClient } from './internals.js';

/** What a query builder gives, one of them. */
export type RowOf<Q> = Awaited<Q> extends readonly (infer Row)[] ? Row : never;
/** Values of a column, as far as the rows are typed. */
export type IdOf<Row, Column> = Column extends keyof Row ? NonNullable<Row[Column]> : any;
type ColumnOf<Row> = (keyof Row & string) | (string & {});

/**
 * The rows of a query by a column: all values that are asked for in one tick are one query, `where column in (…)`, and
 * each value's rows are an entry of their own. The query itself stays as it is. Of a transaction's builder nothing is
 * served and stored, and it is one query all the same.
 *
 * @throws TypeError for what is no SELECT of a wrapped instance, and for one with a LIMIT, which counts the rows of all
 * @example
 * ```ts
 * import { batchBy } from 'unstale/knex';
 *
 * const responses = batchBy(knex('responses').select('id', 'post_id', 'text'), 'post_id');
 * const lists = await Promise.all(posts.map((post) => responses(post.id)));
 * ```
 */
export function batchBy<
  Q extends Knex.QueryBuilder<any, any>,
  const Column extends ColumnOf<RowOf<Q>>,
  const O extends BatchByOptions = object,
>(query: Q, column: Column, options?: O): ById<IdOf<RowOf<Q>, Column>, RowsBy<RowOf<Q>, O>> {
  const { client, _method = 'select', _single: single } = (query ?? {}) as unknown as Builder & { client?: OwnClient };
  if (typeof query?.clone !== 'function' || _method !== 'select')
    throw expected('query', 'a query builder of Knex that selects', query);
  const { limit, offset } = (single ?? {}) as { limit?: unknown; offset?: unknown };
  if (limit !== undefined || offset !== undefined)
    throw new TypeError('Expected `query` to be without a limit, which would count the rows of all values together.');
  const base = query.clone();
  const { sql, bindings = [] } = base.toSQL();
  return inBatches(
    {
      client: client?.[clientIn],
      of: 'query',
      sql,
      params: bindings,
      column,
      past: client?.transacting ? 'inside a transaction' : undefined,
      load: (ids) => base.clone().whereIn(column as string, ids as readonly any[]),
    },
    options,
  );
}

type OwnClient = KnexClient & { readonly [clientIn]?: Client<any> };
