import { redisStore } from '../../../adapters/redis/index.js';
import { type Cache, createCache, type Duration } from '../../../src/index.js';
import { startProxy } from '../../services/proxy.js';
import { ask, startRedis } from '../../services/redis.js';
import { type Trend, trendOf, type Vitals, vitals } from '../soak/vitals.js';

export interface Dropped {
  readonly drops: number;
  readonly reads: number;
  /** Reads that lacked a write which had been acknowledged before they began, `maxStale` and 50 ms earlier. */
  readonly stale: number;
  readonly errors: readonly unknown[];
  /** Rejections that nobody handled, and warnings of too many listeners. */
  readonly strays: readonly unknown[];
  /** Between the second third of the drops and the last one. */
  readonly trend: Trend;
}

export interface DropPlan {
  readonly drops: number;
  /** Milliseconds. @defaultValue 0 */
  readonly maxStale?: number;
  /** What makes reads stale on purpose: the control. @defaultValue 0 */
  readonly tolerate?: Duration;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * The connections of one of two caches are ended again and again, by the server and on the way, while it reads and the
 * other one writes.
 */
export async function drop({ drops, maxStale = 0, tolerate = 0 }: DropPlan): Promise<Dropped> {
  const redis = await startRedis();
  const wire = await startProxy(redis.port);
  const strays: unknown[] = [];
  const stray = (error: unknown) => void strays.push(error);
  const warned = (warning: Error) => void (warning.name === 'MaxListenersExceededWarning' && strays.push(warning));
  process.on('unhandledRejection', stray).on('uncaughtException', stray).on('warning', warned);
  const common = { name: 'drops', maxStale, ttl: '1h' } as const;
  const here = createCache({ ...common, store: redisStore(`redis://127.0.0.1:${wire.port}`) });
  const there = createCache({ ...common, store: redisStore(redis.url) });
  /** When each version of the row was acknowledged. */
  const acknowledged: number[] = [0];
  const errors: unknown[] = [];
  const samples: Vitals[] = [];
  let [row, reads, stale] = [0, 0, 0];
  const read = (cache: Cache) => cache.getOrSet({ key: 'row', tags: ['rows'], tolerate, load: () => row });
  const reading = async () => {
    const newest = acknowledged.findLastIndex((at) => at <= performance.now() - (maxStale === 0 ? 0 : maxStale + 50));
    const value = await read(here).catch((error) => void errors.push(error));
    reads++;
    if (value !== undefined && value < newest) stale++;
  };
  const trusted = async (cache: Cache) => {
    while (!(await cache.snapshot('rows').catch(() => false))) await wait(2);
  };
  try {
    await Promise.all([trusted(here), trusted(there)]);
    for (let n = 0; n < drops; n++) {
      await reading();
      row++;
      const ended =
        n % 2 === 0
          ? Promise.resolve(wire.reset())
          : ask(redis, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
      const around = [reading(), reading(), ended];
      // The other process's connection is ended by the server too: then its invalidation is acknowledged when it is back.
      await there.invalidate('rows').catch(() => there.settled());
      acknowledged[row] = performance.now();
      await Promise.all([...around, reading(), reading()]);
      await trusted(here);
      if (maxStale > 0) await wait(maxStale / 4);
      await reading();
      if (n >= drops / 3) samples.push(vitals());
    }
    return { drops, reads, stale, errors, strays, trend: trendOf(samples) };
  } finally {
    await Promise.all([here.close(), there.close()].map((it) => it.catch(() => {})));
    await wire.stop();
    await redis.stop();
    process.off('unhandledRejection', stray).off('uncaughtException', stray).off('warning', warned);
  }
}
