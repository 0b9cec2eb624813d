import type { InferSelectModel } from 'drizzle-orm';
import { inArray } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import type { Knex } from 'knex';
import type { Kysely } from 'kysely';
import type { Pool as MysqlPool } from 'mysql2/promise';
import type { Pool } from 'pg';
import { type Batch, createCache, type Receipt } from 'unstale';
import * as forDrizzle from 'unstale/drizzle';
import * as forKnex from 'unstale/knex';
import * as forKysely from 'unstale/kysely';
import * as forMysql2 from 'unstale/mysql2';
import * as forPg from 'unstale/pg';
import { expectTypeOf, test } from 'vitest';

interface Response {
  id: number;
  post_id: number | null;
  text: string;
}
interface User {
  id: string;
  name: string;
}
const cache = createCache<'a' | 'b'>();
declare const db: {
  users(ids: readonly string[]): Promise<User[]>;
  responses(ids: readonly number[]): Promise<Response[]>;
  names(ids: readonly number[]): Promise<(string | Error)[]>;
  map(ids: readonly number[]): Promise<Map<number, string>>;
};

test('a list or a map gives what is in it, an Error in it is none', () => {
  expectTypeOf(cache.batch({ name: 'u', load: db.users })).toEqualTypeOf<Batch<string, User>>();
  expectTypeOf(cache.batch({ name: 'n', load: db.names })).toEqualTypeOf<Batch<number, string>>();
  expectTypeOf(cache.batch({ name: 'm', load: db.map })).toEqualTypeOf<Batch<number, string>>();
  const inline = cache.batch({ name: 'i', load: async (ids: readonly number[]) => ids.map((id) => ({ id })) });
  expectTypeOf(inline).toEqualTypeOf<Batch<number, { id: number }>>();
  expectTypeOf(inline.load(1)).resolves.toEqualTypeOf<{ id: number }>();
  expectTypeOf(inline.loadMany([1])).resolves.toEqualTypeOf<{ id: number }[]>();
  expectTypeOf(inline.invalidate(1)).resolves.toEqualTypeOf<Receipt>();
});

test('rows by a column are a row or null, or a list', () => {
  const options = { name: 'r', load: db.responses, by: 'post_id' } as const;
  expectTypeOf(cache.batch(options)).toEqualTypeOf<Batch<number, Response | null>>();
  expectTypeOf(cache.batch({ ...options, many: false })).toEqualTypeOf<Batch<number, Response | null>>();
  expectTypeOf(cache.batch({ ...options, many: true })).toEqualTypeOf<Batch<number, Response[]>>();
});

test('options', () => {
  cache.batch({
    name: 'o',
    load: db.users,
    key: (id) => ['user', id],
    tags: () => ['a'],
    ttl: '1m',
    swr: '1h',
    maxBatch: 100,
    apart: true,
  });
  // @ts-expect-error no such tag
  cache.batch({ name: 'o', load: db.users, tags: () => ['c'] });
  // @ts-expect-error no such column
  cache.batch({ name: 'o', load: db.users, by: 'email' });
  // @ts-expect-error lists need a column
  cache.batch({ name: 'o', load: db.users, many: true });
  // @ts-expect-error no name
  cache.batch({ load: db.users });
  // @ts-expect-error an input has the type that the load takes
  void cache.batch({ name: 'o', load: db.users }).load(7);
});

test('batchBy knows the rows of a builder, and their column', async () => {
  const knex = {} as Knex;
  const rows = forKnex.batchBy(knex<Response>('responses'), 'post_id');
  expectTypeOf(rows).toEqualTypeOf<forKnex.ById<number, Response[]>>();
  const one = forKnex.batchBy(knex<User>('users').select('id'), 'id', { many: false });
  expectTypeOf(one).toEqualTypeOf<forKnex.ById<string, Pick<User, 'id'> | null>>();
  expectTypeOf(forKnex.batchBy(knex('responses'), 'r.post_id'))
    .parameter(0)
    .toBeAny();

  const kysely = {} as Kysely<{ responses: Response }>;
  const byKysely = forKysely.batchBy(
    kysely,
    (ids) => kysely.selectFrom('responses').selectAll().where('post_id', 'in', ids),
    'post_id',
  );
  expectTypeOf(byKysely).toEqualTypeOf<forKysely.ById<number, Response[]>>();
  // @ts-expect-error no such column
  forKysely.batchBy(kysely, (ids) => kysely.selectFrom('responses').select('id').where('id', 'in', ids), 'post_id');

  const table = pgTable('responses', { id: integer().notNull(), postId: integer('post_id'), text: text() });
  const drizzle = {} as NodePgDatabase;
  const query = (ids: any[]) => drizzle.select().from(table).where(inArray(table.postId, ids));
  const byDrizzle = forDrizzle.batchBy(drizzle, query, 'postId', { many: false, ttl: '1m' });
  expectTypeOf(byDrizzle).toEqualTypeOf<forDrizzle.ById<number, InferSelectModel<typeof table> | null>>();
  // @ts-expect-error no such column
  forDrizzle.batchBy(drizzle, query, 'post_id');

  const byPg = forPg.batchBy<Response>({} as Pool, (ids) => ({ text: 'select', values: [ids] }), 'post_id');
  expectTypeOf(byPg).toEqualTypeOf<forPg.ById<any, Response[]>>();
  const byMysql = forMysql2.batchBy<User>({} as MysqlPool, (ids) => ({ sql: '', values: [ids] }), 'id', {
    many: false,
  });
  expectTypeOf(byMysql).toEqualTypeOf<forMysql2.ById<any, User | null>>();
});
