import {
  type BatchByOptions,
  type ById,
  type Client,
  clientIn,
  expected,
  batchBy as inBatches,
  type RowsBy,
} from '../../src/adapter/index.js';
import { kindOf } from './internals.js';

/** A query, as far as its type is needed. */
export interface Query<Row> extends PromiseLike<Row[]> {
  toSQL(): { sql: string; params: unknown[] };
}

/** What a query gives, one of them. */
export type RowOf<Q extends (ids: any[]) => Query<any>> = ReturnType<Q> extends Query<infer Row> ? Row : never;
type ColumnOf<Q extends (ids: any[]) => Query<any>> = keyof RowOf<Q> & string;

/**
 * The rows of a query by a column: all values that are asked for in one tick are one query, and each value's rows are an
 * entry of their own. What the query asks for must not count the rows of all values together, by a LIMIT say.
 *
 * @param query - makes the query for these values; it must be the same for all but for them
 * @param column - what it is called in the rows
 * @throws TypeError for a database that was not wrapped, and for a transaction
 * @example
 * ```ts
 * import { inArray } from 'drizzle-orm';
 * import { drizzle } from 'drizzle-orm/node-postgres';
 * import { integer, pgTable } from 'drizzle-orm/pg-core';
 * import { batchBy, withCache } from 'unstale/drizzle';
 *
 * const responses = pgTable('responses', { postId: integer('post_id') });
 * const own = withCache(drizzle('postgres://localhost/app'), { cache });
 * const query = (ids: number[]) => own.select().from(responses).where(inArray(responses.postId, ids));
 * const responsesTo = batchBy(own, query, 'postId');
 * const lists = await Promise.all(posts.map((post) => responsesTo(post.id)));
 * ```
 */
export function batchBy<
  Q extends (ids: any[]) => Query<any>,
  const Column extends ColumnOf<Q>,
  const O extends BatchByOptions = object,
>(db: object, query: Q, column: Column, options?: O): ById<NonNullable<RowOf<Q>[Column]>, RowsBy<RowOf<Q>, O>> {
  if (typeof query !== 'function') throw expected('query', 'a function from values to a query', query);
  const session: { readonly [clientIn]?: Client<any> } | undefined = (db as any)?.session;
  // A transaction's session is another one, and the database that began it is not known there.
  if (kindOf(db)?.endsWith('Transaction')) throw expected('db', 'a database, not one of its transactions', db);
  const { sql, params } = query([null]).toSQL();
  return inBatches(
    { client: session?.[clientIn], of: 'db', sql, params, column, load: (ids) => query([...ids]) },
    options,
  );
}
