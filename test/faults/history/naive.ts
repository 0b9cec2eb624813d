import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import Knex from 'knex';
import type { Target } from './storage.js';
import { dawdle, perform, RolledBack, type Subject, select } from './subjects.js';

/** What other caches do, each on the same Redis and the same table: the histories that the check must not pass. */
export const flaws = [
  /** The entry is deleted after the write; a load that began before stores the old row behind it. */
  'deletes on write',
  /** Tags hold the time of their last write, and entries the time at which they were stored. */
  'stamps after the load',
  /** Two queries under one key: the version that the second one met counts for both. */
  'lets the last version win',
  /** Whoever comes while a load is under way gets what it brings. */
  'lets joiners have whatever lands',
] as const;
export type Flaw = (typeof flaws)[number];

interface NaiveOptions {
  readonly redis: Target;
  readonly reads: string;
  readonly writes: string;
  readonly name: string;
  /** How many of its loads take their time, 0 to 1. @defaultValue 1 */
  readonly share?: number;
  random(): number;
}

export function naive(flaw: Flaw, { redis: target, reads, writes, name, share = 1, random }: NaiveOptions): Subject {
  if (target.kind !== 'single') throw new TypeError(`Expected a single Redis, got a ${target.kind}`);
  const redis = new Redis(target.url, { maxRetriesPerRequest: null, protocol: 2 });
  redis.on('error', () => {});
  const open = (connection: string) => Knex({ client: 'pg', connection, pool: { min: 0, max: 8 } });
  const [reader, writer] = [open(reads), open(writes)];
  const flights = new Map<number, Promise<number>>();
  const entry = (row: number) => `${name}:entry:${row}`;
  const tag = (row: number) => `${name}:tag:${row}`;

  const version = async (row: number): Promise<string> => {
    if (flaw === 'deletes on write') return '';
    if (flaw === 'stamps after the load')
      return (await redis.time()).map((part) => String(part).padStart(10, '0')).join('.');
    await redis.set(tag(row), randomUUID(), 'NX');
    return (await redis.get(tag(row))) as string;
  };
  const holds = async (row: number, stamp: string): Promise<boolean> => {
    if (flaw === 'deletes on write') return true;
    const of = await redis.get(tag(row));
    if (flaw === 'stamps after the load') return of === null || stamp > of;
    return of === stamp;
  };

  async function load(row: number): Promise<number> {
    let stamp = await version(row);
    const value = await select(reader, row);
    await dawdle(random, share);
    // The longer it is under way, the more come meanwhile.
    if (flaw === 'lets joiners have whatever lands') for (let i = 0; i < 5; i++) await dawdle(random, share);
    if (flaw === 'lets the last version win') {
      stamp = await version(row);
      await select(reader, row);
    }
    if (flaw === 'stamps after the load') stamp = await version(row);
    await redis.set(entry(row), JSON.stringify({ value, stamp }), 'PX', 120_000);
    return value;
  }

  return {
    async read(row) {
      const stored = await redis.get(entry(row));
      if (stored !== null) {
        const { value, stamp } = JSON.parse(stored) as { value: number; stamp: string };
        if (await holds(row, stamp)) return { values: [[row, value]], hit: true };
      }
      const running = flights.get(row);
      const flight = running ?? load(row).finally(() => flights.delete(row));
      if (flaw === 'lets joiners have whatever lands') flights.set(row, flight);
      return { values: [[row, await flight]], hit: false };
    },
    async write(rows, how, written) {
      try {
        await perform(writer, rows, how, written);
      } catch (error) {
        return error instanceof RolledBack ? 'rolled back' : 'unknown';
      }
      for (const row of rows) {
        if (flaw === 'deletes on write') await redis.del(entry(row));
        else if (flaw === 'stamps after the load') await redis.set(tag(row), await version(row));
        else await redis.set(tag(row), randomUUID());
      }
      return 'acknowledged';
    },
    settled: () => Promise.resolve(),
    async close() {
      await Promise.all([reader.destroy(), writer.destroy()]);
      redis.disconnect();
    },
  };
}
