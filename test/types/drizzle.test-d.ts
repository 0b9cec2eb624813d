import { sql } from 'drizzle-orm';
import { drizzle as onMysql } from 'drizzle-orm/mysql2';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { createCache } from 'unstale';
import { cached, unwrap, withCache } from 'unstale/drizzle';
import { expectTypeOf, test } from 'vitest';

const cache = createCache();
const users = pgTable('users', { id: integer().primaryKey(), name: text() });
const bare = drizzle('postgres://localhost/app', { schema: { users } });
const db = withCache(bare, { cache });

test('a wrapped database has the type of the bare one, and so have its answers', () => {
  expectTypeOf(db).toEqualTypeOf(bare);
  expectTypeOf(unwrap(db)).toEqualTypeOf(bare);
  const mysql = onMysql('mysql://localhost/app');
  expectTypeOf(withCache(mysql, { cache })).toEqualTypeOf(mysql);
  const one: NodePgDatabase<{ users: typeof users }> = db;
  expectTypeOf(
    one
      .select()
      .from(users)
      .$withCache({ config: { ex: 60 } }),
  ).resolves.toEqualTypeOf<{ id: number; name: string | null }[]>();
  expectTypeOf(cached('1m', () => db.query.users.findFirst({ columns: { id: true } }))).resolves.toEqualTypeOf<
    { id: number } | undefined
  >();
  expectTypeOf(cached('1m', () => db.$count(users))).resolves.toEqualTypeOf<number>();
  expectTypeOf(db.execute<{ n: number }>(sql`select 1 n`)).resolves.toHaveProperty('rows');
});

test('wrong options do not compile', () => {
  // @ts-expect-error no cache
  withCache(bare, {});
  // @ts-expect-error no database
  withCache({}, { cache });
  // @ts-expect-error no such rule
  withCache(bare, { cache, tables: { users: { lifetime: '1m' } } });
  // @ts-expect-error no duration
  void cached('soon', () => db.select().from(users));
  const select = db.select().from(users);
  // @ts-expect-error Drizzle counts seconds
  select.$withCache({ config: { ex: '1m' } });
});

test('results equal those of the bare database', async () => {
  const select = (of: typeof bare) => of.select({ id: users.id }).from(users);
  expectTypeOf(await select(db)).toEqualTypeOf(await select(bare));
  expectTypeOf(await cached('1m', () => select(db))).toEqualTypeOf(await select(bare));
  expectTypeOf(await select(db).$withCache({ config: { ex: 60 } })).toEqualTypeOf(await select(bare));
  const find = (of: typeof bare) => of.query.users.findMany({ columns: { name: true } });
  expectTypeOf(await cached({ ttl: '1m', swr: '5m' }, () => find(db))).toEqualTypeOf(await find(bare));
  const insert = (of: typeof bare) => of.insert(users).values({ id: 7 }).returning({ id: users.id });
  expectTypeOf(await insert(db)).toEqualTypeOf(await insert(bare));
  expectTypeOf(db.transaction((trx) => trx.$count(users))).toEqualTypeOf(bare.transaction((trx) => trx.$count(users)));
});

test('rules and durations are checked', () => {
  // @ts-expect-error no duration
  withCache(bare, { cache, default: 'soon' });
  // @ts-expect-error no such rule
  withCache(bare, { cache, tables: { users: { lifetime: '1m' } } });
  // @ts-expect-error no duration
  withCache(bare, { cache, tables: { users: { ttl: 'soon' } } });
  // @ts-expect-error the name of a column
  withCache(bare, { cache, tenant: 7 });
  // @ts-expect-error no cache
  withCache(bare, { cache: {} });
  // @ts-expect-error no duration
  void cached('soon', async () => 1);
  // @ts-expect-error a query says itself what it depends on
  void cached({ ttl: '1m', tags: ['users'] }, async () => 1);
});
