import { Redis } from 'ioredis';
import type { CacheView } from '../../src/core/cache.js';
import type { Cache, CacheOptions } from '../../src/index.js';
import { startRedis } from '../services/redis.js';
import { built } from './built.js';
import { median } from './harness.js';
import { describeMachine } from './machine.js';
import { Server } from './server.js';

// What each operation asks of Redis, beside a plain GET: `npx tsx test/bench/costs-redis.ts [row…]`. Commands and round
// trips are counted by the server, those inside of scripts included. Times are of the clock and of the caller: who misses
// does not wait for its value to be stored. Each time is taken next to a GET, so that both have the same neighbours.
interface Row {
  readonly name: string;
  /** @returns the operation, ready to be done again and again */
  prepare(tags: number): Promise<(n: number) => unknown>;
}

const hour = 3_600_000;
const value = { id: 1, text: 'x'.repeat(960) };
const load = async () => value;
const { createCache, redisStore } = await built();
const server = await startRedis();
const watcher = new Server(server.url);
const plain = new Redis(server.url);
const caches: Cache[] = [];
let runs = 0;

async function aCache(options: CacheOptions): Promise<Cache> {
  const name = `costs${++runs}`;
  await watcher.season(name);
  const cache = createCache({
    name,
    ttl: hour,
    jitter: 0,
    store: redisStore(server.url, { timeout: '2s' }),
    ...options,
  });
  caches.push(cache);
  // Trusted, and known as one whose loads are cheap: those take no lease.
  for (let n = 0; n < 20; n++) await cache.getOrSet({ key: ['row', -n], load });
  return cache;
}

const named = (count: number, of = 'tag') => Array.from({ length: count }, (_, at) => `${of} ${at}`);

/** A fill by somebody before, so that the tags have versions. */
async function seen(cache: Cache, tags: readonly string[]): Promise<void> {
  await cache.snapshot(...tags);
}

const rows: readonly Row[] = [
  {
    name: 'hit, value from Redis',
    async prepare(count) {
      const cache = await aCache({ memory: false });
      const tags = named(count);
      await cache.getOrSet({ key: ['row', 1], tags, load });
      return () => cache.getOrSet({ key: ['row', 1], tags, load });
    },
  },
  {
    name: 'hit, value in memory, versions from Redis',
    async prepare(count) {
      const cache = await aCache({});
      const tags = named(count);
      await cache.getOrSet({ key: ['row', 1], tags, load });
      return () => cache.getOrSet({ key: ['row', 1], tags, load });
    },
  },
  {
    name: "hit, maxStale: '1s'",
    async prepare(count) {
      const cache = await aCache({ maxStale: '1s' });
      const tags = named(count);
      const read = () => cache.getOrSet({ key: ['row', 1], tags, load });
      for (let n = 0; n < 100; n++) {
        await read();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return read;
    },
  },
  {
    name: 'miss and fill, tags seen before',
    async prepare(count) {
      const cache = await aCache({ memory: false });
      const tags = named(count);
      await seen(cache, tags);
      return (n) => cache.getOrSet({ key: ['row', n], tags, load });
    },
  },
  {
    name: 'miss and fill, tags never seen',
    async prepare(count) {
      const cache = await aCache({ memory: false });
      return (n) => cache.getOrSet({ key: ['row', n], tags: named(count, `new ${n}`), load });
    },
  },
  {
    name: 'invalidate, tags seen before',
    async prepare(count) {
      const cache = await aCache({});
      const tags = named(count);
      await seen(cache, tags);
      return () => cache.invalidate(...tags);
    },
  },
  {
    name: 'invalidate, tags never seen',
    async prepare(count) {
      const cache = await aCache({});
      return (n) => cache.invalidate(...named(count, `new ${n}`));
    },
  },
  {
    name: 'fence, and lift',
    async prepare(count) {
      const { session } = ((await aCache({})) as unknown as CacheView).parts;
      const tags = named(count);
      return async (n) => {
        await session.fence?.(tags, `owner ${n}`, 10_000, 1000);
        await session.raise(tags, 1000, `owner ${n}`);
      };
    },
  },
];

const counted = 200;
const timed = 1500;

async function measure(row: Row, tags: number): Promise<string> {
  const run = await row.prepare(tags);
  let n = 0;
  for (let warm = 0; warm < 200; warm++) await run(++n);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const served = await watcher.during(async () => {
    for (let at = 0; at < counted; at++) {
      await run(++n);
      // What nobody waits for leaves by itself, and not together with what comes next.
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    }
    await plain.ping(); // behind the last value that is stored
  });
  const ours: number[] = [];
  const raw: number[] = [];
  for (let at = 0; at < timed; at++) {
    let began = performance.now();
    await plain.get('raw');
    raw.push(performance.now() - began);
    began = performance.now();
    await run(++n);
    ours.push(performance.now() - began);
  }
  await Promise.all(caches.splice(0).map((cache) => cache.close()));
  const µs = (times: readonly number[]) => Number((1000 * median(times)).toPrecision(2));
  const calls = Object.entries(served.calls)
    .filter(([, count]) => count >= counted / 2)
    .map(([name, count]) => `${Math.round(count / counted)} ${name.toUpperCase()}`);
  const trips = Number(((served.reads - 1) / counted).toFixed(1));
  return `| ${row.name} | ${tags} | ${trips} | ${calls.join(', ') || 'none'} | ${µs(ours)} | ${µs(raw)} | ${(median(ours) / median(raw)).toFixed(2)} |`;
}

try {
  await plain.set('raw', 'x'.repeat(1000));
  console.log(
    await describeMachine({ redis: server.url, seed: 0, rounds: timed, ms: 0, profile: false, quick: false }),
  );
  console.log('\n| | tags | round trips | commands | p50, µs | GET, µs | ratio |');
  console.log('| --- | ---: | ---: | --- | ---: | ---: | ---: |');
  const wanted = process.argv.slice(2);
  for (const row of rows.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.startsWith(part))))
    for (const tags of [1, 3, 10, 30]) console.log(await measure(row, tags));
} finally {
  plain.disconnect();
  watcher.close();
  await server.stop();
}
