// The same service. `npx tsx examples/migrating/cache-manager/after.ts`
import { createCache } from 'unstale';
import { redisStore } from 'unstale/redis';
import { Memory, start, tell } from '../story.js';

const db = new Memory();
const { url: redisUrl, stop } = await start('redis');

const cache = createCache({ store: redisStore(redisUrl), ttl: '1m' });

const user = (id: number) =>
  cache.getOrSet({ key: ['user', id], ttl: '5m', tags: [`user:${id}`], load: () => db.user(id) });

async function rename(id: number, name: string) {
  await db.rename(id, name);
  await cache.invalidate(`user:${id}`); // and with it whatever else has that tag
}

await tell({ user, rename }, db);
await cache.close();
await stop();
