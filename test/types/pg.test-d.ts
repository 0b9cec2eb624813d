import type pg from 'pg';
import { type Cache, createCache } from 'unstale';
import { cached, unwrap, withCache } from 'unstale/pg';
import { expectTypeOf, test } from 'vitest';

interface User {
  id: number;
  name: string;
}
declare const given: pg.Pool;
declare const client: pg.Client;
const cache = createCache();
const pool = withCache(given, { cache });

test('a wrapped pool or client keeps its type', () => {
  expectTypeOf(pool).toEqualTypeOf<pg.Pool>();
  expectTypeOf(withCache(client, { cache: {} as Cache<'users'> })).toEqualTypeOf<pg.Client>();
  expectTypeOf(unwrap(pool)).toEqualTypeOf<pg.Pool>();
});

test('`cache` changes nothing about the result', () => {
  expectTypeOf(pool.query<User>({ text: 'select 1', cache: '1m' })).resolves.toEqualTypeOf<pg.QueryResult<User>>();
  expectTypeOf(pool.query<[number]>({ text: 'select 1', rowMode: 'array', cache: false })).resolves.toEqualTypeOf<
    pg.QueryArrayResult<[number]>
  >();
  expectTypeOf(cached('1m', () => pool.query<User>('select 1'))).resolves.toEqualTypeOf<pg.QueryResult<User>>();
});

test('wrong options do not compile', () => {
  // @ts-expect-error no duration
  void pool.query({ text: 'select 1', cache: 'soon' });
  // @ts-expect-error the statement says what it depends on
  void pool.query({ text: 'select 1', cache: { tags: ['users'] } });
  // @ts-expect-error no cache
  withCache(given, {});
  // @ts-expect-error no such option
  withCache(given, { cache, tabels: {} });
  // @ts-expect-error no pool
  withCache({ host: 'localhost' }, { cache });
});

test('results equal those of the bare pool', () => {
  const text = 'select 1';
  expectTypeOf(pool.query<User>({ text, cache: '1m' })).toEqualTypeOf(given.query<User>({ text }));
  expectTypeOf(pool.query<User, [number]>(text, [7])).toEqualTypeOf(given.query<User, [number]>(text, [7]));
  expectTypeOf(pool.query({ text, cache: '1m' })).toEqualTypeOf(given.query({ text }));
  expectTypeOf(pool.connect()).toEqualTypeOf(given.connect());
  const ask = () => given.query<User>(text);
  expectTypeOf(cached('1m', ask)).toEqualTypeOf(ask());
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
