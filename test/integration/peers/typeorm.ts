import type { DataSource } from 'typeorm';
import { redisStore } from 'unstale/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type WrapOptions, withCache } from '../../../adapters/typeorm/index.js';
import { type CacheOptions, createCache } from '../../../src/index.js';
import { type TypeormVersion, versions } from '../../contract/adapters/typeorm.js';
import { aShop, databases, type Shop } from '../typeorm/a-shop.js';

/**
 * TypeORM's own cache, which keeps rows as JSON in a table: with `alwaysEnabled` save() compares with an old row and
 * writes nothing; an id is the whole key; what is no JSON comes back as something else. Each test does the same with
 * it, where it still does that, and with ours.
 */
export function describePeer(version: TypeormVersion): void {
  describe.each(databases)('what the cache of TypeORM does wrong, on %s', (database) => {
    let shop: Shop;
    let fresh = 0;
    const cleanups: (() => unknown)[] = [];
    beforeAll(async () => {
      shop = await aShop(version, database);
    });
    afterAll(() => shop?.drop());
    beforeEach(() => shop.refill());
    afterEach(async () => {
      for (const clean of cleanups.splice(0).reverse()) await clean();
    });

    const ours = async (wrap: Partial<WrapOptions> = {}, options: CacheOptions = {}) => {
      const cache = createCache({ ttl: '1h', ...options });
      const ds = shop.make();
      const { sent } = shop.spyOn(ds);
      await withCache(ds, { cache, ...wrap }).initialize();
      cleanups.push(
        () => cache.close(),
        () => ds.destroy(),
      );
      // The catalogue comes with the first statement.
      await ds.query('select id from users');
      return { ds, sent };
    };
    const peer = async (cache: object = {}) => {
      const ds = await shop.make({ cache: { duration: 60_000, tableName: `own_${++fresh}`, ...cache } }).initialize();
      await ds.queryResultCache?.synchronize();
      cleanups.push(() => ds.destroy());
      return ds;
    };
    const users = (from: DataSource) => from.getRepository(shop.entities.User);
    const nameNow = async () => (await users(shop.bare).findOneByOrFail({ id: 2 })).name;

    test('with every read cached, save() writes what is another value than the row has', async () => {
      const run = async (ds: DataSource) => {
        await shop.refill();
        const find = () => users(ds).findOneOrFail({ where: { id: 2 }, loadEagerRelations: false });
        await users(ds).save(await find());
        // Another connection, of which nobody tells.
        await users(shop.bare).update(2, { name: 'changed meanwhile', org: 'moved' });
        const found = await find();
        expect(found.name).toBe('Bob');
        // Bob is what the cache has, and not what the database has.
        found.org = 'acme';
        await users(ds).save(found);
        const { name, org } = await users(shop.bare).findOneByOrFail({ id: 2 });
        return [name, org];
      };
      expect(await run(await peer({ alwaysEnabled: true }))).toEqual(['changed meanwhile', 'acme']);
      const { ds } = await ours({ default: '1h' });
      expect(await run(ds)).toEqual(['Bob', 'acme']);
      expect(await users(ds).findOneByOrFail({ id: 2 })).toMatchObject({ name: 'Bob', org: 'acme' });
    });

    test('and so does save() of a copy, and of a part, over each that another one has written', async () => {
      const { ds } = await ours({ default: '1h' });
      for (const next of ['one', 'two', 'one']) {
        const found = await users(ds).findOneByOrFail({ id: 2 });
        await users(shop.bare).update(2, { name: `before ${next}` });
        await users(ds).save({ ...found, name: found.name });
        expect(await nameNow()).toBe(found.name);
        await users(ds).save({ id: 2, name: next });
        expect(await nameNow()).toBe(next);
        expect((await users(ds).findOneByOrFail({ id: 2 })).name).toBe(next);
      }
    });

    test('one id with other parameters is another read', async () => {
      const read = async (ds: DataSource) => {
        const names: unknown[] = [];
        for (let round = 0; round < 2; round++)
          for (const id of [1, 2])
            names.push(
              (
                await users(ds).findOne({
                  where: { id },
                  loadEagerRelations: false,
                  cache: { id: 'user', milliseconds: 60_000 },
                })
              )?.name,
              await users(ds).createQueryBuilder('u').where('u.id >= :id', { id }).cache('many', 60_000).getCount(),
            );
        return names;
      };
      expect(await read(await peer())).toEqual(['Ada', 2, 'Ada', 2, 'Ada', 2, 'Ada', 2]);
      const { ds, sent } = await ours();
      expect(await read(ds)).toEqual(['Ada', 2, 'Bob', 1, 'Ada', 2, 'Bob', 1]);
      const before = sent.length;
      await read(ds);
      expect(sent.length).toBe(before);
    });

    test('a row that was rolled back is not served', async () => {
      const run = async (ds: DataSource) => {
        const name = async (from: Pick<DataSource, 'getRepository'>) =>
          (
            await from
              .getRepository(shop.entities.User)
              .findOne({ where: { id: 2 }, loadEagerRelations: false, cache: true })
          )?.name;
        const wrong = ds.transaction(async (manager) => {
          await manager.getRepository(shop.entities.User).update(2, { name: 'never was' });
          expect(await name(manager)).toBe('never was');
          throw new Error('on purpose');
        });
        await expect(wrong).rejects.toThrow('on purpose');
        return name(ds);
      };
      // Its table is rolled back as well; what it keeps elsewhere is not.
      expect(await run(await peer({ provider: () => elsewhere() }))).toBe('never was');
      const { ds } = await ours();
      expect(await run(ds)).toBe('Bob');
    });

    test.skipIf(!inject('services').redis)(
      'through Redis an entity is what it was: its class, dates, bytes and large numbers',
      async () => {
        const orm = versions[version];
        class Person {
          id!: number;
          born!: Date;
          face!: Buffer;
          visits!: bigint;
          secret!: string;
          posts!: object[];
          age(): number {
            return 2000 - this.born.getUTCFullYear();
          }
          toJSON() {
            return { id: this.id };
          }
        }
        const entity = new orm.EntitySchema<Person>({
          name: 'Person',
          target: Person,
          tableName: 'people',
          columns: {
            id: { type: 'int', primary: true },
            born: { type: database === 'postgres' ? 'timestamptz' : 'datetime' },
            face: { type: database === 'postgres' ? 'bytea' : 'blob' },
            visits: { type: 'bigint', transformer: { to: String, from: (it) => (it == null ? it : BigInt(it)) } },
            secret: { type: 'varchar' },
          },
        });
        const entities = [...Object.values(shop.entities), entity];
        const maker = await shop.make({ entities, synchronize: true }).initialize();
        cleanups.push(() => maker.destroy());
        // More than this the driver of SQLite makes a number of that is another one.
        const visits = database === 'sqlite' ? 2n ** 52n + 1n : 2n ** 60n + 1n;
        const person = { id: 1, born: new Date('1815-12-10T00:00:00Z'), face: Buffer.from([0, 255, 16]), secret: 'x' };
        await maker.getRepository(Person).save({ ...person, visits });
        const open = async () => {
          const cache = createCache({
            ttl: '1h',
            store: redisStore(inject('services').redis?.url as string, { timeout: '2s' }),
          });
          const ds = shop.make({ entities });
          const { sent } = shop.spyOn(ds);
          await withCache(ds, { cache }).initialize();
          cleanups.push(
            () => cache.close(),
            () => ds.destroy(),
          );
          await ds.query('select id from people');
          return { ds, sent };
        };
        const [here, there] = [await open(), await open()];
        const find = ({ ds }: { ds: DataSource }) =>
          ds.getRepository(Person).findOneOrFail({ where: { id: 1 }, cache: 60_000 });
        const found = (ds: { ds: DataSource }) => users(ds.ds).findOneOrFail({ where: { id: 1 }, cache: 60_000 });
        const bare = await maker.getRepository(Person).findOneByOrFail({ id: 1 });
        const bareUser = await users(shop.bare).findOneByOrFail({ id: 1 });
        await find(here);
        await found(here);
        const before = there.sent.length;
        const [hit, user] = [await find(there), await found(there)];
        expect(there.sent.length).toBe(before);
        expect(hit).toStrictEqual(bare);
        expect(hit).toBeInstanceOf(Person);
        expect(hit.age()).toBe(185);
        expect(hit.born).toEqual(person.born);
        expect(Buffer.isBuffer(hit.face)).toBe(true);
        expect(hit.face).toEqual(person.face);
        expect(hit.visits).toBe(visits);
        expect(JSON.stringify(hit)).toBe('{"id":1}');
        expect(user).toEqual(bareUser);
        expect(user).toBeInstanceOf(shop.entities.User);
        expect(user.posts[0]).toBeInstanceOf(shop.entities.Post);
        expect(user.greeting).toBe('I am Ada');
        // What is found is saved as one that is known, not inserted again.
        hit.secret = 'y';
        await there.ds.getRepository(Person).save(hit);
        expect((await find(here)).secret).toBe('y');
      },
    );

    test.runIf(database === 'postgres')('what TypeORM keeps itself comes back as something else', async () => {
      const ds = await peer();
      const read = async () =>
        (await users(ds).findOneOrFail({ where: { id: 1 }, loadEagerRelations: false, cache: 60_000 })).face;
      expect(Buffer.isBuffer(await read())).toBe(true);
      expect(Buffer.isBuffer(await read())).toBe(false);
    });
  });
}

/** The least that a cache has to be for TypeORM's own way. */
function elsewhere() {
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
