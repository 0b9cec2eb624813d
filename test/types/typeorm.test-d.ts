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

test('results equal those of the bare data source', () => {
  const users = dataSource.getRepository(User);
  const bare = given.getRepository(User);
  expectTypeOf(users).toEqualTypeOf(bare);
  expectTypeOf(users.find({ where: { id: 7 }, cache: 60_000 })).toEqualTypeOf(bare.find({ where: { id: 7 } }));
  expectTypeOf(users.findAndCount({ cache: true })).toEqualTypeOf(bare.findAndCount());
  expectTypeOf(users.save({ id: 7, name: 'Ada' })).toEqualTypeOf(bare.save({ id: 7, name: 'Ada' }));
  expectTypeOf(dataSource.query<User[]>('select 1')).toEqualTypeOf(given.query<User[]>('select 1'));
  expectTypeOf(cached('1m', () => users.findOneByOrFail({ id: 7 }))).toEqualTypeOf(bare.findOneByOrFail({ id: 7 }));
  const inside = (of: DataSource) => of.transaction((manager) => manager.findBy(User, { id: 7 }));
  expectTypeOf(inside(dataSource)).toEqualTypeOf(inside(given));
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
