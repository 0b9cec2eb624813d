// A page of posts with the responses to each, without 101 queries: `npx tsx examples/batch.ts`
import { createCache } from '../src/index.js'; // in your project: from 'unstale'

interface Response {
  id: number;
  post_id: number;
  text: string;
}

// Stands in for your database: slow, and it counts what it is asked.
const posts = Array.from({ length: 100 }, (_, i) => ({ id: i + 1, title: `post ${i + 1}` }));
const responses: Response[] = posts.flatMap(({ id }) =>
  ['yes', 'no'].map((text, n) => ({ id: 2 * id + n, post_id: id, text })),
);
let queries = 0;
async function select(postIds: readonly number[]): Promise<Response[]> {
  queries++;
  await new Promise((resolve) => setTimeout(resolve, 5));
  return responses.filter(({ post_id }) => postIds.includes(post_id));
}

const cache = createCache({ ttl: '5m' });

// 1. Say how many are loaded at once, and which column says whose a row is.
const responsesTo = cache.batch({
  name: 'responses',
  load: select,
  by: 'post_id',
  many: true,
  tags: (id) => [`responses:${id}`], // with a wrapped client none are needed
});

// 2. Ask for one at a time, wherever you need it. Nobody has to know of the others.
async function render(post: (typeof posts)[number]): Promise<string> {
  const own = await responsesTo.load(post.id);
  return `${post.title}: ${own.map(({ text }) => text).join(', ')}`;
}
async function page(what: string): Promise<void> {
  queries = 0;
  const [first] = await Promise.all(posts.map(render));
  console.log(`${what.padEnd(22)} ${String(queries).padStart(3)} queries   ${first}`);
}

queries = 0;
for (const { id } of posts) await select([id]);
console.log(`${'one for each post'.padEnd(22)} ${queries} queries`);
await page('cold');
await page('warm');

// 3. A write ends what it has changed, and the next page asks for that alone.
responses.push({ id: 1000, post_id: 1, text: 'maybe' });
await cache.invalidate('responses:1');
await page('after a new response');

await cache.close();
