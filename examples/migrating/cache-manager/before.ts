// cache-manager with one store, Redis, by Keyv.
// `npm run setup && npx tsx --tsconfig test/peers/tsconfig.json examples/migrating/cache-manager/before.ts`
import KeyvRedis from '@keyv/redis';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { Memory, start, tell } from '../story.js';

const db = new Memory();
const { url: redisUrl, stop } = await start('redis');

const cache = createCache({ stores: [new Keyv({ store: new KeyvRedis(redisUrl) })], ttl: 60_000 });

const user = (id: number) => cache.wrap(`user:${id}`, () => db.user(id), 300_000);

async function rename(id: number, name: string) {
  await db.rename(id, name);
  await cache.del(`user:${id}`); // and the key of whatever else shows the name
}

await tell({ user, rename }, db);
await cache.disconnect();
await stop();
