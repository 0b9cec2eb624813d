import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Knex from 'knex';
import { withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { createCache, outboxSql } from '../../../src/index.js';
import { mysqlServer } from '../../contract/adapters/mysql-server.js';
import { postgresServer } from '../../contract/adapters/postgres-server.js';
import { type Proxy, startProxy } from '../../services/proxy.js';
import { until } from '../../services/server-process.js';
import { forkTypeScript } from '../../support/fork.js';
import type { Role } from './writer.js';

export interface Kills {
  readonly kills: number;
  /** So many at a time. */
  readonly lanes: number;
  readonly client: Role['client'];
  /** A server, of which it gets a database of its own. */
  readonly server: string;
  readonly redis: number;
  readonly outbox: boolean;
}

/** What the reader saw of rows whose writer was killed between COMMIT and invalidation. Milliseconds since the COMMIT. */
export interface Verdict {
  /** Got the old value right after the kill: the writer had told nobody. */
  readonly stale: number;
  /** When each got the new one, or was given up: after {@link patience}, with an outbox much later. */
  readonly ended: readonly number[];
  /** Rows of which the old value was served afterwards. */
  readonly again: number;
  /** Rows that are left in the outbox. */
  readonly left: number;
}

/** An interval of the relay, which is a second unless somebody says otherwise, and as much as half of it. */
export const patience = 1500;

const file = fileURLToPath(new URL('./writer.ts', import.meta.url));

/**
 * Kills a process that has committed a change and not invalidated it: its way to Redis is held, another connection looks
 * until the change is there, and then it gets SIGKILL. Meanwhile this process serves the old value, from which it can
 * only be told by the outbox.
 */
export async function play(plan: Kills): Promise<Verdict> {
  const ends: (() => Promise<unknown>)[] = [];
  try {
    return await playUntil(ends, plan);
  } finally {
    // What was opened last ends first, and what does not end keeps nothing else.
    for (const end of ends.reverse()) await end().catch(() => {});
  }
}

async function playUntil(
  ends: (() => Promise<unknown>)[],
  { kills, lanes, client, server, redis, outbox }: Kills,
): Promise<Verdict> {
  const place = await (await (client === 'pg' ? postgresServer : mysqlServer)(server)).make();
  ends.push(() => place.drop());
  const connection = place.config as object;
  const name = `kill-${randomUUID().slice(0, 8)}`;
  const bare = Knex({ client, connection, pool: { min: 0, max: lanes } });
  ends.push(() => bare.destroy());
  await bare.schema.createTable('stock', (table) => {
    table.integer('id').primary();
    table.integer('amount').notNullable();
  });
  await bare('stock').insert(Array.from({ length: kills + 1 }, (_, id) => ({ id, amount: 0 })));
  await bare.raw(outboxSql(client === 'pg' ? 'postgres' : 'mysql').up);
  const store = redisStore({ host: '127.0.0.1', port: redis });
  const cache = createCache({ store, name, ttl: '1h', ...(outbox && { crashSafe: 'outbox' }) });
  ends.push(() => cache.close());
  const knex = withCache(Knex({ client, connection, pool: { min: 0, max: lanes + 1 } }), { cache });
  ends.push(() => knex.destroy());
  const served = (id: number) =>
    cache.getOrSet({ key: ['stock', id], load: () => knex('stock').where({ id }).first() }).then((row) => row.amount);

  const verdict = { stale: 0, ended: [] as number[], again: 0, left: 0 };
  const role = { client, connection, name, outbox };
  const enough = outbox ? 10 * patience : patience;
  let started = 0;
  const another = () => {
    if (started >= kills) return undefined;
    const ready = startWriter(ends, redis, role);
    // Whether anybody comes to wait for it or not.
    ready.catch(() => {});
    return { id: ++started, ready };
  };
  const lane = async () => {
    for (let following = another(); following !== undefined; ) {
      const { id, ready } = following;
      const writer = await ready;
      // The one after it gets ready meanwhile.
      following = another();
      for (let i = 0; i < 2; i++) await served(id);
      writer.wire.hold('requests');
      writer.process.send({ id, amount: 1 });
      await until('it is committed', async () => (await bare('stock').where({ id }).first()).amount !== 0, 20_000);
      const committed = performance.now();
      const died = once(writer.process, 'exit');
      writer.process.kill('SIGKILL');
      if ((await served(id)) === 0) verdict.stale++;
      await died;
      await writer.wire.stop();
      while ((await served(id)) === 0 && performance.now() - committed < enough) await sleep(5);
      verdict.ended.push(performance.now() - committed);
    }
  };
  const failed = (error: unknown) => {
    // What goes on in the other lanes comes to its end before anything is taken from it.
    started = kills;
    return { error };
  };
  for (const failure of await Promise.all(Array.from({ length: lanes }, () => lane().catch(failed))))
    if (failure) throw failure.error;
  for (let id = 1; id <= kills; id++) if ((await served(id)) === 0) verdict.again++;
  // What was raised last is removed when that was confirmed, a moment later.
  await sleep(outbox ? patience : 0);
  verdict.left = (await bare('unstale_outbox').where({ cache: name })).length;
  return verdict;
}

async function startWriter(
  ends: (() => Promise<unknown>)[],
  redis: number,
  role: Omit<Role, 'redis'>,
): Promise<{ process: ChildProcess; wire: Proxy }> {
  const wire = await startProxy(redis);
  ends.push(() => wire.stop());
  const process = forkTypeScript(file, [JSON.stringify({ ...role, redis: wire.port } satisfies Role)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  ends.push(async () => process.kill('SIGKILL'));
  await Promise.race([
    once(process, 'message'),
    once(process, 'exit').then(([code, signal]) => {
      throw new Error(`a writer ended with ${code ?? signal} before it was killed`);
    }),
  ]);
  return { process, wire };
}

/** A line about it. */
export function described(title: string, { stale, ended, again, left }: Verdict): string {
  const sorted = [...ended].sort((a, b) => a - b).map(Math.round);
  const late = ended.filter((ms) => ms >= patience).length;
  return `${title}: ${ended.length} kills between COMMIT and invalidation, ${stale} stale right after; the old value ended after ${sorted[sorted.length >> 1]} ms, at most ${sorted.at(-1)} ms (${late} not within ${patience} ms, ${again} at the end); ${left} rows left in the outbox`;
}
