import { cached, unwrap, withCache } from 'unstale/prisma';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { hasPrisma, tellOfNoPrisma } from '../../prisma/client.js';
import { type Opened, type PrismaWorld, prismaWorld } from './world.js';

const services = inject('services');
const databases = (['postgres', 'mysql', 'sqlite'] as const).filter(
  (name) => hasPrisma && services[name] !== undefined,
);

describe.each(databases)('prisma on %s', (dialect) => {
  let world: PrismaWorld;
  let at: Opened;
  let Prisma: any;

  beforeAll(async () => {
    world = await prismaWorld(dialect, (services[dialect] as { url?: string }).url);
    Prisma = world.prisma.Prisma;
  });
  afterAll(() => world?.end());
  beforeEach(async () => {
    await world.refill();
    at = world.open({ default: '1h' });
    await at.prisma.user.findFirst({ cache: false });
  });

  /** What both reads gave, and how many statements each has cost. */
  async function twice<T>(read: () => Promise<T>): Promise<{ values: [T, T]; costs: [number, number] }> {
    const start = at.sent().length;
    const first = await read();
    const middle = at.sent().length;
    const second = await read();
    return { values: [first, second], costs: [middle - start, at.sent().length - middle] };
  }

  test('a hit costs no statement and no connection, and equals what Prisma gave', async () => {
    let acquired = 0;
    at.pool?.on('acquire', () => acquired++);
    const read = () =>
      at.prisma.user.findMany({ orderBy: { id: 'asc' }, include: { posts: { include: { tags: true } } } });
    const { values, costs } = await twice(read);
    const before = acquired;
    const hit = await read();
    expect(acquired).toBe(before);
    const plain = await at.base.user.findMany({
      orderBy: { id: 'asc' },
      include: { posts: { include: { tags: true } } },
    });
    for (const one of [...values, hit]) expect(one).toStrictEqual(plain);
    expect(costs[0]).toBeGreaterThan(0);
    expect(costs[1]).toBe(0);
  });

  test('values keep their types: Decimal, Date, BigInt, bytes, JSON', async () => {
    const photo = new Uint8Array([1, 2, 255]);
    await at.prisma.user.update({ where: { id: 1 }, data: { photo, meta: { a: [1, null, 'x'], n: 1.5 } } });
    const { values, costs } = await twice<any>(() => at.prisma.user.findUnique({ where: { id: 1 } }));
    expect(costs[1]).toBe(0);
    for (const user of values) {
      expect(user.balance).toBeInstanceOf(Prisma.Decimal);
      expect(user.balance.times(2).toString()).toBe('24.68');
      expect(user.born).toEqual(new Date(0));
      expect(user.visits).toBe(2n ** 60n);
      expect(Object.getPrototypeOf(user.photo)).toBe(Uint8Array.prototype);
      expect([...user.photo]).toEqual([1, 2, 255]);
      expect(user.meta).toEqual({ a: [1, null, 'x'], n: 1.5 });
    }
    values[1].name = 'changed by a reader';
    expect((await at.prisma.user.findUnique({ where: { id: 1 } })).name).toBe('Ada');
  });

  test('decimals of a store are of the class of the client that reads them', async () => {
    const other = world.open({ default: '1h' });
    await at.prisma.user.aggregate({ _sum: { balance: true } });
    const packed = await at.prisma.user.aggregate({ _sum: { balance: true } });
    expect(packed._sum.balance).toBeInstanceOf(Prisma.Decimal);
    expect((await other.prisma.user.aggregate({ _sum: { balance: true } }))._sum.balance.toString()).toBe('12.34');
  });

  test('DbNull, JsonNull and decimals in arguments are told apart', async () => {
    await at.base.user.update({ where: { id: 1 }, data: { meta: Prisma.JsonNull } });
    const ids = async (where: object) =>
      (await at.prisma.user.findMany({ where, orderBy: { id: 'asc' } })).map(({ id }: any) => id);
    for (let round = 0; round < 2; round++) {
      expect(await ids({ meta: { equals: Prisma.DbNull } })).toEqual([2, 3]);
      expect(await ids({ meta: { equals: Prisma.JsonNull } })).toEqual([1]);
      expect(await ids({ meta: { equals: Prisma.AnyNull } })).toEqual([1, 2, 3]);
      expect(await ids({ balance: new Prisma.Decimal('12.34') })).toEqual([1]);
      expect(await ids({ balance: new Prisma.Decimal('12.35') })).toEqual([]);
      expect(await ids({ email: { equals: at.prisma.user.fields.name } })).toEqual([]);
      expect(await ids({ name: { equals: at.prisma.user.fields.name } })).toEqual([1, 2, 3]);
    }
  });

  test('a fluent read and the select that it stands for are two', async () => {
    for (let round = 0; round < 2; round++) {
      expect(await at.prisma.user.findUnique({ where: { id: 1 } }).posts()).toEqual([
        { id: 1, title: 'one', authorId: 1 },
      ]);
      expect(await at.prisma.user.findUnique({ where: { id: 1 }, select: { posts: true } })).toEqual({
        posts: [{ id: 1, title: 'one', authorId: 1 }],
      });
    }
    await at.prisma.post.update({ where: { id: 1 }, data: { title: 'two' } });
    expect(await at.prisma.user.findUnique({ where: { id: 1 } }).posts()).toEqual([
      { id: 1, title: 'two', authorId: 1 },
    ]);
  });

  test('clients that leave out other fields do not see what each other may', async () => {
    const { PrismaClient } = world.prisma;
    const secretive = withCache(
      new PrismaClient({ adapter: at.adapter, omit: { user: { email: true } } }) as any,
    ) as any;
    for (let round = 0; round < 2; round++) {
      expect(await at.prisma.user.findFirst({ where: { id: 2 } })).toHaveProperty('email', 'bob@x');
      expect(await secretive.user.findFirst({ where: { id: 2 } })).not.toHaveProperty('email');
      expect(await at.prisma.user.findFirst({ where: { id: 2 }, omit: { name: true } })).not.toHaveProperty('name');
    }
    await secretive.$disconnect();
  });

  test('five lookups at a time cost what they cost without a cache, and nothing afterwards', async () => {
    const five = (client: any) => Promise.all([1, 2, 3, 4, 5].map((id) => client.user.findUnique({ where: { id } })));
    const start = at.sent().length;
    const plain = await five(at.base);
    const cost = at.sent().length - start;
    const { values, costs } = await twice(() => five(at.prisma));
    expect(cost).toBe(1);
    expect(costs).toEqual([1, 0]);
    expect(values).toEqual([plain, plain]);
    await at.prisma.user.update({ where: { id: 2 }, data: { name: 'Bo' } });
    expect((await five(at.prisma))[1].name).toBe('Bo');
  });

  test('lookups of several loads in one tick belong to each of them', async () => {
    const load = (id: number) =>
      at.cache.getOrSet({
        key: ['both', id],
        load: async () => {
          const [post, user] = await Promise.all([
            at.prisma.post.findMany({ where: { id }, cache: false }),
            at.prisma.user.findUnique({ where: { id }, cache: false }),
          ]);
          return [post.length, user.name];
        },
      });
    const all = () => Promise.all([1, 2, 3].map(load));
    const { values, costs } = await twice(all);
    expect(values[1]).toEqual([
      [1, 'Ada'],
      [0, 'Bob'],
      [0, 'Cleo'],
    ]);
    expect(costs[1]).toBe(0);
    for (const id of [1, 2, 3]) {
      await at.prisma.user.update({ where: { id }, data: { name: `new ${id}` } });
      expect((await load(id))[1]).toBe(`new ${id}`);
    }
  });

  test('so do those of a client that is not extended, once there is one that is', async () => {
    const load = (id: number) =>
      at.cache.getOrSet({
        key: ['bare', id],
        load: async () => {
          const [posts, user] = await Promise.all([
            at.base.post.count({ where: { authorId: id } }),
            at.base.user.findUnique({ where: { id } }),
          ]);
          return [posts, user.name];
        },
      });
    const all = () => Promise.all([1, 2, 3].map(load));
    const { costs } = await twice(all);
    expect(costs[1]).toBe(0);
    for (const id of [1, 2, 3]) {
      await at.base.user.update({ where: { id }, data: { name: `new ${id}` } });
      expect((await load(id))[1]).toBe(`new ${id}`);
    }
  });

  test('what a client that is extended, or the one it was made of, does elsewhere costs no load its place', async () => {
    const counted = gate();
    const rest = gate();
    const reading = at.cache.read({
      key: 'beside',
      load: async () => {
        const posts = await at.base.post.count();
        counted.resolve();
        await rest.promise;
        return posts;
      },
    });
    await counted.promise;
    await at.base.$transaction([at.base.user.findMany({ where: { id: 1 } })]);
    await at.prisma.$transaction((tx: any) => tx.user.findUnique({ where: { id: 1 } }));
    await Promise.all([at.base, at.prisma].map((client) => client.user.findUnique({ where: { id: 1 } })));
    rest.resolve();
    expect((await reading).stored).toBe(true);
  });

  test('a load with a transaction in it is not stored', async () => {
    const byList = () => at.base.$transaction([at.base.user.findMany(), at.base.user.count()]);
    const byCallback = () => at.prisma.$transaction((tx: any) => tx.user.findFirst({ where: { id: 1 } }));
    for (const [key, load] of Object.entries({ byList, byCallback })) {
      await at.cache.getOrSet({ key: 'other', tags: [], load: () => at.base.post.count() });
      const both = () =>
        at.cache.read({
          key,
          load: async () => [await at.base.post.count(), await load()],
        });
      expect((await both()).stored).toBe(false);
    }
  });

  test('without an extended client, lookups are not stored, and the rest is', async () => {
    const other = world.open({}, { extended: false });
    const untracked: string[] = [];
    other.cache.on('untracked', ({ reason }) => untracked.push(reason));
    const lookup = () => other.cache.read({ key: 'one', load: () => other.base.user.findUnique({ where: { id: 1 } }) });
    expect((await lookup()).stored).toBe(false);
    expect(untracked[0]).toContain('withCache(client)');
    const list = () =>
      other.cache.read<any[]>({ key: 'all', load: () => other.base.user.findMany({ select: { name: true } }) });
    expect((await list()).stored).toBe(true);
    await other.base.user.update({ where: { id: 1 }, data: { name: 'Ida' } });
    expect((await list()).value.map(({ name }) => name)).toContain('Ida');
  });

  describe('what a client that is not extended sends for others as well', () => {
    const asks: Record<string, (client: any, id: number) => Promise<any>> = {
      'by the primary key': (client, id) => client.user.findUnique({ where: { id } }),
      'by another key': (client, id) => client.user.findUnique({ where: { email: ['', 'ada@x', 'bob@x'][id] } }),
      'with more conditions': (client, id) => client.user.findUnique({ where: { id, NOT: { name: 'none' } } }),
      'or throwing': (client, id) => client.user.findUniqueOrThrow({ where: { id } }),
      'with relations': (client, id) => client.user.findUnique({ where: { id }, include: { posts: true } }),
      'by a relation': (client, id) => client.user.findUnique({ where: { id }, select: { id: true, name: true } }),
      'in a list': async (client, id) => (await client.$transaction([client.user.findMany({ where: { id } })]))[0][0],
    };
    const cases = Object.entries(asks).flatMap(([name, ask]) =>
      (['load', 'outside'] as const).flatMap((first) =>
        [false, true].map((beside) => ({ name, ask, first, beside, says: beside ? 'one that is' : 'no other' })),
      ),
    );

    test.each(cases)('$name, asked first in a $first, beside $says', async ({ ask, first, beside }) => {
      const own = world.open({}, { extended: false });
      const { PrismaClient } = world.prisma;
      if (beside) await (withCache(new PrismaClient({ adapter: own.adapter }) as any) as any).user.findFirst();
      await own.base.user.findFirst();
      const read = (id: number) =>
        own.cache.read<[number, string]>({
          key: ['joined', id],
          load: async () => {
            const [posts, user] = await Promise.all([own.base.post.count(), ask(own.base, id)]);
            return [posts, user.name];
          },
        });
      await Promise.all([first === 'load' ? read(1) : ask(own.base, 1), read(2)]);
      for (const id of [1, 2]) await own.base.user.update({ where: { id }, data: { name: `new ${id}` } });
      expect([(await read(1)).value[1], (await read(2)).value[1]]).toEqual(['new 1', 'new 2']);
    });
  });

  test('nested writes, join tables and cascades end what they change', async () => {
    const tagged = () => at.prisma.post.findMany({ where: { tags: { some: { name: 'red' } } }, select: { id: true } });
    const withTags = () => at.prisma.post.findUnique({ where: { id: 1 }, include: { tags: true } });
    const counted = () => at.prisma.user.findMany({ where: { id: 1 }, select: { _count: true } });
    expect(await tagged()).toEqual([{ id: 1 }]);
    expect((await withTags()).tags).toHaveLength(1);
    expect(await counted()).toEqual([{ _count: { posts: 1 } }]);
    await at.prisma.post.update({ where: { id: 1 }, data: { tags: { disconnect: { id: 1 } } } });
    expect(await tagged()).toEqual([]);
    expect((await withTags()).tags).toEqual([]);
    await at.prisma.user.update({
      where: { id: 1 },
      data: { posts: { create: { id: 2, title: 'two', tags: { connect: { id: 1 } } } } },
    });
    expect(await tagged()).toEqual([{ id: 2 }]);
    expect(await counted()).toEqual([{ _count: { posts: 2 } }]);
    await at.base.user.delete({ where: { id: 1 } });
    expect(await tagged()).toEqual([]);
  });

  test('writes of a client that is not extended, and raw SQL, end what they change', async () => {
    const name = async () => (await at.prisma.user.findUnique({ where: { id: 1 } })).name;
    const raw = async () =>
      ((await cached('1h', () => at.prisma.$queryRaw`select name from users where id = ${1}`)) as any)[0].name;
    expect([await name(), await raw()]).toEqual(['Ada', 'Ada']);
    await at.base.user.updateMany({ where: { id: 1 }, data: { name: 'Ida' } });
    expect([await name(), await raw()]).toEqual(['Ida', 'Ida']);
    await at.base.$executeRaw`update users set name = ${'Eda'} where id = ${1}`;
    expect([await name(), await raw()]).toEqual(['Eda', 'Eda']);
    const { costs } = await twice(raw);
    expect(costs).toEqual([0, 0]);
  });

  test('a transaction with a callback reads its own rows, and counts when it is committed', async () => {
    const name = () => at.prisma.user.findUnique({ where: { id: 1 }, select: { name: true } });
    await at.cache.set('mine', 1);
    await name();
    const failed = at.prisma.$transaction(async (tx: any) => {
      await tx.user.update({ where: { id: 1 }, data: { name: 'dirty' } });
      await at.cache.invalidate('mine');
      expect(await tx.user.findUnique({ where: { id: 1 }, select: { name: true }, cache: '1h' })).toEqual({
        name: 'dirty',
      });
      throw new Error('rolled back on purpose');
    });
    await expect(failed).rejects.toThrow('on purpose');
    expect(await name()).toEqual({ name: 'Ada' });
    const { costs } = await twice(name);
    expect(costs).toEqual([0, 0]);
    await at.prisma.$transaction(async (tx: any) => {
      await tx.user.update({ where: { id: 1 }, data: { name: 'Ida' } });
      await expect(
        tx.$transaction(async (inner: any) => {
          await inner.user.update({ where: { id: 2 }, data: { name: 'dirty' } });
          throw new Error('to the savepoint');
        }),
      ).rejects.toThrow('savepoint');
      await at.cache.within(tx, () => at.cache.invalidate('mine'));
    });
    expect(await name()).toEqual({ name: 'Ida' });
    expect((await at.prisma.user.findUnique({ where: { id: 2 } })).name).toBe('Bob');
  });

  test('a list of queries in a transaction does not hang, and reads past the cache', async () => {
    const find = () => at.prisma.user.findUnique({ where: { id: 1 }, cache: '1h' });
    await find();
    const start = at.sent().length;
    const [before, , after] = await at.prisma.$transaction([
      find(),
      at.prisma.user.update({ where: { id: 1 }, data: { name: 'Ida' } }),
      find(),
    ]);
    expect([before.name, after.name]).toEqual(['Ada', 'Ida']);
    expect(at.sent().length - start).toBeGreaterThanOrEqual(3);
    expect((await find()).name).toBe('Ida');
    const [raw] = await at.prisma.$transaction([at.prisma.$queryRaw`select name from users where id = 1`]);
    expect(raw).toEqual([{ name: 'Ida' }]);
  });

  test('a transaction that runs out of time changes nothing, and leaves the cache as it was', async () => {
    const name = () => at.prisma.user.findUnique({ where: { id: 1 }, select: { name: true } });
    await name();
    const late = at.prisma.$transaction(
      async (tx: any) => {
        await tx.user.update({ where: { id: 1 }, data: { name: 'late' } });
        await new Promise((resolve) => setTimeout(resolve, 300));
        await tx.user.update({ where: { id: 1 }, data: { name: 'later' } });
      },
      { timeout: 100 },
    );
    await expect(late).rejects.toThrow(/expired|closed|timeout/i);
    expect((await twice(name)).values[0]).toEqual({ name: 'Ada' });
    await at.prisma.user.update({ where: { id: 1 }, data: { name: 'Ida' } });
    expect(await name()).toEqual({ name: 'Ida' });
  });

  test('computed fields are there on hits', async () => {
    const extension = {
      result: { user: { loud: { needs: { name: true }, compute: ({ name }: any) => name.toUpperCase() } } },
    };
    for (const client of [withCache(at.base.$extends(extension)) as any, at.prisma.$extends(extension)])
      for (let round = 0; round < 2; round++) {
        expect((await client.user.findUnique({ where: { id: 1 } })).loud).toBe('ADA');
        const { loud, ...others } = await client.user.findUnique({ where: { id: 1 }, select: { loud: true } });
        expect([loud, Object.keys(others)]).toEqual(['ADA', []]);
      }
  });

  test('rules of tables go by the models that are read', async () => {
    const only = world.open({ tables: { users: { ttl: '1h' } } });
    await only.prisma.user.findMany();
    const costs = async (read: () => Promise<unknown>) => {
      await read();
      const before = only.sent().length;
      await read();
      return only.sent().length - before;
    };
    expect(await costs(() => only.prisma.user.findMany())).toBe(0);
    expect(await costs(() => only.prisma.post.findMany())).toBe(1);
    expect(await costs(() => only.prisma.user.findMany({ where: { posts: { none: {} } } }))).toBe(1);
    expect(await costs(() => only.prisma.post.findMany({ cache: '1m' }))).toBe(0);
    expect(await costs(() => only.prisma.user.findMany({ cache: false }))).toBe(1);
    expect(await costs(() => cached('1m', () => only.prisma.post.count()))).toBe(0);
    expect(await costs(() => cached(false, () => only.prisma.user.count()))).toBe(1);
  });

  test('what it cannot do is refused', async () => {
    const { adapter } = world.adapter();
    const { PrismaClient } = world.prisma;
    const { cache } = at;
    expect(() => withCache(new PrismaClient({ adapter }) as any)).toThrow(
      'Expected `client` to be one whose driver adapter was wrapped',
    );
    expect(() => withCache(at.adapter, { cache, database: 'app' })).toThrow('wrapped already');
    expect(() => withCache({} as never, { cache })).toThrow('Expected `adapter`');
    expect(() =>
      withCache({ ...adapter, adapterName: '@prisma/adapter-d1', connect() {} }, { cache, database: 'app' }),
    ).toThrow('Expected `adapter`');
    expect(() => (withCache as any)(at.base, { cache })).toThrow('with the driver adapter');
    expect(() => unwrap(adapter)).toThrow('wrapped by withCache');
    expect(unwrap(withCache(adapter, { cache, database: 'app' }))).toBe(adapter);
    await expect(at.prisma.user.findMany({ cache: 'soon' })).rejects.toThrow(TypeError);
    await expect(at.prisma.user.create({ data: { id: 9 }, cache: '1m' })).rejects.toThrow(/cache/);
  });

  test('a client that was disconnected goes on when it is asked again', async () => {
    const own = world.open({ default: '1h' }, { cache: {} });
    const name = async () => (await own.prisma.user.findUnique({ where: { id: 1 } })).name;
    expect(await name()).toBe('Ada');
    if (dialect === 'sqlite') await own.base.$disconnect();
    await own.base.user.update({ where: { id: 1 }, data: { name: 'Ida' } });
    expect(await name()).toBe('Ida');
  });

  test('the negative control: without the wrapped driver adapter, writes leave the cache as it was', async () => {
    const { PrismaClient } = world.prisma;
    const bare = new PrismaClient({ adapter: world.adapter().adapter });
    const name = async () => (await at.prisma.user.findUnique({ where: { id: 1 } })).name;
    expect(await name()).toBe('Ada');
    await bare.user.update({ where: { id: 1 }, data: { name: 'Ida' } });
    expect(await name()).toBe('Ada');
    await bare.$disconnect();
  });
});

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

if (!hasPrisma) test.skip(tellOfNoPrisma());
