import { randomUUID } from 'node:crypto';
import Knex from 'knex';
import { withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { feedSql } from '../../../src/feed/index.js';
import { createCache } from '../../../src/index.js';
import { mysqlServer } from '../../contract/adapters/mysql-server.js';
import { postgresServer } from '../../contract/adapters/postgres-server.js';
import { type Proxy, startProxy } from '../../services/proxy.js';
import type { Role } from './listener.js';
import { type Listening, startListening } from './listening.js';
import { type Address, byMysqlClient, byPsql, type Outsider } from './outsider.js';

export interface Place {
  readonly client: Role['client'];
  /** A server, of which it gets a database of its own. */
  readonly server: string;
  /** That database's own program. */
  readonly program: string;
  readonly redis: number;
}

/** A table with triggers, a program that writes, a process that may have a feed, and this one, which has none. */
export interface Stage {
  readonly outsider: Outsider;
  readonly ledger: Ledger;
  /** Rows that this process gets out of Redis with less than they had been given by then. It keeps nothing itself. */
  old(than?: ReadonlyMap<number, number>): Promise<number>;
  /** The feed's way to the database. */
  readonly wire: Proxy;
  /** Starts the process with the feed. */
  begin(): Promise<Listening>;
}

/** What the program has written, as soon as it has said so: numbers that grow. */
export interface Ledger {
  readonly amounts: ReadonlyMap<number, number>;
  /** The last number. */
  readonly last: number;
  write(id: number): Promise<void>;
}

export const ids = Array.from({ length: 20 }, (_, i) => i + 1);
/** Of the feeds, in milliseconds. */
export const pace = { heartbeat: 400, every: 100, timeout: 400 };

export async function aStage(
  ends: (() => Promise<unknown>)[],
  { client, server, program, redis }: Place,
): Promise<Stage> {
  const place = await (await (client === 'pg' ? postgresServer : mysqlServer)(server)).make();
  ends.push(() => place.drop());
  const { host, port, user, database } = place.config as Address;
  const connection = { host, port, user, database };
  const outsider = (client === 'pg' ? byPsql : byMysqlClient)(program, connection);
  ends.push(() => outsider.end());
  await outsider.run('create table stock (id int primary key, amount int not null)');
  await outsider.run(`insert into stock values ${ids.map((id) => `(${id}, 0)`)}`);
  const dialect = client === 'pg' ? 'postgres' : 'mysql';
  await outsider.run(feedSql({ dialect, tables: { stock: { id: 'id' } } }).up.replace(/;\s*$/, ''));

  const name = `feed-${randomUUID().slice(0, 8)}`;
  const store = redisStore({ host: '127.0.0.1', port: redis }, { timeout: '5s' });
  const cache = createCache({ store, name, ttl: '1h', memory: false });
  ends.push(() => cache.close());
  const knex = withCache(Knex({ client, connection, pool: { min: 0, max: 2 } }), { cache });
  ends.push(() => knex.destroy());
  const wire = await startProxy(port);
  ends.push(() => wire.stop());
  const ledger = aLedger(outsider);
  return {
    outsider,
    ledger,
    wire,
    async old(than = ledger.amounts) {
      let count = 0;
      for (const id of ids) {
        const row = await cache.getOrSet({ key: ['stock', id], load: () => knex('stock').where({ id }).first() });
        if (row.amount < (than.get(id) ?? 0)) count++;
      }
      return count;
    },
    async begin() {
      const listening = await startListening({ client, connection, wire: wire.port, redis, name, ...pace });
      ends.push(() => listening.kill());
      return listening;
    },
  };
}

function aLedger(outsider: Outsider): Ledger {
  const amounts = new Map<number, number>();
  let last = 0;
  return {
    amounts,
    get last() {
      return last;
    },
    async write(id) {
      const amount = ++last;
      await outsider.run(`update stock set amount = ${amount} where id = ${id}`);
      amounts.set(id, amount);
    },
  };
}
