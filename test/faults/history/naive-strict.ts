import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import Knex from 'knex';
import type { Target } from './storage.js';
import { dawdle, RolledBack, type Subject, select, update } from './subjects.js';

/** What is less than strict, on the same Redis and the same table: the histories that the check of `strict` must not pass. */
export const strictFlaws = [
  /** Tags are raised when the COMMIT is known, which is all that `maxStale: 0` promises. */
  'raises after COMMIT',
  /** Tags are shut before COMMIT for so long as a COMMIT should take at most. */
  'fences for a while',
] as const;
export type StrictFlaw = (typeof strictFlaws)[number];

interface NaiveOptions {
  readonly redis: Target;
  readonly reads: string;
  readonly writes: string;
  readonly name: string;
  random(): number;
}

export function naiveStrict(flaw: StrictFlaw, { redis: target, reads, writes, name, random }: NaiveOptions): Subject {
  if (target.kind !== 'single') throw new TypeError(`Expected a single Redis, got a ${target.kind}`);
  const redis = new Redis(target.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  const open = (connection: string) => Knex({ client: 'pg', connection, pool: { min: 0, max: 8 } });
  const [reader, writer] = [open(reads), open(writes)];
  const entry = (row: number) => `${name}:entry:${row}`;
  const tag = (row: number) => `${name}:tag:${row}`;
  const fence = (row: number) => `${name}:fence:${row}`;

  /** Undefined while the row is fenced. */
  const version = async (row: number): Promise<string | undefined> => {
    await redis.set(tag(row), randomUUID(), 'NX');
    const [stamp, fenced] = await redis.mget(tag(row), fence(row));
    return fenced === null ? (stamp ?? undefined) : undefined;
  };

  return {
    async read(row) {
      const [stored, stamp] = await Promise.all([redis.get(entry(row)), version(row)]);
      if (stored !== null && stamp !== undefined) {
        const found = JSON.parse(stored) as { value: number; stamp: string };
        if (found.stamp === stamp) return { values: [[row, found.value]], hit: true };
      }
      const value = await select(reader, row);
      await dawdle(random);
      if (stamp !== undefined) await redis.set(entry(row), JSON.stringify({ value, stamp }), 'PX', 120_000);
      return { values: [[row, value]], hit: false };
    },
    async write(rows, how, written) {
      try {
        await writer.transaction(async (trx) => {
          for (const row of [...rows].sort((a, b) => a - b)) written(row, await update(trx, row));
          if (how === 'rollback') throw new RolledBack();
          if (flaw === 'raises after COMMIT') return;
          for (const row of rows) await redis.set(fence(row), '1', 'PX', lease);
          // The process, or the way to the database, is slow at times.
          await dawdle(random, 1);
        });
      } catch (error) {
        return error instanceof RolledBack ? 'rolled back' : 'unknown';
      }
      await dawdle(random, 1);
      for (const row of rows) await redis.multi().set(tag(row), randomUUID()).del(fence(row)).exec();
      return 'acknowledged';
    },
    settled: () => Promise.resolve(),
    async close() {
      await Promise.all([reader.destroy(), writer.destroy()]);
      redis.disconnect();
    },
  };
}

/** Milliseconds. */
const lease = 5;
