import type { CompiledQuery, Kysely } from 'kysely';
import {
  type BatchByOptions,
  type ById,
  expected,
  batchBy as inBatches,
  type RowsBy,
} from '../../src/adapter/index.js';
import { type LazyConnection, seenBy } from './connection.js';

/** A query, as far as its type is needed. */
export interface Query<Row> {
  compile(): CompiledQuery<Row>;
  execute(): Promise<Row[]>;
}

/** What a query gives, one of them. */
export type RowOf<Q extends (ids: any[]) => Query<any>> = ReturnType<Q> extends Query<infer Row> ? Row : never;
type ColumnOf<Q extends (ids: any[]) => Query<any>> = keyof RowOf<Q> & string;

/**
 * The rows of a query by a column: all values that are asked for in one tick are one query, and each value's rows are an
 * entry of their own. What the query asks for must not count the rows of all values together, by a LIMIT say. Of a
 * transaction nothing is served and stored, and it is one query all the same.
 *
 * @param query - makes the query for these values; it must be the same for all but for them
 * @throws TypeError for what is no function; when it is called, for an instance whose dialect was not wrapped
 * @example
 * ```ts
 * import type { Kysely } from 'kysely';
 * import { batchBy } from 'unstale/kysely';
 *
 * const lists = (kysely: Kysely<{ responses: Reply }>) => {
 *   const query = (ids: any[]) => kysely.selectFrom('responses').selectAll().where('post_id', 'in', ids);
 *   const responses = batchBy(kysely, query, 'post_id');
 *   return Promise.all(posts.map((post) => responses(post.id)));
 * };
 * ```
 */
export function batchBy<
  Q extends (ids: any[]) => Query<any>,
  const Column extends ColumnOf<Q>,
  const O extends BatchByOptions = object,
>(db: Kysely<any>, query: Q, column: Column, options?: O): ById<NonNullable<RowOf<Q>[Column]>, RowsBy<RowOf<Q>, O>> {
  if (typeof query !== 'function') throw expected('query', 'a function from values to a query', query);
  // An instance keeps its driver to itself, and shows connections of it, later.
  const make = async () => {
    const client = await db
      .getExecutor()
      .provideConnection(async (it) => (it as Partial<LazyConnection>)[seenBy]?.cache);
    const { sql, parameters: params } = query([null]).compile();
    const past = db.isTransaction ? 'inside a transaction' : undefined;
    const load = (ids: readonly unknown[]) => query([...ids]).execute();
    return inBatches({ client, of: 'db', sql, params, column, past, load }, options);
  };
  let made: ReturnType<typeof make> | undefined;
  return async (id) => {
    made ??= make();
    return (await made)(id);
  };
}
