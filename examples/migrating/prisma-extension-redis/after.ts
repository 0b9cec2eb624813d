// The same service. `npm run setup` generates the client:
// `npx tsx --tsconfig test/peers/tsconfig.json examples/migrating/prisma-extension-redis/after.ts`
import { createCache } from 'unstale';
import { withCache } from 'unstale/prisma';
import { redisStore } from 'unstale/redis';
import { prismaOf } from '../../../test/prisma/client.js';
import { startPostgres } from '../postgres.js';
import { start, tell } from '../story.js';

// In your project: from '@prisma/adapter-pg', and from where your client is generated.
const { PrismaClient, adapter } = await prismaOf('postgres');
const postgres = await startPostgres();
const { url: redisUrl, stop } = await start('redis');
const databaseUrl = postgres.url;

const cache = createCache({ store: redisStore(redisUrl) });
const prisma: any = withCache(
  new PrismaClient({ adapter: withCache(adapter({ connectionString: databaseUrl }), { cache }) }),
);

const user = (id: number) => prisma.user.findUnique({ where: { id }, select: { id: true, name: true }, cache: '5m' });

async function rename(id: number, name: string) {
  await prisma.user.update({ where: { id }, data: { name }, select: { id: true } });
}

await tell({ user, rename }, postgres);
await prisma.$disconnect();
await cache.close();
await stop();
await postgres.stop();
