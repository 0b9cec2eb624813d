import Knex, { type Knex as Instance } from 'knex';
import { withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { type Clock, createCache, type Duration, InvalidationPendingError } from '../../../src/index.js';
import { type Target, targetOf } from './storage.js';
import { dawdle, perform, RolledBack, type Subject, select, table } from './subjects.js';

/** How a read of one row comes about. */
export const readWays = ['one query', 'two queries', 'read-through'] as const;
export type ReadWay = (typeof readWays)[number];

export interface UnstaleOptions {
  readonly redis: Target;
  /** The database, straight and by the wire that is cut now and then. */
  readonly reads: string;
  readonly writes: string;
  readonly name: string;
  readonly maxStale: Duration;
  readonly strict?: boolean;
  readonly crashSafe?: boolean;
  /** Of a command of Redis. @defaultValue that of the store */
  readonly timeout?: Duration;
  /** Connections of each pool. @defaultValue 8 */
  readonly connections?: number;
  /** @defaultValue that of the machine */
  readonly clock?: Clock;
  /** Of every read. @defaultValue each has one by chance */
  readonly way?: ReadWay;
  random(): number;
  /** Hears of what must never happen. */
  failed(error: unknown): void;
}

/** The library as a service uses it: the public face, the Knex adapter, no tag anywhere. */
export function unstale(options: UnstaleOptions): Subject {
  const { redis, reads, writes, name, maxStale, strict = false, crashSafe, timeout, connections = 8 } = options;
  const { clock, way: given, random, failed } = options;
  const store = redisStore(targetOf(redis), timeout === undefined ? {} : { timeout });
  const cache = createCache({
    name,
    maxStale,
    strict,
    ...(crashSafe && { crashSafe: 'outbox' }),
    ttl: '2m',
    onUnacknowledged: 'throw',
    store,
    ...(clock && { clock }),
  });
  cache.on('error', ({ error }) => /CROSSSLOT/.test(String(error)) && failed(error));
  const open = (url: string): Instance => {
    const knex = Knex({ client: 'pg', connection: url, pool: { min: 0, max: connections } });
    return withCache(knex, { cache });
  };
  const [reader, writer] = [open(reads), open(writes)];

  const one = (row: number) =>
    cache.read({
      key: ['row', row],
      load: async () => {
        const value = await select(reader, row);
        await dawdle(random);
        return value;
      },
    });
  /** Two queries under one key: a mix of before and after must not outlive the write between them. */
  const two = (row: number) =>
    cache.read({
      key: ['two', row],
      load: async () => {
        const first = await select(reader, row);
        await dawdle(random);
        return [first, await select(reader, row)] as const;
      },
    });

  const byChance = (): ReadWay => {
    const chance = random();
    if (chance < 0.15) return 'read-through';
    return chance < 0.25 ? 'two queries' : 'one query';
  };

  return {
    async read(row) {
      const way = given ?? byChance();
      if (way === 'read-through') {
        const [{ value }] = await reader(table).where({ id: row }).select('value').cache('2m');
        return { values: [[row, Number(value)]] };
      }
      if (way === 'two queries') {
        const { value, source } = await two(row);
        return { values: value.map((it) => [row, it] as const), hit: source === 'near' || source === 'store' };
      }
      const { value, source } = await one(row);
      return { values: [[row, value]], hit: source === 'near' || source === 'store' };
    },
    async write(rows, how, written) {
      try {
        await perform(writer, rows, how, written);
        return 'acknowledged';
      } catch (error) {
        if (error instanceof RolledBack) return 'rolled back';
        if (error instanceof InvalidationPendingError && error.committed) return 'committed';
        return 'unknown';
      }
    },
    settled: () => cache.settled({ timeout: '20s' }),
    async close() {
      await Promise.all([reader.destroy(), writer.destroy()]);
      await cache.close();
    },
  };
}
