import { randomUUID } from 'node:crypto';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { redisStore } from '../../../adapters/redis/index.js';
import { withCache } from '../../../adapters/typeorm/index.js';
import { type Cache, type Copy, createCache, type TypeRule } from '../../../src/index.js';
import { type TypeormVersion, versions } from '../../contract/adapters/typeorm.js';
import { type RedisServer, startRedis } from '../../services/redis.js';
import { aLibrary, fill, type Library } from './a-library.js';
import { makers } from './a-shop.js';

const { postgres, redis } = inject('services');

/** Entities that a load returns come back as what they are, from memory and from Redis. Versions are in a file each. */
export function describeEntities(version: TypeormVersion): void {
  describe.skipIf(!postgres || !redis)(`entities of TypeORM ${version}`, () => entities(version));
}

function entities(version: TypeormVersion): void {
  let server: RedisServer;
  let library: Library;
  let options: DataSourceOptions;
  let bare: DataSource;
  let drop: () => Promise<void>;
  let name: string;
  const cleanups: (() => unknown)[] = [];
  beforeAll(async () => {
    server = await startRedis();
    ({ options, drop } = await makers.postgres());
    library = aLibrary(version);
    bare = await make({ synchronize: true }).initialize();
    await fill(bare, library);
  });
  afterAll(async () => {
    await bare?.destroy();
    await drop?.();
    await server?.stop();
  });
  beforeEach(() => {
    name = `library-${randomUUID()}`;
  });
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  function make(more: Partial<DataSourceOptions> = {}): DataSource {
    const given = { ...options, entities: Object.values(library), ...more } as DataSourceOptions;
    return new versions[version].DataSource(given);
  }

  /** A process: caches of one name share what is in Redis, and nothing in memory. */
  async function aProcess({ types = [] as TypeRule<any>[], shared = true, copy = 'frozen' as Copy } = {}) {
    const cache = createCache({ name, types, ttl: '1h', ...(shared && { store: redisStore(server.url) }) });
    const problems: unknown[] = [];
    cache.on('error', ({ error }) => problems.push(error));
    cache.on('load', ({ stored, reason }) => !stored && problems.push(reason));
    cleanups.push(() => cache.close());
    let loads = 0;
    return {
      ...{ cache, problems },
      loads: () => loads,
      async open(more: Partial<DataSourceOptions> = {}): Promise<DataSource> {
        const ds = await withCache(make(more), { cache }).initialize();
        cleanups.push(() => ds.isInitialized && ds.destroy());
        return ds;
      },
      get: <T>(key: string, load: () => Promise<T>) =>
        cache.getOrSet({
          ...{ key, copy },
          load: () => {
            loads++;
            return load();
          },
        }),
    };
  }
  const people = (ds: DataSource) =>
    ds.getRepository(library.Person).find({ relations: { books: true }, order: { id: 'ASC', books: { id: 'ASC' } } });
  /** Once what is stored has arrived in Redis. */
  const settled = (cache: Cache) => cache.close();

  /** What classes alone know. */
  function expectPeople(found: InstanceType<Library['Person']>[]) {
    const [ada, bob] = found as [InstanceType<Library['Author']>, InstanceType<Library['Person']>];
    expect(found.map((it) => it.constructor)).toEqual([library.Author, library.Person]);
    expect([ada.greet(), bob.greet()]).toEqual(['I am Ada, Turing', 'I am Bob']);
    expect(ada.address).toBeInstanceOf(library.Address);
    expect(ada.address.label).toBe('to Main');
    expect(ada.books.map((book) => book instanceof library.Book && book.shout)).toEqual(['ONE', 'TWO']);
    expect(ada.born).toEqual(new Date('1815-12-10T00:00:00Z'));
    expect(Buffer.isBuffer(ada.face) && ada.face.equals(Buffer.from([0, 255, 16]))).toBe(true);
    expect(ada.fortune).toBe(2n ** 60n);
  }

  test.each(['frozen', 'clone'] as const)(
    'from memory, copy: %s: equal, of their class, and nobody else’s',
    async (copy) => {
      const { get, open, loads, problems } = await aProcess({ shared: false, copy });
      const ds = await open();
      const load = () => get('people', () => people(ds));
      const missed = await load();
      const [hit, other] = [await load(), await load()];
      expect(loads()).toBe(1);
      expect(problems).toEqual([]);
      const expected = await people(bare);
      for (const found of [missed, hit, other]) {
        expect(found).toStrictEqual(expected);
        expectPeople(found);
      }
      // Whatever one reader does to his, the others do not see.
      const mine = hit[0]!;
      mine.name = 'Eve';
      mine.born.setTime(0);
      mine.face[0] = 7;
      mine.address.street = 'Side';
      mine.books[0]!.title = 'three';
      for (const found of [missed, other, await load()]) expect(found).toStrictEqual(expected);
      expectPeople(await load());
    },
  );

  test.each(['frozen', 'clone'] as const)('from Redis, by another process, copy: %s', async (copy) => {
    const writer = await aProcess({ copy });
    const from = await writer.open();
    await writer.get('people', () => people(from));
    await settled(writer.cache);

    const reader = await aProcess({ copy });
    await reader.open();
    const read = () => reader.get('people', () => Promise.reject(new Error('It was not in Redis.')));
    const expected = await people(bare);
    for (const found of [await read(), await read()] as unknown as (typeof expected)[]) {
      expect(found).toStrictEqual(expected);
      expectPeople(found);
    }
    expect([...writer.problems, ...reader.problems, reader.loads()]).toEqual([0]);
  });

  test('a hit can be saved', async () => {
    const { cache, get, open, loads } = await aProcess({ copy: 'clone' });
    const ds = await open();
    const books = ds.getRepository(library.Book);
    const book = () => get('book', () => books.findOneByOrFail({ id: 2 }));
    await book();
    for (const title of ['better', 'two']) {
      const mine = await book();
      mine.title = title;
      await books.save(mine);
      // A hit is what it is, and what was saved has ended it.
      expect((await book()).title).toBe(title);
      expect((await bare.getRepository(library.Book).findOneByOrFail({ id: 2 })).shout).toBe(title.toUpperCase());
      expect(await books.count()).toBe(2);
    }
    expect(loads()).toBe(3);
    expect((await cache.getOrSet({ key: 'book', load: () => books.findOneByOrFail({ id: 1 }) })).title).toBe('two');
  });

  test('from cached functions, and several at once', async () => {
    const { cache, open, problems } = await aProcess({ shared: false });
    const books = (await open()).getRepository(library.Book);
    let loads = 0;
    const one = cache.withCache(
      (id: number) => {
        loads++;
        return books.findOneByOrFail({ id });
      },
      { name: 'book' },
    );
    const many = (ids: readonly number[]) =>
      cache.getOrSetMany({
        inputs: ids,
        key: (id) => ['many', id],
        load: async (missing) => {
          loads++;
          const found = await books.find();
          return missing.map((id) => found.find((book) => book.id === id));
        },
      });
    const batch = cache.batch({
      name: 'books',
      key: (id: number) => [id],
      by: 'id',
      load: async (ids: readonly number[]) => {
        loads++;
        return (await books.find()).filter(({ id }) => ids.includes(id));
      },
    });
    const all = async () => [
      await one(1),
      ...(await many([1, 2])),
      ...(await Promise.all([batch.load(1), batch.load(2)])),
    ];
    await all();
    expect(loads).toBe(3);
    const found = await all();
    expect(found.map((book) => book instanceof library.Book && book.shout)).toEqual([
      'ONE',
      'ONE',
      'TWO',
      'ONE',
      'TWO',
    ]);
    expect([loads, ...problems]).toEqual([3]);
  });

  test('who does not know the class has a miss, and no error', async () => {
    const writer = await aProcess();
    const from = await writer.open();
    await writer.get('people', () => people(from));
    await settled(writer.cache);
    const stranger = await aProcess();
    expect(await stranger.get('people', async () => 'plain')).toBe('plain');
    expect([...stranger.problems, stranger.loads()]).toEqual([1]);
  });

  test('what the user says of a class is what counts', async () => {
    const { Book } = library;
    const decode = (title: string) => Object.assign(new Book(), { title: `mine: ${title}` });
    const { get, open } = await aProcess({ types: [{ class: Book, encode: (book) => book.title, decode }] });
    const books = (await open()).getRepository(Book);
    const load = () => get('book', () => books.findOneByOrFail({ id: 1 }));
    await load();
    expect((await load()).title).toBe('mine: one');
  });

  describe('lazy relations', () => {
    const loan = (ds: DataSource) => ds.getRepository(library.Loan).findOneByOrFail({ id: 1 });

    test('are loaded by whoever asks, unless they came with it', async () => {
      const writer = await aProcess();
      const from = await writer.open();
      await writer.get('without', () => loan(from));
      await writer.get('with', async () => {
        const found = await loan(from);
        await found.book;
        return found;
      });
      await settled(writer.cache);
      expect(writer.problems).toEqual([]);

      const reader = await aProcess();
      const to = await reader.open();
      const read = (key: string) => reader.get(key, () => loan(to));
      for (const key of ['with', 'without', 'without']) {
        const found = await read(key);
        expect(found).toBeInstanceOf(library.Loan);
        expect(found.book).toBeInstanceOf(Promise);
        expect((await found.book).shout).toBe('ONE');
        expect(await found.book).toBe(await found.book);
      }
      expect(reader.loads()).toBe(0);
    });

    test('what is under way when the load ends is not stored, and it is said', async () => {
      const { get, open, loads, problems } = await aProcess({ shared: false });
      const ds = await open();
      let pending: Promise<unknown> | undefined;
      const read = () =>
        get('loan', async () => {
          const found = await loan(ds);
          pending = found.book;
          return found;
        });
      await read();
      expect(problems).toEqual(['value.__promise_book__ is Promise, which cannot be stored']);
      await pending;
      await read();
      await pending;
      expect(loads()).toBe(2);
    });

    test('those that another data source would load are not stored', async () => {
      const { get, open, problems } = await aProcess({ shared: false });
      const [one, other] = [await open(), await open()];
      await get('of the other', () => loan(other));
      expect(problems).toEqual([]);
      await get('of the one', () => loan(one));
      expect(problems).toEqual([expect.stringContaining('value is a Loan with lazy parts that other clients')]);
      await get('without any', () => people(one));
      expect(problems).toHaveLength(1);
    });
  });
}
