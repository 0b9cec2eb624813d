import type { Connection, Pool } from 'mysql2';
import type { FieldPacket, Pool as PromisePool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { createCache } from 'unstale';
import { cached, unwrap, withCache } from 'unstale/mysql2';
import { expectTypeOf, test } from 'vitest';

interface User extends RowDataPacket {
  id: number;
}
declare const given: PromisePool;
const cache = createCache();
const pool = withCache(given, { cache });

test('a wrapped pool or connection keeps its type', () => {
  expectTypeOf(pool).toEqualTypeOf<PromisePool>();
  expectTypeOf(withCache({} as Pool, { cache })).toEqualTypeOf<Pool>();
  expectTypeOf(withCache({} as Connection, { cache })).toEqualTypeOf<Connection>();
  expectTypeOf(unwrap(pool)).toEqualTypeOf<PromisePool>();
});

test('`cache` changes nothing about the result', () => {
  expectTypeOf(pool.query<User[]>({ sql: 'select 1', cache: '1m' })).resolves.toEqualTypeOf<[User[], FieldPacket[]]>();
  expectTypeOf(pool.execute<User[]>({ sql: 'select 1', cache: false })).resolves.toEqualTypeOf<
    [User[], FieldPacket[]]
  >();
  expectTypeOf(cached('1m', () => pool.query<User[]>('select 1'))).resolves.toEqualTypeOf<[User[], FieldPacket[]]>();
});

test('wrong options do not compile', () => {
  // @ts-expect-error no duration
  void pool.query({ sql: 'select 1', cache: 'soon' });
  // @ts-expect-error the statement says what it depends on
  void pool.query({ sql: 'select 1', cache: { tags: ['users'] } });
  // @ts-expect-error no cache
  withCache(given, {});
  // @ts-expect-error no such option
  withCache(given, { cache, tabels: {} });
  // @ts-expect-error no pool
  withCache({ host: 'localhost' }, { cache });
});

test('results equal those of the bare pool', () => {
  const sql = 'select 1';
  expectTypeOf(pool.query<User[]>({ sql, cache: '1m' })).toEqualTypeOf(given.query<User[]>({ sql }));
  expectTypeOf(pool.execute<ResultSetHeader>(sql, [7])).toEqualTypeOf(given.execute<ResultSetHeader>(sql, [7]));
  expectTypeOf(pool.query({ sql, cache: '1m' })).toEqualTypeOf(given.query({ sql }));
  expectTypeOf(pool.getConnection()).toEqualTypeOf(given.getConnection());
  const ask = () => given.query<User[]>(sql);
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
