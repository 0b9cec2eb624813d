// Both extensions over one client, for the time in between: writes stay with the old one. `npm run setup`, then
// `npx tsx --tsconfig test/peers/tsconfig.json examples/migrating/prisma-extension-redis/beside.ts`
import { Redis } from 'ioredis';
import { PrismaExtensionRedis } from 'prisma-extension-redis';
import { createCache } from 'unstale';
import { withCache } from 'unstale/prisma';
import { prismaOf } from '../../../test/prisma/client.js';
import { startPostgres } from '../postgres.js';
import { start, tellBoth } from '../story.js';

// In your project: from '@prisma/adapter-pg', and from where your client is generated.
const { PrismaClient, adapter } = await prismaOf('postgres');
const postgres = await startPostgres();
const { url: redisUrl, stop } = await start('redis');
const databaseUrl = postgres.url;

const redis = new Redis(redisUrl);
const cache = createCache();
const config = { ttl: 300, stale: 0, type: 'STRING', auto: { ttl: 300, stale: 0, invalidateOnWrite: true } } as const;

const base = new PrismaClient({ adapter: withCache(adapter({ connectionString: databaseUrl }), { cache }) });
const old = base.$extends(PrismaExtensionRedis({ config, client: redis }));
const prisma: any = withCache(base);

const where = { id: 7 };
const rename = async (id: number, name: string) => {
  await old.user.update({ where: { id }, data: { name }, select: { id: true } });
};
const select = { id: true, name: true };
await tellBoth(
  { user: () => old.user.findUnique({ where, select }), rename },
  { user: () => prisma.user.findUnique({ where, select, cache: '5m' }), rename },
  postgres,
);
await prisma.$disconnect();
await redis.quit();
await cache.close();
await stop();
await postgres.stop();
