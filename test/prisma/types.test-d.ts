// Checked by `test/integration/prisma/types.test.ts`, since a checkout has no generated client before `npm run setup`.
import { PrismaPg } from '@prisma/adapter-pg';
import { createCache } from 'unstale';
import { type CachedClient, cached, type unwrap, withCache } from 'unstale/prisma';
import { type Prisma, PrismaClient } from './generated/postgresql/client.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void {}

const cache = createCache();
const given = new PrismaPg({ database: 'app' });
const adapter = withCache(given, { cache, tables: { users: { ttl: '1m' } }, tenant: 'org_id', default: '10s' });
const bare = new PrismaClient({ adapter });
const prisma = withCache(bare);

export async function results(): Promise<void> {
  same<typeof adapter, PrismaPg>();
  same<ReturnType<typeof unwrap<PrismaPg>>, PrismaPg>();
  same<typeof prisma, CachedClient<typeof bare>>();

  const plain = bare.$extends({});
  const all = await prisma.user.findMany({ cache: '1m' });
  const twin = await plain.user.findMany({});
  same<typeof all, typeof twin>();
  same<
    (typeof all)[0],
    {
      id: number;
      email: string;
      name: string;
      orgId: number;
      balance: Prisma.Decimal | null;
      meta: Prisma.JsonValue;
      photo: Uint8Array<ArrayBuffer> | null;
      visits: bigint | null;
      born: Date | null;
    }
  >();
  const some = await prisma.user.findMany({
    select: { id: true, posts: { select: { title: true } } },
    cache: { ttl: '1m' },
  });
  same<typeof some, { id: number; posts: { title: string }[] }[]>();
  const one = await prisma.user.findUnique({
    where: { id: 1 },
    omit: { meta: true, photo: true, born: true, visits: true, balance: true },
    cache: false,
  });
  same<typeof one, { id: number; email: string; name: string; orgId: number } | null>();
  const sure = await prisma.user.findUniqueOrThrow({ where: { id: 1 }, select: { name: true }, cache: 60_000 });
  same<typeof sure, { name: string }>();
  const posts = await prisma.user.findUnique({ where: { id: 1 }, cache: '1m' }).posts();
  same<typeof posts, { id: number; title: string; authorId: number | null }[] | null>();
  const first = await prisma.post.findFirst({ include: { author: { select: { name: true } } }, cache: '1m' });
  const firstTwin = await plain.post.findFirst({ include: { author: { select: { name: true } } } });
  same<typeof first, typeof firstTwin>();
  const count = await prisma.user.count({ where: { orgId: 1 }, cache: '1m' });
  same<typeof count, number>();
  const sum = await prisma.user.aggregate({ _sum: { balance: true }, cache: '1m' });
  same<typeof sum, { _sum: { balance: Prisma.Decimal | null } }>();
  const groups = await prisma.user.groupBy({ by: ['orgId'], _count: true, cache: '1m' });
  same<(typeof groups)[0]['orgId'], number>();
  const around = await cached('1m', () => prisma.tag.findMany());
  same<typeof around, { id: number; name: string }[]>();
  const created = await prisma.tag.create({ data: { id: 1, name: 'red' } });
  same<typeof created, { id: number; name: string }>();
  const within = await prisma.$transaction(async (tx) => tx.user.count({ cache: '1m' }));
  same<typeof within, number>();
  const later = prisma.$extends({
    result: { user: { loud: { needs: { name: true }, compute: ({ name }) => name.toUpperCase() } } },
    model: { user: { hello: () => 'hello' as const } },
  });
  const loud = await later.user.findFirstOrThrow({ select: { loud: true }, cache: '1m' });
  same<typeof loud, { loud: string }>();
  same<ReturnType<typeof later.user.hello>, 'hello'>();
  const earlier = withCache(bare.$extends({ client: { $hello: () => 'hello' as const } }));
  same<ReturnType<typeof earlier.$hello>, 'hello'>();
  void earlier.user.findMany({ cache: '1m' });
  const omitted = withCache(new PrismaClient({ adapter, omit: { user: { email: true } } }));
  const without = await omitted.user.findFirstOrThrow({ cache: '1m' });
  // @ts-expect-error left out by the client
  void without.email;
}

export function wrong(): void {
  // @ts-expect-error no duration
  void prisma.user.findMany({ cache: 'soon' });
  // @ts-expect-error no such option
  void prisma.user.findMany({ cache: { lifetime: '1m' } });
  // @ts-expect-error a query says itself what it depends on
  void prisma.user.findMany({ cache: { ttl: '1m', tags: ['users'] } });
  // @ts-expect-error a write is not cached
  void prisma.user.deleteMany({ cache: '1m' });
  // @ts-expect-error no such field
  void prisma.user.findMany({ where: { nme: 'Ada' }, cache: '1m' });
  // @ts-expect-error a client without the extension takes none
  void bare.user.findMany({ cache: '1m' });
  // @ts-expect-error no cache
  withCache(given, {});
  // @ts-expect-error no such option
  withCache(given, { cache, tabels: {} });
  // @ts-expect-error no duration
  withCache(given, { cache, default: 'soon' });
  // @ts-expect-error no driver adapter
  withCache({}, { cache });
  // @ts-expect-error no options
  withCache(given);
}
