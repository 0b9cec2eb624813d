// bentocache as its documentation sets it up: memory in front of Redis, and a bus.
// `npm run setup && npx tsx --tsconfig test/peers/tsconfig.json examples/migrating/bentocache/before.ts`
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { Memory, start, tell } from '../story.js';

const db = new Memory();
const { url: redisUrl, stop } = await start('redis');

const { hostname: host, port } = new URL(redisUrl);
const connection = { host, port: Number(port) };
const bento = new BentoCache({
  default: 'shared',
  stores: {
    shared: bentostore()
      .useL1Layer(memoryDriver({ maxSize: '64mb' }))
      .useL2Layer(redisDriver({ connection }))
      .useBus(redisBusDriver({ connection })),
  },
});

const user = (id: number) =>
  bento.getOrSet({
    key: `user:${id}`,
    ttl: '5m',
    grace: '1h',
    timeout: '5s', // else a deleted value that is in its grace is served once more
    tags: [`user:${id}`],
    factory: () => db.user(id),
  });

async function rename(id: number, name: string) {
  await db.rename(id, name);
  await bento.deleteByTag({ tags: [`user:${id}`] });
}

await tell({ user, rename }, db);
await bento.disconnectAll();
await stop();
