import { sql } from 'drizzle-orm';
import { drizzle as onMysql } from 'drizzle-orm/mysql2';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { expectTypeOf, test } from 'vitest';
import { cached, unwrap, withCache } from '../../adapters/drizzle/index.js';
import { createCache } from '../../src/index.js';

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
