import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource, EntityManager } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cached, unwrap, type WrapOptions, withCache } from '../../../adapters/typeorm/index.js';
import { type Cache, createCache } from '../../../src/index.js';
import type { TypeormVersion } from '../../contract/adapters/typeorm.js';
import { aShop, type Database, databases, type Shop } from './a-shop.js';

/**
 * What TypeORM does in ways of its own, on each database. Versions are in a file each: in one process they would share
 * the place where decorators leave what they know.
 */
export function describeTraps(version: TypeormVersion): void {
  describe.each(databases)('TypeORM %s', (database) => traps(version, database));
}

function traps(version: TypeormVersion, database: Database): void {
  let shop: Shop;
  let cache: Cache;
  let ds: DataSource;
  /** Statements that were sent, without those of the cache itself. */
  let sent: string[];
  const cleanups: (() => unknown)[] = [];
  beforeAll(async () => {
    shop = await aShop(version, database);
  });
  afterAll(() => shop?.drop());
  beforeEach(async () => {
    await shop.refill();
    cache = createCache({ ttl: '1h' });
    [ds, sent] = await aDataSource();
  });
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
    await cache.close();
  });

  async function aDataSource(options: Partial<WrapOptions> = {}): Promise<[DataSource, string[]]> {
    const made = shop.make();
    const spy = shop.spyOn(made);
    await withCache(made, { cache, ...options }).initialize();
    cleanups.push(() => made.isInitialized && made.destroy());
    return [made, spy.sent];
  }

  const users = (from: DataSource | EntityManager = ds) => from.getRepository(shop.entities.User);
  const ada = (from: DataSource | EntityManager = ds) => users(from).findOne({ where: { id: 1 }, cache: true });
  const all = () => users().find({ order: { id: 'ASC' }, cache: true });
  const selects = () => sent.filter((sql) => /^\s*select/i.test(sql));
  /** What `read` sends. */
  async function sentBy(read: () => Promise<unknown>): Promise<number> {
    const before = sent.length;
    await read();
    return sent.length - before;
  }

  describe('reads', () => {
    test('what is found is the same on a miss, on a hit and without a cache', async () => {
      const find = (from: DataSource) =>
        users(from).find({ relations: { tags: true }, order: { id: 'ASC' }, cache: 60_000 });
      const miss = await find(ds);
      expect(await sentBy(() => find(ds))).toBe(0);
      const hit = await find(ds);
      const bare = await find(shop.bare);
      for (const found of [miss, hit]) {
        expect(found).toEqual(bare);
        expect(found[0]).toBeInstanceOf(shop.entities.User);
        expect(found[0]?.posts[0]).toBeInstanceOf(shop.entities.Post);
        expect(found[0]).toMatchObject({ greeting: 'I am Ada', words: ['a', 'b'], address: { street: 'Main' } });
        expect(found[0]?.born).toEqual(new Date('1815-12-10T00:00:00Z'));
        expect(Buffer.isBuffer(found[0]?.face)).toBe(true);
      }
      expect(hit[0]).not.toBe(miss[0]);
      expect(hit[0]?.face?.buffer).not.toBe(miss[0]?.face?.buffer);
    });

    test('every way to say it: true, milliseconds, an id, a query builder, cached', async () => {
      const ways: (() => Promise<unknown>)[] = [
        () => users().find({ where: { org: 'acme' }, cache: true }),
        () => users().find({ where: { org: 'zeta' }, cache: 60_000 }),
        () => users().find({ where: { name: 'Ada' }, cache: { id: 'ada', milliseconds: 60_000 } }),
        () => users().createQueryBuilder('u').where('u.id > :id', { id: 0 }).cache(60_000).getMany(),
        () => users().createQueryBuilder('u').where('u.id > :id', { id: 1 }).cache('by id', 60_000).getRawMany(),
        () => users().createQueryBuilder('u').where('u.id > :id', { id: 1 }).clone().cache(true).getCount(),
        () => users().findAndCount({ take: 1, order: { id: 'ASC' }, cache: true }),
        () => users().count({ cache: true }),
        () => cached('1m', () => users().findBy({ email: 'ada@x' })),
        () => cached('1m', () => users().exists({ where: { email: 'x' } })),
        () => cached('1m', () => ds.query('select id from users where id = 2')),
        () => cached({ ttl: '1m' }, () => users().createQueryBuilder().select('max(id)', 'most').getRawOne()),
      ];
      for (const read of ways) {
        const first = await read();
        expect(await sentBy(read), String(read)).toBe(0);
        expect(await read()).toEqual(first);
      }
    });

    test('nothing is cached of which nobody said so, and nothing of which somebody said not to', async () => {
      const find = () => users().find();
      expect([await sentBy(find), await sentBy(find)]).toEqual([1, 1]);
      const no = () => cached('1m', () => users().find({ cache: false }));
      expect([await sentBy(no), await sentBy(no)]).toEqual([1, 1]);
      const clone = () => cached('1m', () => users().createQueryBuilder().clone().cache(false).getCount());
      expect([await sentBy(clone), await sentBy(clone)]).toEqual([1, 1]);
      const not = () => cached(false, () => users().find({ where: { id: 2 } }));
      expect([await sentBy(not), await sentBy(not)]).toEqual([1, 1]);
      expect(await cached('1m', () => sentBy(find)).then(() => sentBy(find))).toBe(1);
    });

    test('rules by table are for what is found, not for what is saved', async () => {
      const [ruled, seen] = await aDataSource({ tables: { users: { ttl: '1m' } }, default: '1m' });
      const repository = users(ruled);
      const one = () => repository.findOneByOrFail({ id: 1 });
      // Which tables a statement reads is known when the catalogue was read, with the first one.
      await one();
      await one();
      seen.length = 0;
      const found = await one();
      expect(seen).toEqual([]);
      // Somebody whom the cache does not know of.
      await shop.bare.query(`update users set name = 'Ida' where id = 1`);
      await repository.save(found);
      expect((await users(shop.bare).findOneByOrFail({ id: 1 })).name).toBe('Ada');
      expect((await one()).name).toBe('Ada');
    });

    test('an entity that is found by its id outlives writes of others', async () => {
      const read = () => users().findOne({ where: { id: 1 }, loadEagerRelations: false, cache: true });
      await read();
      await users().update({ id: 2 }, { name: 'Bo' });
      await users().insert({ id: 3, email: 'c@x' });
      expect(await sentBy(read)).toBe(0);
      await users().update({ id: 1 }, { name: 'Ida' });
      expect((await read())?.name).toBe('Ida');
    });

    test('an entity with eager relations ends with each of its tables', async () => {
      const posts = () => ds.getRepository(shop.entities.Post);
      await ada();
      await posts().update({ id: 1 }, { title: 'uno' });
      expect((await ada())?.posts[0]?.title).toBe('uno');
      await posts().insert({ id: 2, title: 'dos', user: { id: 1 } });
      expect((await ada())?.posts).toHaveLength(2);
      await users().update({ id: 1 }, { name: 'Ida' });
      expect((await ada())?.name).toBe('Ida');
    });

    test('an entity with relations outlives writes of others, and ends with itself, its posts, and a new one', async () => {
      const read = (id = 1) => users().findOne({ where: { id }, relations: { posts: true, tags: true }, cache: true });
      const posts = ds.getRepository(shop.entities.Post);
      const endedBy = async (write: Promise<unknown>) => {
        await read();
        await write;
        return (await sentBy(read)) > 0;
      };
      // It asks for the ids first, by a query around that with the joins, and then for the rows.
      expect(await sentBy(read)).toBe(2);
      expect(await endedBy(users().update({ id: 2 }, { name: 'Bo' }))).toBe(false);
      expect(await endedBy(users().insert({ id: 3, email: 'c@x' }))).toBe(false);
      expect(await endedBy(users().update({ id: 1 }, { name: 'Ida' }))).toBe(true);
      expect(await endedBy(posts.update({ id: 1 }, { title: 'uno' }))).toBe(true);
      expect(await endedBy(posts.insert({ id: 2, title: 'dos', user: { id: 1 } }))).toBe(true);
      expect(await read()).toMatchObject({ name: 'Ida', posts: [{ title: 'uno' }, { title: 'dos' }] });
      // There is no row that an INSERT could not be.
      expect(await read(9)).toBeNull();
      await users().insert({ id: 9, email: 'd@x', name: 'Dee' });
      expect((await read(9))?.name).toBe('Dee');
    });

    test('a row with a composite key ends with itself alone', async () => {
      const at = ds.getRepository(shop.entities.Place);
      await at.insert([
        { country: 'de', code: 1, name: 'one' },
        { country: 'de', code: 2, name: 'two' },
      ]);
      const one = () => at.findOne({ where: { country: 'de', code: 1 }, cache: true });
      await one();
      await at.update({ country: 'de', code: 2 }, { name: 'zwei' });
      expect(await sentBy(one)).toBe(0);
      await at.save({ country: 'de', code: 1, name: 'eins' });
      expect((await one())?.name).toBe('eins');
      await at.delete({ country: 'de', code: 1 });
      expect(await one()).toBeNull();
      await at.insert({ country: 'de', code: 1, name: 'ein' });
      expect((await one())?.name).toBe('ein');
    });

    test('a hit takes no connection, and many at once cost one statement', async () => {
      await Promise.all([ada(), ada(), ada()]);
      expect(selects().filter((sql) => sql.includes('distinctAlias'))).toHaveLength(1);
      const { master, pool } = ds.driver as any;
      let acquired = 0;
      (master ?? pool)?.on('acquire', () => acquired++);
      await Promise.all([ada(), ada(), ada()]);
      expect(acquired).toBe(0);
    });

    test.skipIf(database === 'sqlite')(
      'what is kept comes from the primary, never from a replica that is late',
      async () => {
        const late = await aShop(version, database);
        cleanups.push(() => late.drop());
        await late.refill();
        await late.bare.query(`update users set name = 'of yesterday' where id = 1`);
        const made = shop.make({ replication: { master: shop.options, slaves: [late.options] } } as never);
        await withCache(made, { cache, database: 'replicated' }).initialize();
        cleanups.push(() => made.destroy());
        const name = async () => (await users(made).findOneByOrFail({ id: 1 })).name;
        expect(await name()).toBe('of yesterday');
        expect((await ada(made))?.name).toBe('Ada');
        expect((await ada(made))?.name).toBe('Ada');
        expect(await cached('1m', name)).toBe('Ada');
        expect(await cache.getOrSet({ key: 'name', load: name })).toBe('Ada');
        await users(made).update(1, { name: 'Ida' });
        expect(await cached('1m', name)).toBe('Ida');
        expect(await cache.getOrSet({ key: 'name', load: name })).toBe('Ida');
        expect(await name()).toBe('of yesterday');
      },
    );

    test('a value that is kept too long comes in the background by a runner of its own', async () => {
      const read = () => cached({ ttl: 1, swr: '1m' }, () => users().findOneBy({ id: 2 }));
      await read();
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (let i = 0; i < 8; i++) expect((await read())?.name).toBe('Bob');
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { master } = ds.driver as any;
      if (master) expect(master.totalCount - master.idleCount).toBe(0);
    });
  });

  describe('writes of which events of entities say too little', () => {
    // [what is read, what is written]; each must end it.
    const writes: Record<string, () => Promise<unknown>> = {
      'update by id': () => users().update(1, { name: 'Ida' }),
      'update by a condition': () => users().update({ email: 'ada@x' }, { name: 'Ida' }),
      increment: () =>
        users()
          .increment({ id: 1 }, 'name', 0)
          .catch(() => users().update(1, { name: 'Ida' })),
      'a query builder': () => users().createQueryBuilder().update().set({ name: 'Ida' }).where('id = 1').execute(),
      'one without listeners': () =>
        users()
          .createQueryBuilder()
          .update()
          .set({ name: 'Ida' })
          .where('id = 1')
          .callListeners(false)
          .updateEntity(false)
          .execute(),
      'save without listeners': () =>
        users().save({ id: 1, name: 'Ida' }, { listeners: false, transaction: false, reload: false }),
      save: () => users().save({ id: 1, name: 'Ida' }),
      'save of what was found': async () => {
        const found = await users().findOneByOrFail({ id: 1 });
        await users().save(Object.assign(found, { name: 'Ida' }));
      },
      upsert: () => users().upsert({ id: 1, email: 'ada@x', name: 'Ida' }, ['id']),
      'upsert by another key': () => users().upsert({ id: 1, email: 'ada@x', name: 'Ida' }, ['email']),
      delete: () => users().delete(1),
      remove: async () => users().remove(await users().findOneByOrFail({ id: 1 })),
      'delete by a query builder': () =>
        users().createQueryBuilder().delete().where('email = :e', { e: 'ada@x' }).execute(),
      'raw SQL': () => ds.query(`update users set name = 'Ida' where id = 1`),
      'a cascade': () => users().save({ id: 1, posts: [{ id: 1, title: 'uno' }] }),
      'a transaction': () => ds.transaction((manager) => users(manager).update(1, { name: 'Ida' })),
    };
    test.each(Object.keys(writes))('%s', async (name) => {
      const [one, many] = [await ada(), await all()];
      expect([one?.name, many.length]).toEqual(['Ada', 2]);
      await writes[name]?.();
      const now = await users(shop.bare).find({ order: { id: 'ASC' } });
      expect(await all()).toEqual(now);
      expect(await ada()).toEqual(now.find(({ id }) => id === 1) ?? null);
      expect(now).not.toEqual(many);
    });

    test('clear', async () => {
      const places = ds.getRepository(shop.entities.Place);
      await places.insert({ country: 'de', code: 1, name: 'one' });
      const count = () => places.count({ cache: true });
      expect(await count()).toBe(1);
      await places.clear();
      expect(await count()).toBe(0);
    });

    test('a relation of many to many: added, set and removed', async () => {
      await ds.getRepository(shop.entities.Tag).insert([
        { id: 1, name: 'red' },
        { id: 2, name: 'blue' },
      ]);
      const read = async () =>
        (await users().findOne({ where: { id: 1 }, relations: { tags: true }, cache: true }))?.tags
          .map(({ id }) => id)
          .sort();
      expect(await read()).toEqual([]);
      const relation = () => users().createQueryBuilder().relation('tags').of(1);
      await relation().add([1, 2]);
      expect(await read()).toEqual([1, 2]);
      await relation().remove(1);
      expect(await read()).toEqual([2]);
      await users().save({ id: 1, tags: [{ id: 1 }] });
      expect(await read()).toEqual([1]);
      await users().save({ id: 1, tags: [] });
      expect(await read()).toEqual([]);
    });

    test('a tree with a table of its own for who is above whom', async () => {
      const trees = ds.getTreeRepository(shop.entities.Node);
      const root = await trees.save({ id: 1, name: 'root' } as never);
      const read = () => cached('1m', () => trees.findDescendants(root as never));
      expect(await read()).toHaveLength(1);
      expect(await sentBy(read)).toBe(0);
      await trees.save({ id: 2, name: 'leaf', parent: root } as never);
      expect(await read()).toHaveLength(2);
    });

    test.skipIf(database === 'sqlite')('rows that are streamed, those of a write too', async () => {
      const stream = await users().createQueryBuilder('u').orderBy('u.id').stream();
      const rows: any[] = [];
      for await (const row of stream) rows.push(row);
      expect(rows.map((row) => row.u_name)).toEqual(['Ada', 'Bob']);
      await ada();
      const runner = ds.createQueryRunner();
      const update = `update users set name = 'Ida' where id = 1`;
      const own = await runner.stream(database === 'postgres' ? `${update} returning id` : update);
      await new Promise<void>((resolve, reject) => {
        own
          .on('data', () => {})
          .on('end', resolve)
          .on('error', reject);
      });
      expect((await ada())?.name).toBe('Ida');
      await runner.release();
    });

    test.skipIf(database === 'sqlite')('a stream that nobody reads to its end, and one that fails', async () => {
      await ada();
      const runner = ds.createQueryRunner();
      const stream = await runner.stream('select * from users');
      stream.destroy();
      await runner.release();
      const other = ds.createQueryRunner();
      const failing = await other.stream('select * from nowhere');
      await expect(
        (async () => {
          for await (const _ of failing);
        })(),
      ).rejects.toThrow(/nowhere/);
      await other.release();
      expect(await sentBy(() => ada())).toBe(0);
    });

    test('what writes return is what they return without a cache', async () => {
      // Rules make tags: clients of one cache share them, so this one has a cache of its own.
      const own = createCache();
      cleanups.push(() => own.close());
      const [tenants] = await aDataSource({ tenant: 'org', cache: own });
      const shape = async (from: DataSource) => {
        await shop.refill();
        const { User } = shop.entities;
        return [
          await users(from).insert({ id: 3, email: 'c@x' }),
          await users(from).update({ id: 1 }, { name: 'Ida' }),
          await users(from).update({ id: 99 }, { name: 'Ida' }),
          await users(from).save({ id: 4, email: 'd@x' }),
          await users(from).upsert({ id: 1, email: 'ada@x', name: 'Eve' }, ['id']),
          await from.createQueryBuilder().insert().into(User).values({ id: 5, email: 'e@x' }).execute(),
          await users(from).delete({ id: 1 }),
          await from.query(`update users set name = 'x' where id = 2`),
          await from.query(`delete from users where id = 5`),
          ...(database === 'postgres'
            ? [
                await users(from)
                  .createQueryBuilder()
                  .update()
                  .set({ name: 'y' })
                  .where('id = 2')
                  .returning('*')
                  .execute(),
              ]
            : []),
        ];
      };
      expect(await shape(tenants)).toEqual(await shape(shop.bare));
    });
  });

  describe('transactions', () => {
    test('cached functions in a callback go past the cache, and are as before after a rollback', async () => {
      const name = () =>
        cache.getOrSet({ key: 'name', load: async () => (await users().findOneByOrFail({ id: 1 })).name });
      expect(await name()).toBe('Ada');
      await expect(
        ds.transaction(async (manager) => {
          await users(manager).update(1, { name: 'Ida' });
          expect((await ada(manager))?.name).toBe('Ida');
          const inside = () =>
            cache.getOrSet({ key: 'name', load: async () => (await users(manager).findOneByOrFail({ id: 1 })).name });
          expect(await inside()).toBe('Ida');
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await sentBy(name)).toBe(0);
      expect(await name()).toBe('Ada');
    });

    test('an inner one that is rolled back takes its part back', async () => {
      await ada();
      const bob = () => users().findOne({ where: { id: 2 }, loadEagerRelations: false, cache: true });
      await bob();
      await ds.transaction(async (manager) => {
        await users(manager).update(1, { name: 'Ida' });
        await manager
          .transaction(async (inner) => {
            await users(inner).update(2, { name: 'Bo' });
            throw new Error('no');
          })
          .catch(() => {});
      });
      expect(await sentBy(bob)).toBe(0);
      expect((await ada())?.name).toBe('Ida');
    });

    test('with a query runner by hand: its manager sees its writes, others what is committed', async () => {
      await ada();
      const runner = ds.createQueryRunner();
      await runner.startTransaction();
      await users(runner.manager).update(1, { name: 'Ida' });
      expect((await ada(runner.manager))?.name).toBe('Ida');
      await expect(cache.within(runner, async () => (await ada(runner.manager))?.name)).resolves.toBe('Ida');
      await cache.within(runner.manager, () => cache.invalidate('report'));
      expect((await ada())?.name).toBe('Ada');
      await runner.commitTransaction();
      expect((await ada())?.name).toBe('Ida');
      await expect(cache.within(runner, async () => {})).rejects.toThrow(TypeError);
      await runner.release();
    });

    test('BEGIN as text', async () => {
      await ada();
      const runner = ds.createQueryRunner();
      await runner.query('BEGIN');
      await runner.query(`update users set name = 'Ida' where id = 1`);
      expect((await ada(runner.manager))?.name).toBe('Ida');
      await runner.query('ROLLBACK');
      await runner.release();
      expect(await sentBy(() => ada())).toBe(0);
      expect((await ada())?.name).toBe('Ada');
    });

    test.runIf(database === 'sqlite')('BEGIN as text without a runner: everybody is in it', async () => {
      await ada();
      await ds.query('BEGIN');
      await ds.query(`update users set name = 'Ida' where id = 1`);
      expect((await ada())?.name).toBe('Ida');
      await ds.query('ROLLBACK');
      expect((await ada())?.name).toBe('Ada');
    });

    test('a manager that comes from the context of its request, as of typeorm-transactional', async () => {
      const context = new AsyncLocalStorage<EntityManager>();
      const own = ds.manager;
      Object.defineProperty(ds, 'manager', { configurable: true, get: () => context.getStore() ?? own });
      const transactional = (fn: () => Promise<unknown>) => own.transaction((manager) => context.run(manager, fn));
      const read = async () => (await users().findOne({ where: { id: 1 }, cache: true }))?.name;
      expect(await read()).toBe('Ada');
      await transactional(async () => {
        await users().update(1, { name: 'Ida' });
        expect(await read()).toBe('Ida');
      });
      expect(await read()).toBe('Ida');
    });

    test('a transaction for each test, rolled back after it', async () => {
      await ada();
      for (let round = 0; round < 3; round++) {
        const runner = ds.createQueryRunner();
        await runner.startTransaction();
        await cache.within(runner, async () => {
          await runner.manager.transaction((manager) => users(manager).update(1, { name: `Ida ${round}` }));
          expect((await ada(runner.manager))?.name).toBe(`Ida ${round}`);
        });
        await runner.rollbackTransaction();
        await runner.release();
        expect((await ada())?.name).toBe('Ada');
      }
    });

    test('one that fails leaves its error as it was', async () => {
      const twice = (from: DataSource) =>
        from.transaction((manager) => users(manager).insert({ id: 1, email: 'x' })).catch((error) => error);
      const [own, bare] = [await twice(ds), await twice(shop.bare)];
      expect([own.name, own.message, own.code]).toEqual([bare.name, bare.message, bare.code]);
    });
  });

  describe('wrapping', () => {
    test('a wrapped one, another and a bare one side by side', async () => {
      const [other, seen] = await aDataSource();
      const read = (from: DataSource) => ada(from).then((found) => found?.name);
      await read(ds);
      seen.length = 0;
      expect(await read(other)).toBe('Ada');
      await users(other).update(1, { name: 'Ida' });
      expect(await read(ds)).toBe('Ida');
      // Nobody tells of this one.
      await users(shop.bare).update(1, { name: 'Eve' });
      expect(await read(ds)).toBe('Ida');
      expect(await read(shop.bare)).toBe('Eve');
      expect(shop.bare.queryResultCache).toBeUndefined();
      expect(Object.hasOwn(shop.bare, 'createQueryRunner')).toBe(false);
    });

    test('a data source that is made of the options of a wrapped one is bare', async () => {
      const { DataSource: Made } = { DataSource: ds.constructor as new (options: any) => DataSource };
      const made = await new Made({ ...ds.options }).initialize();
      expect(made.queryResultCache).toBeUndefined();
      expect(await users(made).count({ cache: true })).toBe(2);
      await made.destroy();
    });

    test('destroy closes, initialize opens again, and runners of before still work', async () => {
      await ada();
      await ds.destroy();
      await ds.initialize();
      expect((await ada())?.name).toBe('Ada');
      await users().update(1, { name: 'Ida' });
      expect((await ada())?.name).toBe('Ida');
      expect(await sentBy(() => ada())).toBe(0);
    });

    test('unwrap gives it its own ways back', async () => {
      await ada();
      expect(unwrap(ds)).toBe(ds);
      for (const name of ['createQueryRunner', 'createEntityManager', 'createQueryBuilder'])
        expect(Object.hasOwn(ds, name)).toBe(false);
      expect(ds.options.cache).toBeUndefined();
      expect(await sentBy(() => ada())).toBeGreaterThan(0);
      await ds.transaction((manager) => users(manager).update(1, { name: 'Ida' }));
      expect((await ada())?.name).toBe('Ida');
      withCache(ds, { cache });
      await ada();
      expect(await sentBy(() => ada())).toBe(0);
    });

    test('wrapped twice it tells each thing once; with other options it is refused', async () => {
      expect(withCache(ds, { cache })).toBe(ds);
      let told = 0;
      cache.on('invalidate', () => {
        told += 1;
      });
      await users().update(1, { name: 'Ida' });
      expect(told).toBe(1);
      expect(() => withCache(ds, { cache, default: '1m' })).toThrow(TypeError);
    });

    test('subscribers are told of the runner that is seen', async () => {
      await ada();
      class Rename {
        async afterUpdate(event: any) {
          await event.manager.query(`update users set org = 'moved' where id = 1`);
        }
      }
      (ds.subscribers as any[]).push(new Rename());
      await users().save({ id: 1, name: 'Ida' });
      ds.subscribers.pop();
      expect(await ada()).toMatchObject({ name: 'Ida', org: 'moved' });
    });
  });

  test('TypeORM itself loses an update when it caches everything; this does not', async () => {
    // What `alwaysEnabled` does to save(): the row that it compares with comes from the cache.
    const run = async (from: DataSource) => {
      await shop.refill();
      const repository = users(from);
      const read = () => repository.findOneOrFail({ where: { id: 2 }, loadEagerRelations: false });
      const found = await read();
      // From now on, what save() reads is in the cache as well.
      await repository.save(found);
      await shop.bare.query(`update users set name = 'changed meanwhile' where id = 2`);
      await repository.save(found);
      const [row] = await shop.bare.query('select name from users where id = 2');
      return row.name;
    };
    const always = await shop
      .make({
        cache: { alwaysEnabled: true, duration: 60_000, provider: () => memory() as never },
      })
      .initialize();
    const [ruled] = await aDataSource({ default: '1m' });
    expect(await run(always)).toBe('changed meanwhile');
    expect([await run(ruled), await run(ruled)]).toEqual(['Bob', 'Bob']);
    await always.destroy();
  });
}

/** The least cache for TypeORM's own way. */
function memory() {
  const kept = new Map<string, object>();
  return {
    connect: async () => {},
    disconnect: async () => {},
    synchronize: async () => {},
    getFromCache: async ({ query }: { query: string }) => kept.get(query),
    storeInCache: async (options: { query: string }) => void kept.set(options.query, options),
    isExpired: () => false,
    clear: async () => kept.clear(),
    remove: async () => {},
  };
}
