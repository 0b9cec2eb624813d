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
