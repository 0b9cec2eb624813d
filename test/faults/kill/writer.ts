import Knex from 'knex';
import { withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { createCache } from '../../../src/index.js';

/** What a process that is going to be killed is started with, as JSON in its first argument. */
export interface Role {
  readonly client: 'pg' | 'mysql2';
  readonly connection: object;
  /** Through a wire that can be held. */
  readonly redis: number;
  readonly name: string;
  readonly outbox: boolean;
}

const { client, connection, redis, name, outbox } = JSON.parse(process.argv[2] as string) as Role;
const store = redisStore({ host: '127.0.0.1', port: redis });
const cache = createCache({ store, name, ackTimeout: '1m', ...(outbox && { crashSafe: 'outbox' }) });
// That its store does not answer is what it is for.
cache.on('breaker', () => {});
const knex = withCache(Knex({ client, connection, pool: { min: 0, max: 2 } }), { cache });

// It knows its tables and its store before it is told what to do.
await knex('stock').where({ id: 0 }).update({ amount: 0 });
process.on('message', ({ id, amount }: { id: number; amount: number }) => {
  void knex('stock').where({ id }).update({ amount }).then();
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
