import type { DataSource, EntityManager, InsertResult, Repository, UpdateResult } from 'typeorm';
import type { DataSource as DataSource03 } from 'typeorm03';
import { createCache } from 'unstale';
import { cached, unwrap, withCache } from 'unstale/typeorm';
import { expectTypeOf, test } from 'vitest';

class User {
  id!: number;
  name!: string;
}
declare const given: DataSource;
declare const given03: DataSource03;
const cache = createCache();
const dataSource = withCache(given, { cache });

test('a wrapped data source keeps its type, and what it makes has its own', () => {
  expectTypeOf(dataSource).toEqualTypeOf<DataSource>();
  expectTypeOf(withCache(given03, { cache })).toEqualTypeOf<DataSource03>();
  expectTypeOf(unwrap(dataSource)).toEqualTypeOf<DataSource>();
  const users = dataSource.getRepository(User);
  expectTypeOf(users).toEqualTypeOf<Repository<User>>();
  expectTypeOf(users.find({ cache: true })).resolves.toEqualTypeOf<User[]>();
  expectTypeOf(
    users.findOne({ where: { id: 7 }, cache: { id: 'ada', milliseconds: 60_000 } }),
  ).resolves.toEqualTypeOf<User | null>();
  expectTypeOf(users.createQueryBuilder().cache(60_000).getManyAndCount()).resolves.toEqualTypeOf<[User[], number]>();
  expectTypeOf(users.insert({ id: 1 })).resolves.toEqualTypeOf<InsertResult>();
  expectTypeOf(users.update(1, { name: 'Ada' })).resolves.toEqualTypeOf<UpdateResult>();
  expectTypeOf(cached('1m', () => users.findOneBy({ id: 7 }))).resolves.toEqualTypeOf<User | null>();
});

test('within takes a manager and a query runner', () => {
  expectTypeOf(cache.within({} as EntityManager, async () => 1)).resolves.toEqualTypeOf<number>();
  expectTypeOf(cache.within(dataSource.createQueryRunner(), async () => 1)).resolves.toEqualTypeOf<number>();
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
  // @ts-expect-error no data source
  withCache({ type: 'postgres' }, { cache });
  // @ts-expect-error TypeORM takes milliseconds; `cached('1m', …)` takes durations
  void given.getRepository(User).find({ cache: '1m' });
});
