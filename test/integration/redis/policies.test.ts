import { Redis } from 'ioredis';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { redisStore } from '../../../adapters/redis/index.js';
import { createCache } from '../../../src/index.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { Random } from '../../transparency/random.js';

/**
 * A Redis that is full all the time, under each of its policies, while two processes read and write: whatever is thrown
 * out, or not taken any more, costs loads and nothing else. The table of docs/operations.md says what goes.
 */
const policies = [
  { policy: 'noeviction', evicts: false },
  { policy: 'allkeys-lru', evicts: true },
  { policy: 'allkeys-lfu', evicts: true },
  { policy: 'allkeys-random', evicts: true },
  { policy: 'volatile-lru', evicts: true },
  { policy: 'volatile-lfu', evicts: true },
  { policy: 'volatile-random', evicts: true },
  { policy: 'volatile-ttl', evicts: true },
];

const rows = 1000;
const size = 8000;
const spareBytes = 3_000_000;
const readsInAll = 6000;
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));

interface Reader {
  read(row: number, load: () => Promise<Value>): Promise<Value>;
  invalidate(row: number): Promise<unknown>;
}
interface Value {
  readonly version: number;
  readonly filling: string;
}
interface Story {
  reads: number;
  loads: number;
  stale: number;
  failed: number;
  refused: number;
}

describe.skipIf(!inject('services').redis)('a Redis that is full', () => {
  test.each(policies)('$policy: no read is stale, none fails', async ({ policy, evicts }) => {
    const server = await aFullRedis(policy);
    const story = await play([aCache(server), aCache(server)]);
    const info = await ask(server, async (redis) => `${await redis.info('stats')}${await redis.info('errorstats')}`);
    expect(story, `seed ${seed}`).toMatchObject({ stale: 0, failed: 0, refused: 0 });
    // It was full, and it was not useless.
    expect(Number(/evicted_keys:(\d+)/.exec(info)?.[1]) > 0).toBe(evicts);
    expect(/errorstat_OOM/.test(info)).toBe(!evicts);
    expect(story.loads).toBeLessThan(story.reads);
  });

  test('the same story finds what counters as versions do when one of them is thrown out', async () => {
    const story = await play([await aNaiveCache(await aFullRedis('allkeys-random'))]);
    expect(story.stale, `seed ${seed}`).toBeGreaterThan(0);
  });
});

async function aFullRedis(policy: string): Promise<RedisServer> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  await ask(server, async (redis) => {
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', used + spareBytes, 'maxmemory-policy', policy);
  });
  return server;
}

function aCache(server: RedisServer): Reader {
  const cache = createCache({
    ...{ memory: false, jitter: 0, ttl: '1h', ackTimeout: '10s' },
    store: redisStore(server.url, { timeout: '2s' }),
  });
  onTestFinished(() => cache.close());
  return {
    read: (row, load) => cache.getOrSet({ key: ['row', row], tags: [`row ${row}`], load }),
    invalidate: (row) => cache.invalidate(`row ${row}`),
  };
}

async function aNaiveCache(server: RedisServer): Promise<Reader> {
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  return {
    async read(row, load) {
      const [version, kept] = await redis.mget(`version ${row}`, `row ${row}`);
      const entry = kept === null ? undefined : (JSON.parse(kept as string) as { version: string; value: Value });
      if (entry?.version === (version ?? '0')) return entry.value;
      const value = await load();
      await redis.set(`row ${row}`, JSON.stringify({ version: version ?? '0', value }));
      return value;
    },
    invalidate: (row) => redis.incr(`version ${row}`),
  };
}

/** Reads and writes meanwhile; each read must contain what was acknowledged before it began. */
async function play(readers: readonly Reader[]): Promise<Story> {
  const story: Story = { reads: 0, loads: 0, stale: 0, failed: 0, refused: 0 };
  const database = new Array<number>(rows).fill(0);
  const acknowledged = [...database];
  const filling = 'x'.repeat(size);
  const random = new Random(seed);
  const any = () => random.below(rows);
  const load = async (row: number) => {
    story.loads++;
    return { version: database[row] as number, filling };
  };
  const reading = async (reader: Reader) => {
    while (story.reads < readsInAll) {
      const row = any();
      const floor = acknowledged[row] as number;
      story.reads++;
      try {
        const { version } = await reader.read(row, () => load(row));
        if (version < floor) story.stale++;
      } catch {
        story.failed++;
      }
    }
  };
  const writing = async (reader: Reader) => {
    while (story.reads < readsInAll) {
      const row = any();
      const version = (database[row] as number) + 1;
      database[row] = version;
      try {
        await reader.invalidate(row);
        acknowledged[row] = Math.max(version, acknowledged[row] as number);
      } catch {
        story.refused++;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  await Promise.all(
    readers.flatMap((reader) => [...Array.from({ length: 8 }, () => reading(reader)), writing(reader)]),
  );
  return story;
}
