// Values that are there before anybody asks, with no server: `npx tsx examples/warm.ts`
import { createCache } from '../src/index.js'; // in your project: from 'unstale'

// Stands in for your database: slow, and it counts what it is asked.
let queries = 0;
async function findDashboard(team: number) {
  queries++;
  await new Promise((resolve) => setTimeout(resolve, 30));
  return { team, made: queries };
}

// With a store, this program can run many times at once, and one of them does the work.
const cache = createCache({ ttl: '1s', jitter: 0 });
const dashboard = cache.withCache(findDashboard, { name: 'dashboard' });

cache.on('warm', ({ cycle, done, skipped, ended }) => {
  if (ended) console.log(`cycle ${cycle}: ${done} loaded, ${skipped} left alone`);
});

// 1. Three teams are loaded at once; from then on, every 400 ms, those that somebody has read.
cache.warm('dashboards', {
  every: '400ms',
  jitter: 0,
  keys: (call) => [1, 2, 3].map((team) => call(dashboard, team)),
});
await new Promise((resolve) => setTimeout(resolve, 100));

// 2. Team 2 has a reader. He never waits, although a value lives for a second.
let waited = 0;
for (let i = 0; i < 30; i++) {
  if ((await dashboard.read(2)).source === 'load') waited++;
  await new Promise((resolve) => setTimeout(resolve, 80));
}
console.log(`30 reads of team 2, of which ${waited} had to wait; ${queries} queries for three teams`);

// 3. Nobody has asked for the others, so they have ended by age.
console.log((await dashboard.explain(3)).served ? 'team 3 is still there' : 'team 3 has ended');

await cache.close();
