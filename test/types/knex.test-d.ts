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
