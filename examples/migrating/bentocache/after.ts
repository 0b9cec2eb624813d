// The same service. `npx tsx examples/migrating/bentocache/after.ts`
import { createCache } from 'unstale';
import { redisStore } from 'unstale/redis';
import { Memory, start, tell } from '../story.js';

const db = new Memory();
const { url: redisUrl, stop } = await start('redis');

const cache = createCache({ store: redisStore(redisUrl), memory: { maxBytes: '64mb' } });

const user = (id: number) =>
  cache.getOrSet({
    key: ['user', id],
    ttl: '5m',
    staleOnError: '1h',
    tags: [`user:${id}`],
    load: () => db.user(id),
  });

async function rename(id: number, name: string) {
  await db.rename(id, name);
  await cache.invalidate(`user:${id}`);
}

await tell({ user, rename }, db);
await cache.close();
await stop();
