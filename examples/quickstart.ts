// The smallest start, with no server: `npx tsx examples/quickstart.ts`
import { createCache } from '../src/index.js'; // in your project: from 'unstale'

// Stands in for your database: slow, and it counts what it is asked.
const users = new Map([[7, { id: 7, name: 'Ada', team: 'engines' }]]);
let queries = 0;
async function findUser(id: number) {
  queries++;
  await new Promise((resolve) => setTimeout(resolve, 50));
  return users.get(id) ?? null;
}

// In memory. For several processes, give it a store: createCache({ store: redisStore('redis://localhost:6379') })
const cache = createCache({ ttl: '5m' });

// 1. Wrap the function. The key comes from its name and arguments; the tags say what ends the value.
const getUser = cache.withCache(findUser, { name: 'user', tags: (id) => [`user:${id}`] });

// 2. Call it as before. A hundred callers at once are one query, and whoever comes later needs none.
await Promise.all(Array.from({ length: 100 }, () => getUser(7)));
for (let i = 0; i < 100; i++) await getUser(7);
console.log(`200 calls: ${(await getUser(7))?.name}, ${queries} query`);

// 3. After a write, invalidate. When that has resolved, no read that begins anywhere gets the old row.
users.set(7, { id: 7, name: 'Ada Lovelace', team: 'engines' });
await cache.invalidate('user:7');
console.log(`after the write: ${(await getUser(7))?.name}, ${queries} queries`);

// 4. The same without a function to wrap, and with what happened.
const read = await cache.read({ key: ['team of', 7], tags: ['user:7'], load: async () => (await getUser(7))?.team });
console.log(`read: ${read.value}, from ${read.source} (${read.reason})`);

// 5. Ask the cache.
const { hits, misses, loads } = cache.stats().counts('user');
console.log(`counts: ${hits} from memory, ${misses} waited for ${loads} loads`);
console.log((await getUser.explain(7)).text);

await cache.close();
