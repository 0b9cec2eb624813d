import { setTimeout as sleep } from 'node:timers/promises';
import Knex from 'knex';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { createFeed, type ListenClient, listen, poll } from '../../../src/feed/index.js';
import { createCache } from '../../../src/index.js';
import { now } from '../history/events.js';
import type { Address } from './outsider.js';

/** What a process with a feed is started with, as JSON in its first argument. */
export interface Role {
  readonly client: 'pg' | 'mysql2';
  readonly connection: Address;
  /** Another way to the database, which can be cut: the feed's. */
  readonly wire: number;
  readonly redis: number;
  readonly name: string;
  /** Milliseconds. */
  readonly heartbeat: number;
  readonly every: number;
  readonly timeout: number;
}

/** Has the row in the cache, says so, and then looks until it is `amount`. */
export interface Watch {
  readonly id: number;
  readonly amount: number;
}

/** Times are microseconds of the machine's monotonic clock. */
export type Said =
  | { readonly is: 'ready' }
  | { readonly is: 'lost'; readonly why: string }
  | { readonly is: 'watching' }
  | { readonly is: 'seen'; readonly at: number };

const { client, connection, wire, redis, name, heartbeat, every, timeout } = JSON.parse(
  process.argv[2] as string,
) as Role;
const say = (said: Said) => void process.send?.(said);
const cache = createCache({
  store: redisStore({ host: '127.0.0.1', port: redis }, { timeout: '5s' }),
  name,
  ttl: '1h',
});
const knex = withCache(Knex({ client, connection, pool: { min: 0, max: 2 } }), { cache });
const way = { ...connection, port: wire };

function source() {
  if (client === 'pg') {
    const connect = () => new pg.Client({ ...way, application_name: 'feed' }) as unknown as ListenClient;
    return listen({ connect, heartbeat });
  }
  const pool = mysql.createPool(way);
  return poll({ query: (sql) => pool.query(sql).then(([rows]) => rows), every, timeout });
}

const feed = createFeed({
  cache,
  tables: ['stock'],
  source: source(),
  onError: (error) => say({ is: 'lost', why: String(error) }),
});
await feed.ready;

process.on('message', async ({ id, amount }: Watch) => {
  const read = () => cache.read({ key: ['stock', id], load: () => knex('stock').where({ id }).first() });
  while (!['near', 'store'].includes((await read()).source));
  say({ is: 'watching' });
  while ((await read()).value.amount !== amount) await sleep(1);
  say({ is: 'seen', at: now() });
});
process.on('disconnect', () => process.exit());
say({ is: 'ready' });
