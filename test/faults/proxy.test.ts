import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Redis as Redis6 } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type RedisTarget, redisStore } from '../../adapters/redis/index.js';
import { forgetWarnings } from '../../src/core/warn.js';
import { type Cache, createCache } from '../../src/index.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { describeVerdict, holds } from './history/verdict.js';
import { type Hidden, hidings, startHiding } from './proxy/hiding.js';
import { playHidden } from './proxy/play.js';

// A Redis of which something is hidden, by ioredis 5 and 6: what docs/redis.md says of that. The long form, of histories:
// npx tsx test/faults/proxy/run.ts; what it said last stands in proxy/results.md.

const { redis, postgres } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));
const libraries: [string, (port: number) => RedisTarget][] = [
  ['ioredis 5', (port) => new Redis5({ port, lazyConnect: true }) as unknown as RedisTarget],
  ['ioredis 6', (port) => new Redis6({ port, lazyConnect: true })],
];
const patience = { timeout: 10_000 };
/** What is said on a machine that is busy with other things: Redis is late by itself. */
const busy = /^The store of cache .* is not used/;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe.skipIf(redis === undefined).each(libraries)('behind a proxy, by %s', (_, connect) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
    return () => server.stop();
  });
  beforeEach(() => forgetWarnings());

  /** A cache by way of the proxy and one that is connected directly, over one row. */
  async function aPair(hidden: readonly Hidden[], maxStale: number) {
    const proxy = await startHiding(server.port, hidden);
    const warnings: string[] = [];
    const note = ({ message }: Error) => void (busy.test(message) || warnings.push(message));
    process.on('warning', note);
    const common = { name: `proxy-${randomUUID()}`, maxStale, jitter: 0, ttl: '1h', ackTimeout: '10s' } as const;
    const patient = { timeout: '5s' } as const;
    const here = createCache({ ...common, store: redisStore(connect(proxy.port), patient) });
    const there = createCache({ ...common, store: redisStore(server.url, patient) });
    onTestFinished(async () => {
      process.off('warning', note);
      await Promise.all([here.close(), there.close()]);
      await proxy.stop();
    });
    let row = 1;
    const read = (cache: Cache) => cache.read({ key: 'row', tags: ['rows'], load: () => row });
    for (const cache of [here, there]) await expect.poll(async () => (await read(cache)).source, patience).toBe('near');
    const change = async () => {
      row++;
      await there.invalidate('rows');
      return row;
    };
    return { proxy, warnings, here, read: () => read(here), change };
  }

  test('that hides anything, no read lacks an acknowledged write', async () => {
    const hidden = Object.keys(hidings) as Hidden[];
    const cases = hidden.flatMap((it) => [0, 100].map((maxStale) => [it, maxStale] as const));
    await Promise.all(
      cases.map(async ([it, maxStale]) => {
        const { read, change } = await aPair([it], maxStale);
        for (let n = 0; n < 5; n++) {
          const newest = await change();
          if (maxStale > 0) await wait(maxStale + 50);
          expect((await read()).value, it).toBe(newest);
          await expect.poll(async () => (await read()).source, patience).toBe('near');
        }
      }),
    );
  });

  test('that hides nothing, memory answers by itself for as long as `maxStale`', async () => {
    const { proxy, warnings, read } = await aPair([], 2000);
    const asksFor = async (reads: number) => {
      const before = proxy.passed.mget ?? 0;
      for (let n = 0; n < reads; n++) await read();
      return (proxy.passed.mget ?? 0) - before;
    };
    // Once its changes are heard of.
    await expect.poll(() => asksFor(20), patience).toBe(0);
    expect(warnings).toEqual([]);
  });

  test.each([
    'CLIENT TRACKING',
    'CLIENT TRACKING with REDIRECT',
    'the messages of CLIENT TRACKING',
    'CLIENT ID',
  ] satisfies Hidden[])(
    'that hides %s, every read asks for versions, as at `maxStale` 0, and that is said once',
    async (hidden) => {
      const { proxy, warnings, read, change } = await aPair([hidden], 2000);
      await expect.poll(() => warnings.length, patience).toBe(1);
      const before = proxy.passed.mget ?? 0;
      for (let n = 0; n < 20; n++) await read();
      expect((proxy.passed.mget ?? 0) - before).toBeGreaterThanOrEqual(20);
      const newest = await change();
      expect((await read()).value).toBe(newest);
      expect(warnings).toEqual([expect.stringMatching(/refuses .*`maxStale` saves nothing/)]);
    },
  );

  test('that hides INFO, a lost connection empties the cache, and that is said once', async () => {
    const { proxy, warnings, read } = await aPair(['INFO'], 0);
    expect(proxy.hidden).toBeGreaterThan(0);
    proxy.reset();
    // What was there before the connection was lost is not served again.
    await expect.poll(async () => (await read()).reason, patience).toMatch(/nothing stored|invalidated/);
    await expect.poll(async () => (await read()).source, patience).toBe('near');
    expect(warnings).toEqual([expect.stringMatching(/INFO.*Each reconnection begins/s)]);
  });

  test.each(['ROLE', 'INFO in scripts'] satisfies Hidden[])(
    'that hides %s, nothing is missed: a lost connection costs nothing that was stored',
    async (hidden) => {
      const { proxy, warnings, here, read } = await aPair([hidden], 0);
      proxy.reset();
      await expect.poll(() => here.snapshot('rows').catch(() => undefined), patience).toBeDefined();
      expect((await read()).source).toBe('near');
      expect([proxy.hidden, warnings]).toEqual([0, []]);
    },
  );
});

describe.skipIf(postgres === undefined)('a history behind a proxy (skipped where there is no PostgreSQL)', () => {
  afterAll(() => forgetWarnings());

  test('of which INFO and CLIENT TRACKING are hidden, by ioredis 5, contains every acknowledged write', {
    timeout: 240_000,
  }, async () => {
    const faults = ['evict', 'drop', 'hang'];
    const plan = { seed, seconds: 2, rows: 100, maxStale: 200, faults, postgres: postgres?.url as string };
    const verdict = await playHidden(plan, ['INFO', 'CLIENT TRACKING'], 'ioredis 5');
    const text = describeVerdict(`hidden INFO and CLIENT TRACKING, seed ${seed}`, verdict);
    console.log(text);
    expect(holds(verdict), text).toBe(true);
    expect(verdict.reads, text).toBeGreaterThan(500);
    expect(verdict.hitRatio, text).toBeGreaterThan(0.1);
  });
});

test('processes of a history get the version of ioredis that they are meant to get', async () => {
  const preload = new URL('./proxy/ioredis5.mjs', import.meta.url).href;
  const ask = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      ...args,
      '--input-type=module',
      '-e',
      "console.log(import.meta.resolve('ioredis'))",
    ]);
  expect((await ask('--import', preload)).stdout).toContain('/ioredis5/');
  expect((await ask()).stdout).toContain('/ioredis/');
});
