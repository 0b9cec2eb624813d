import Knex, { type Knex as Instance } from 'knex';
import { type WrapOptions, withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { createCache } from '../../../src/index.js';

/** One release of a service, as a process of its own: what it is said at the start, it does over IPC. */
export interface Release {
  readonly redis: string;
  readonly postgres: string;
  /** Of the cache; what the releases have in common. */
  readonly name: string;
  readonly version: string;
  readonly rules: Omit<WrapOptions, 'cache'>;
}

export type Order = { readonly do: 'read' | 'write'; readonly sql: string };

const { redis, postgres, name, version, rules } = JSON.parse(process.argv[2] as string) as Release;
const cache = createCache({
  ...{ name, version, jitter: 0, ttl: '1h', ackTimeout: '10s' },
  store: redisStore(redis, { timeout: '2s' }),
});
const knex: Instance = withCache(Knex({ client: 'pg', connection: postgres, pool: { min: 0, max: 2 } }), {
  ...rules,
  cache,
});

async function perform(order: Order): Promise<unknown> {
  if (order.do === 'write') return (await knex.raw(order.sql)).rowCount;
  const load = async () => (await knex.raw(order.sql)).rows;
  const { value, source, reason } = await cache.read({ key: order.sql, load });
  return { rows: value, source, reason };
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  perform(order).then(
    (result) => process.send?.({ id, result }),
    (error: Error) => process.send?.({ id, error: String(error.stack) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0 });
