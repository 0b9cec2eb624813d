import { setTimeout as sleep } from 'node:timers/promises';
import { cached, withCache } from 'unstale/prisma';
import { redisStore } from 'unstale/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { hasPrisma } from '../../prisma/client.js';
import { type Opened, type PrismaWorld, prismaWorld } from '../prisma/world.js';

// prisma-extension-redis answers members of a batch transaction itself, which then never ends; knows nothing of what an
// `include` has read; ends what a write changes before the write is committed; and has one key for clients that may see
// different columns.

const services = inject('services');
const databases = (['postgres', 'mysql', 'sqlite'] as const).filter(
  (name) => hasPrisma && services[name] !== undefined,
);

describe.each(databases)('what caches for Prisma do wrong, on %s', (dialect) => {
  let world: PrismaWorld;
  let at: Opened;
  beforeAll(async () => {
    world = await prismaWorld(dialect, (services[dialect] as { url?: string }).url);
  });
  afterAll(() => world?.end());
  beforeEach(async () => {
    await world.refill();
    at = world.open({ default: '1h' });
    await at.prisma.user.findFirst({ cache: false });
  });

  /** Fails early and by name: a test that hangs would only say that its time is over. */
  const inTime = <T>(running: Promise<T>) =>
    Promise.race([running, sleep(15_000, undefined, { ref: false }).then(() => Promise.reject(new Error('it hangs')))]);

  test('a batch whose members are all in the cache does not hang', async () => {
    const one = () => at.prisma.user.findUnique({ where: { id: 1 }, cache: '1h' });
    const all = () => at.prisma.user.findMany({ orderBy: { id: 'asc' }, select: { id: true }, cache: '1h' });
    const raw = () => at.prisma.$queryRaw`select name from users where id = 2`;
    const before = [await one(), await all(), await raw()];
    for (let round = 0; round < 3; round++) {
      expect(await inTime(at.prisma.$transaction([one(), all(), raw()]))).toEqual(before);
      expect(await inTime(cached('1h', () => at.prisma.$transaction([one(), one()])))).toEqual([before[0], before[0]]);
    }
    const mixed = at.prisma.$transaction([
      at.prisma.user.update({ where: { id: 1 }, data: { name: 'Ida' }, select: { name: true } }),
      one(),
      all(),
    ]);
    expect((await inTime<any>(mixed))[1].name).toBe('Ida');
    expect((await one()).name).toBe('Ida');
  });

  test('what an include has read ends when a child is written, however it is written', async () => {
    const parent = () =>
      at.prisma.user.findUnique({
        where: { id: 1 },
        select: {
          name: true,
          posts: { orderBy: { id: 'asc' }, select: { title: true, tags: { select: { name: true } } } },
        },
      });
    const titles = async () => (await parent()).posts.map(({ title }: any) => title);
    const kept = async () => {
      const before = at.sent().length;
      await parent();
      return at.sent().length === before;
    };
    expect(await titles()).toEqual(['one']);
    expect(await kept()).toBe(true);
    await at.prisma.post.update({ where: { id: 1 }, data: { title: 'two' } });
    expect(await titles()).toEqual(['two']);
    await at.base.post.create({ data: { id: 5, title: 'new', authorId: 1 } });
    expect(await titles()).toEqual(['two', 'new']);
    await at.base.$executeRaw`update posts set title = 'raw' where id = 5`;
    expect(await titles()).toEqual(['two', 'raw']);
    await at.prisma.$transaction([at.prisma.post.deleteMany({ where: { id: 5 } })]);
    expect(await titles()).toEqual(['two']);
    await at.prisma.tag.update({ where: { id: 1 }, data: { name: 'blue' } });
    expect((await parent()).posts[0].tags).toEqual([{ name: 'blue' }]);
    await at.prisma.post.update({ where: { id: 1 }, data: { tags: { set: [] } } });
    expect((await parent()).posts[0].tags).toEqual([]);
    expect(await kept()).toBe(true);
  });

  test('a write ends what it changes when it is committed, not before, and a rollback leaves no row behind', async () => {
    const name = async (from = at.prisma) => (await from.user.findUnique({ where: { id: 1 }, cache: '1h' })).name;
    expect(await name()).toBe('Ada');
    const failed = at.prisma.$transaction(async (tx: any) => {
      await tx.user.update({ where: { id: 1 }, data: { name: 'never was' } });
      expect(await name(tx)).toBe('never was');
      throw new Error('on purpose');
    });
    await expect(failed).rejects.toThrow('on purpose');
    const before = at.sent().length;
    expect(await name()).toBe('Ada');
    expect(at.sent().length).toBe(before);
  });

  test.skipIf(!services.redis)(
    'clients that leave out other columns share no entry, through Redis either',
    async () => {
      const { PrismaClient } = world.prisma;
      const store = () => redisStore(services.redis?.url as string, { timeout: '2s' });
      const open = () => world.open({ default: '1h' }, { cache: { store: store() } });
      const [writer, reader] = [open(), open()];
      const omitting = (of: Opened) =>
        withCache(new PrismaClient({ adapter: of.adapter, omit: { user: { email: true } } }) as any) as any;
      const [secretive, alsoSecretive] = [omitting(writer), omitting(reader)];
      const find = (client: any) => client.user.findFirst({ where: { id: 2 } });
      for (const of of [writer, reader]) await of.prisma.user.count({ cache: false });
      const full = await find(writer.prisma);
      expect(full.email).toBe('bob@x');
      const { email: _, ...short } = full;
      for (const client of [secretive, alsoSecretive]) expect(await find(client)).toEqual(short);
      // What the other process gets is what this one has stored.
      const before = reader.sent().length;
      expect(await find(reader.prisma)).toEqual(full);
      expect(await find(alsoSecretive)).toEqual(short);
      expect(reader.sent().length).toBe(before);
      for (const client of [secretive, alsoSecretive]) await client.$disconnect();
    },
  );
});

test.skipIf(hasPrisma)('npm run setup brings Prisma, and generates its clients', () => {
  expect(databases).toEqual([]);
});
