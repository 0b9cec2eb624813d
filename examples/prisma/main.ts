// Prisma whose reads come from the cache and whose writes end them, on a private PostgreSQL that goes when it is done:
// `npm run setup && npx tsx --tsconfig examples/prisma/tsconfig.json examples/prisma/main.ts`
import { cached, withCache } from '../../adapters/prisma/index.js'; // in your project: from 'unstale/prisma'
import { createCache } from '../../src/index.js'; // in your project: from 'unstale'
import { prismaOf } from '../../test/prisma/client.js';
import { startPostgres } from '../../test/services/postgres.js';

// In your project: from '@prisma/adapter-pg', and from where your client is generated.
const { PrismaClient, adapter } = await prismaOf('postgres');
const postgres = await startPostgres();
const cache = createCache({ ttl: '5m' });
const base = new PrismaClient({
  adapter: withCache(adapter({ connectionString: postgres.url }), { cache }),
  log: [{ emit: 'event', level: 'query' }],
});
const prisma: any = withCache(base);

let sent = 0;
base.$on('query', () => sent++);
function show(what: string, value: unknown): void {
  console.log(`${what.padEnd(40)} ${sent} sent   ${JSON.stringify(value)}`);
  sent = 0;
}
const ada = () => prisma.user.findUnique({ where: { id: 1 }, select: { name: true, posts: true }, cache: '1m' });

try {
  await base.$executeRawUnsafe(`create table users (id integer primary key, email text, name text, org_id integer default 1,
    balance numeric, meta jsonb, photo bytea, visits bigint, born timestamp)`);
  await base.$executeRawUnsafe(`create table posts (id integer primary key, title text,
    author_id integer references users on delete cascade)`);
  await base.user.create({ data: { id: 1, email: 'ada@example.org', name: 'Ada' } });
  sent = 0;

  // 1. What says `cache` may come from the cache.
  show('first read', await ada());
  show('second read', await ada());

  // 2. Every write ends what it changes, before it resolves: nested ones, raw SQL, those of the client without extension.
  await base.$executeRaw`update users set name = ${'Ada Lovelace'} where id = 1`;
  sent = 0;
  show('after raw SQL', await ada());
  await prisma.user.update({ where: { id: 1 }, data: { posts: { create: { id: 1, title: 'Notes' } } } });
  sent = 0;
  show('after a nested write', await ada());

  // 3. Lookups of one tick are still one statement, and none when they are in the cache.
  const five = () => Promise.all([1, 2, 3, 4, 5].map((id) => prisma.user.findUnique({ where: { id }, cache: '1m' })));
  show('five lookups', (await five()).length);
  show('again', (await five()).length);

  // 4. Of a transaction counts what is committed.
  await prisma.$transaction(async (tx: any) => {
    await tx.user.update({ where: { id: 1 }, data: { name: 'Eve' } });
    await cache.invalidate('report');
  });
  sent = 0;
  show('after a transaction', await ada());
  show('raw SQL', await cached('1m', () => prisma.$queryRaw`select count(*)::int as posts from posts`));
  show('again', await cached('1m', () => prisma.$queryRaw`select count(*)::int as posts from posts`));
} finally {
  await base.$disconnect();
  await cache.close();
  await postgres.stop();
}
