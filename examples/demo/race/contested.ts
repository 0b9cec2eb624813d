import type { Knex } from 'knex';

/** A report of its time, which takes 6 to 35 ms: what it answers was true when it began. */
export async function readSlowly(knex: Knex, row: number): Promise<number> {
  // By the row alone. A value that differs from load to load belongs into the key, and the cache would say so.
  const pause = knex.raw('pg_sleep(?)::text', [0.005 + row / 800]);
  const { value } = await knex('contested').select('value', pause).where({ id: row }).first();
  return value;
}

/** Committed when it answers. */
export async function increment(knex: Knex, row: number): Promise<number> {
  const [{ value }] = await knex('contested').where({ id: row }).increment('value', 1).returning('value');
  return value;
}
