import type { Knex } from 'knex';
import { type Cache, createCache } from 'unstale';
import { cached, unwrap, withCache } from 'unstale/knex';
import { expectTypeOf, test } from 'vitest';

interface User {
  id: number;
  name: string;
}
declare const given: Knex;
const cache = createCache();
const knex = withCache(given, { cache });

test('a wrapped instance keeps its type', () => {
  expectTypeOf(knex).toEqualTypeOf<Knex>();
  expectTypeOf(unwrap(knex)).toEqualTypeOf<Knex>();
  expectTypeOf(withCache({} as Knex<User, User[]>, { cache })).toEqualTypeOf<Knex<User, User[]>>();
  expectTypeOf(withCache(given, { cache: {} as Cache<'users'> })).toEqualTypeOf<Knex>();
});

test('.cache changes nothing about the result, wherever it stands', () => {
  expectTypeOf(knex<User>('users').where({ id: 7 }).cache('1m')).resolves.toEqualTypeOf<User[]>();
  expectTypeOf(knex<User>('users').where({ id: 7 }).cache('1m').first()).resolves.toEqualTypeOf<User | undefined>();
  expectTypeOf(knex<User>('users').first().cache('1m')).resolves.toEqualTypeOf<User | undefined>();
  expectTypeOf(knex<User>('users').cache('1m').pluck('name')).resolves.toEqualTypeOf<string[]>();
  expectTypeOf(knex<User>('users').select('id').cache('1m')).resolves.toEqualTypeOf<Pick<User, 'id'>[]>();
  expectTypeOf(knex.raw<User[]>('select 1').cache('1m')).resolves.toEqualTypeOf<User[]>();
  expectTypeOf(cached('1m', () => knex<User>('users').first())).resolves.toEqualTypeOf<User | undefined>();
});

test('.cache takes a duration, false, options, or nothing', () => {
  knex('users').cache('5m').cache(5000).cache(false).cache({ ttl: '1m', swr: '5m', fresh: true }).cache();
  // @ts-expect-error no duration
  knex('users').cache('soon');
  // @ts-expect-error the statement says what it depends on
  knex('users').cache({ tags: ['users'] });
  // @ts-expect-error no such option
  knex('users').cache({ ttl: '1m', tenant: 'acme' });
});

test('options', () => {
  withCache(given, {
    cache,
    tables: { users: { ttl: '1m', grain: 'team_id', writes: ['counters'] }, 'sales.orders': { cache: false } },
    tenant: 'org_id',
    default: { ttl: '10s', swr: '1m' },
    functions: { slugify: 'pure', total: ['orders'] },
    database: 'app',
  });
  // @ts-expect-error no cache
  withCache(given, {});
  // @ts-expect-error no such option
  withCache(given, { cache, tabels: {} });
  // @ts-expect-error no instance
  withCache({ client: 'pg' }, { cache });
});

test('results equal those of the bare instance', () => {
  const bare = given<User>('users').where({ id: 7 });
  const wrapped = knex<User>('users').where({ id: 7 });
  expectTypeOf(wrapped).toEqualTypeOf(bare);
  expectTypeOf(wrapped.cache('1m')).toEqualTypeOf(bare);
  expectTypeOf(wrapped.cache('1m').first('name')).toEqualTypeOf(bare.first('name'));
  expectTypeOf(wrapped.cache().count()).toEqualTypeOf(bare.count());
  expectTypeOf(wrapped.update({ name: 'Ada' }, ['id'])).toEqualTypeOf(bare.update({ name: 'Ada' }, ['id']));
  expectTypeOf(knex.transaction(async (trx) => trx<User>('users').first())).toEqualTypeOf(
    given.transaction(async (trx) => trx<User>('users').first()),
  );
});

test('rules and durations are checked', () => {
  // @ts-expect-error no duration
  withCache(given, { cache, default: 'soon' });
  // @ts-expect-error no such rule
  withCache(given, { cache, tables: { users: { lifetime: '1m' } } });
  // @ts-expect-error no duration
  withCache(given, { cache, tables: { users: { ttl: 'soon' } } });
  // @ts-expect-error the name of a column
  withCache(given, { cache, tenant: 7 });
  // @ts-expect-error no cache
  withCache(given, { cache: {} });
  // @ts-expect-error no duration
  void cached('soon', async () => 1);
  // @ts-expect-error a query says itself what it depends on
  void cached({ ttl: '1m', tags: ['users'] }, async () => 1);
});
