import { redisStore } from '../../../adapters/redis/index.js';
import { createCache } from '../../../src/index.js';
import { startProxy } from '../../services/proxy.js';
import { ask, startRedis } from '../../services/redis.js';
import { Random } from '../../transparency/random.js';
import { aCrowd, type Extra, extraOf, keys, startPulse } from './readers.js';

export interface Slowed {
  readonly all: Extra;
  readonly early: Extra;
  readonly late: Extra;
  readonly errors: readonly unknown[];
  /** Reads under way at once, at most. */
  readonly most: number;
  /** Milliseconds that it took to connect and hear a PONG. */
  readonly answer: number;
  /** Milliseconds for which this process was kept from running, at most. */
  readonly noise: number;
}

export interface SlowPlan {
  readonly seed: number;
  /** Milliseconds that each answer takes. */
  readonly each: number;
  readonly seconds: number;
  /** Reads that begin in a second, however many are under way. */
  readonly rate: number;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Every answer of Redis comes late, and reads come as they come: nobody waits for those that are under way. Of 20 calls one is a write. */
export async function slow({ seed, each, seconds, rate }: SlowPlan): Promise<Slowed> {
  const redis = await startRedis();
  const wire = await startProxy(redis.port);
  const store = redisStore(`redis://127.0.0.1:${wire.port}`);
  const cache = createCache({ name: 'slow', ttl: '1h', store });
  const random = new Random(seed);
  const crowd = aCrowd(cache, random);
  const pulse = startPulse();
  try {
    // The first reads of all, of tags that nobody has used: not what is asked here.
    await Promise.all(Array.from({ length: keys }, (_, n) => crowd.read(n + 1)));
    crowd.forget();
    wire.delay(each / 2);
    const asked = performance.now();
    await ask({ host: '127.0.0.1', port: wire.port }, (client) => client.ping());
    const answer = performance.now() - asked;
    const begun = performance.now();
    const running: Promise<void>[] = [];
    let writes = 0;
    while (performance.now() < begun + seconds * 1000) {
      const due = ((performance.now() - begun) / 1000) * rate;
      while (running.length < due) running.push(crowd.read());
      while (writes < due / 20) {
        writes++;
        void cache.invalidate(`row:${1 + random.below(keys)}`).catch(() => {});
      }
      await wait(5);
    }
    await Promise.all(running);
    const { reads, errors, most } = crowd;
    const third = (seconds * 1000) / 3;
    return {
      all: extraOf(reads),
      early: extraOf(reads.filter((read) => read.begun < begun + third)),
      late: extraOf(reads.filter((read) => read.begun >= begun + 2 * third)),
      errors,
      most,
      answer,
      noise: pulse.noise(asked),
    };
  } finally {
    pulse.stop();
    wire.delay(0);
    await cache.close().catch(() => {});
    await wire.stop();
    await redis.stop();
  }
}
