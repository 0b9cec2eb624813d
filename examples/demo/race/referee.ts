import type { Redis } from 'ioredis';

/**
 * The referee knows, for each row, the newest value whose invalidation has been acknowledged. A value is recorded only
 * after that, and a reader asks before its read begins; values of a row only grow. So a read that gives less than what
 * the referee said is stale, and no order of events can make an honest read look like one.
 */
export interface Referee {
  acknowledged(row: number): Promise<number>;
  record(row: number, value: number): Promise<unknown>;
}

// Writers of one row may arrive in any order: the largest stays.
const keepLargest = `
  if tonumber(ARGV[2]) > tonumber(redis.call('hget', KEYS[1], ARGV[1]) or 0) then
    redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
  end`;

/** For several processes. `race`: each race has a record of its own. */
export const refereeInRedis = (client: Redis, race: string): Referee => ({
  acknowledged: async (row) => Number((await client.hget(`referee:${race}`, String(row))) ?? 0),
  record: (row, value) => client.eval(keepLargest, 1, `referee:${race}`, row, value),
});

export function refereeInMemory(): Referee {
  const values = new Map<number, number>();
  return {
    acknowledged: async (row) => values.get(row) ?? 0,
    record: async (row, value) => values.set(row, Math.max(value, values.get(row) ?? 0)),
  };
}
