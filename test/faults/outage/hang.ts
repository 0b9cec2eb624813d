import { redisStore } from '../../../adapters/redis/index.js';
import { createCache } from '../../../src/index.js';
import { startRedis } from '../../services/redis.js';
import { until } from '../../services/server-process.js';
import { Random } from '../../transparency/random.js';
import { aCrowd, type Extra, extraOf, keys, startPulse } from './readers.js';

export interface Hung {
  /** Milliseconds from SIGSTOP until the breaker was open, and from SIGCONT until Redis was trusted again. */
  readonly opened: number;
  readonly trusted: number;
  readonly errors: readonly unknown[];
  /** Reads before the outage; those that met it before the breaker was open; those that came later. */
  readonly before: Extra;
  readonly first: Extra;
  readonly later: Extra;
  /** Milliseconds for which this process was kept from running since the outage began, at most. */
  readonly noise: number;
}

export interface HangPlan {
  readonly seed: number;
  /** How long Redis hangs on once the breaker is open. */
  readonly seconds: number;
  /** @defaultValue 50 */
  readonly readers?: number;
  /** Milliseconds. @defaultValue 0 */
  readonly maxStale?: number;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Redis is stopped (SIGSTOP) while readers read: its connections stay open, and nothing is answered. */
export async function hang({ seed, seconds, readers = 50, maxStale = 0 }: HangPlan): Promise<Hung> {
  const redis = await startRedis();
  const cache = createCache({ name: 'hang', maxStale, ttl: '1h', store: redisStore(redis.url) });
  const random = new Random(seed);
  const crowd = aCrowd(cache, random);
  let [openedAt, closedAt, isOpen] = [0, 0, false];
  cache.on('breaker', ({ state }) => {
    isOpen = state !== 'closed';
    if (isOpen) openedAt ||= performance.now();
    else closedAt = performance.now();
  });
  let goes = true;
  const pulse = startPulse();
  const repeat = async (fn: () => Promise<unknown>, pause: number) => {
    for (; goes; await wait(random.next() * 2 * pause)) await fn();
  };
  const refused = () => {};
  try {
    const all = Array.from({ length: readers }, () => repeat(() => crowd.read(), 20));
    // So that there is always something to load.
    all.push(repeat(() => cache.invalidate(`row:${1 + random.below(keys)}`).catch(refused), 20));
    await wait(1000);
    // On a machine that is busy with other things, Redis may be late by itself.
    await until('Redis is trusted', async () => !isOpen);
    const stopped = performance.now();
    openedAt = 0;
    redis.pause();
    await until('the breaker is open', async () => openedAt > 0);
    await wait(seconds * 1000);
    const resumed = performance.now();
    redis.resume();
    await until('Redis is trusted again', async () => closedAt > resumed);
    goes = false;
    await Promise.all(all);
    await cache.settled({ timeout: '10s' });
    const { reads, errors } = crowd;
    return {
      opened: openedAt - stopped,
      trusted: closedAt - resumed,
      errors,
      before: extraOf(reads.filter(({ begun, ended }) => begun > stopped - 500 && ended < stopped)),
      first: extraOf(reads.filter(({ begun, ended }) => begun < openedAt && ended > stopped)),
      later: extraOf(reads.filter(({ begun, ended }) => begun > openedAt && ended < resumed)),
      noise: pulse.noise(stopped),
    };
  } finally {
    goes = false;
    pulse.stop();
    await cache.close().catch(refused);
    await redis.stop();
  }
}
