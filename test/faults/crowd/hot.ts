import { randomUUID } from 'node:crypto';
import { redisStore } from '../../../adapters/redis/index.js';
import { createCache } from '../../../src/index.js';
import { ask, startRedis } from '../../services/redis.js';

export interface Hot {
  readonly loads: number;
  readonly reads: number;
  /** What the readers had Redis do in each `maxStale`, on average. */
  readonly commands: number;
}

/**
 * A key that everybody wants, 10,000 readers at a time: first cold, then for some seconds.
 *
 * @param maxStale - milliseconds
 */
export async function hot({ maxStale, seconds }: { maxStale: number; seconds: number }): Promise<Hot> {
  const redis = await startRedis();
  const cache = createCache({ name: `hot-${randomUUID()}`, ttl: '1h', maxStale, store: redisStore(redis.url) });
  let loads = 0;
  const load = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return ++loads;
  };
  const crowd = () =>
    Promise.all(Array.from({ length: 10_000 }, () => cache.getOrSet({ key: 'page', tags: ['pages'], load })));
  const commands = async () => {
    const stats = await ask(redis, (client) => client.info('commandstats'));
    const calls = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
    // Whether the connections live is asked by a timer, whoever reads.
    const ofReads = calls.filter(([, name]) => !['info', 'ping', 'client|info', 'hello'].includes(name as string));
    return ofReads.reduce((sum, [, , count]) => sum + Number(count), 0);
  };
  try {
    // Whoever reads before there is a connection cannot know that others do.
    await cache.getOrSet({ key: 'first', load: () => 0 });
    await crowd();
    // Timers look after the connections, whoever reads.
    const idle = await commands();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const before = await commands();
    let reads = 10_000;
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await crowd();
      reads += 10_000;
      await new Promise(setImmediate);
    }
    const asked = (await commands()) - before - (before - idle);
    return { loads, reads, commands: asked / ((seconds * 1000) / maxStale) };
  } finally {
    await cache.close();
    await redis.stop();
  }
}
