import { type Dialect, Kysely, type PostgresDialect } from 'kysely';
import { createCache } from 'unstale';
import { cached, unwrap, withCache, within } from 'unstale/kysely';
import { expectTypeOf, test } from 'vitest';

interface Tables {
  users: { id: number; name: string };
}
declare const given: PostgresDialect;
const cache = createCache();
const dialect = withCache(given, { cache, database: 'app' });
const db = new Kysely<Tables>({ dialect });

test('a wrapped dialect is one, and results stay what they were', () => {
  expectTypeOf(dialect).toEqualTypeOf<Dialect>();
  expectTypeOf(unwrap(dialect)).toEqualTypeOf<Dialect>();
  const users = () => db.selectFrom('users').select('name').execute();
  expectTypeOf(cached('1m', users)).resolves.toEqualTypeOf<{ name: string }[]>();
  void db.transaction().execute((trx) => {
    expectTypeOf(within(trx, () => 1)).resolves.toEqualTypeOf<number>();
    return within(trx, async () => {});
  });
});

test('wrong options do not compile', () => {
  // @ts-expect-error a dialect keeps its database to itself
  withCache(given, { cache });
  // @ts-expect-error no cache
  withCache(given, { database: 'app' });
  // @ts-expect-error no such option
  withCache(given, { cache, database: 'app', tabels: {} });
  // @ts-expect-error no dialect
  withCache(db, { cache, database: 'app' });
  // @ts-expect-error an instance is no transaction
  void within(db, () => 1);
});

test('results equal those of the bare dialect', () => {
  const bare = new Kysely<Tables>({ dialect: given });
  expectTypeOf(db).toEqualTypeOf(bare);
  const select = (of: Kysely<Tables>) => of.selectFrom('users').select('id').executeTakeFirst();
  expectTypeOf(cached('1m', () => select(db))).toEqualTypeOf(select(bare));
  const update = (of: Kysely<Tables>) => of.updateTable('users').set({ name: 'Ada' }).returningAll().execute();
  expectTypeOf(cached(false, () => update(db))).toEqualTypeOf(update(bare));
  const inside = (of: Kysely<Tables>) => of.transaction().execute((trx) => within(trx, () => select(trx)));
  expectTypeOf(inside(db)).toEqualTypeOf(select(bare));
});

test('rules and durations are checked', () => {
  // @ts-expect-error no duration
  withCache(given, { cache, database: 'app', default: 'soon' });
  // @ts-expect-error no such rule
  withCache(given, { cache, database: 'app', tables: { users: { lifetime: '1m' } } });
  // @ts-expect-error no duration
  withCache(given, { cache, database: 'app', tables: { users: { ttl: 'soon' } } });
  // @ts-expect-error the name of a column
  withCache(given, { cache, database: 'app', tenant: 7 });
  // @ts-expect-error no cache
  withCache(given, { cache: {}, database: 'app' });
  // @ts-expect-error no duration
  void cached('soon', async () => 1);
  // @ts-expect-error a query says itself what it depends on
  void cached({ ttl: '1m', tags: ['users'] }, async () => 1);
});
