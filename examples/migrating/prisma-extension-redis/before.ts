// prisma-extension-redis with its automatic cache, and with writes that end it.
// `npm run setup && npx tsx --tsconfig test/peers/tsconfig.json examples/migrating/prisma-extension-redis/before.ts`
import { Redis } from 'ioredis';
import { PrismaExtensionRedis } from 'prisma-extension-redis';
import { prismaOf } from '../../../test/prisma/client.js';
import { startPostgres } from '../postgres.js';
import { start, tell } from '../story.js';

// In your project: from '@prisma/adapter-pg', and from where your client is generated.
const { PrismaClient, adapter } = await prismaOf('postgres');
const postgres = await startPostgres();
const { url: redisUrl, stop } = await start('redis');
const databaseUrl = postgres.url;

const redis = new Redis(redisUrl);
const prisma = new PrismaClient({ adapter: adapter({ connectionString: databaseUrl }) }).$extends(
  PrismaExtensionRedis({
    config: { ttl: 300, stale: 0, type: 'STRING', auto: { ttl: 300, stale: 0, invalidateOnWrite: true } },
    client: redis,
  }),
);

const user = (id: number) => prisma.user.findUnique({ where: { id }, select: { id: true, name: true } });

async function rename(id: number, name: string) {
  await prisma.user.update({ where: { id }, data: { name }, select: { id: true } });
}

await tell({ user, rename }, postgres);
await prisma.$disconnect();
await redis.quit();
await stop();
await postgres.stop();
