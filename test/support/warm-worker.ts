import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { redisStore } from '../../adapters/redis/index.js';
import { createCache } from '../../src/index.js';

/**
 * A process with one warmer, whose every step is a line in a list on the Redis that all of them share: the order of the
 * list is the order in which they happened.
 */
const { url, name, lease, every } = JSON.parse(process.argv[2] as string) as Record<
  'url' | 'name' | 'lease' | 'every',
  string
>;

const log = new Redis(url);
const cache = createCache({ name, store: redisStore(url, { timeout: '1s' }) });
let cycle = 0;
cache.warm('steps', {
  every: Number(every),
  lease: Number(lease),
  jitter: 0,
  concurrency: 1,
  async run({ each }) {
    const own = ++cycle;
    await each(
      Array.from({ length: 10 }, (_, i) => i),
      async (step) => {
        await log.rpush(`${name}-log`, `${process.pid} ${own} ${step}`);
        await sleep(20);
      },
    );
  },
});
process.on('message', () => {
  void cache.close().finally(() => process.exit());
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
