import type { Knex } from 'knex';

/** What is under test: a cache over the table `history`, whose rows have a number each. */
export interface Subject {
  read(row: number): Promise<Answer>;
  /** Begins and commits a write of these rows, and makes it known. */
  write(rows: readonly number[], how: WriteWay, written: (row: number, value: number) => void): Promise<Outcome>;
  /** Resolves when every write of this process has been made known to everybody. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface Answer {
  readonly values: readonly (readonly [row: number, value: number])[];
  /** Left out where the way of reading does not say. */
  readonly hit?: boolean;
}

export const writeWays = ['statement', 'raw', 'transaction', 'rollback'] as const;
export type WriteWay = (typeof writeWays)[number];
export type Outcome = 'acknowledged' | 'committed' | 'unknown' | 'rolled back';

export const table = 'history';

/** The query of every subject. Values come as text, since they are bigints. */
export async function select(knex: Knex, row: number): Promise<number> {
  const { value } = await knex(table).where({ id: row }).first('value');
  return Number(value);
}

/** The write of every subject: the new value is the next of one sequence, so it has never been anybody's. */
export async function update(knex: Knex, row: number): Promise<number> {
  const [{ value }] = await knex(table)
    .where({ id: row })
    .update({ value: knex.raw(`nextval('${table}_values')`) })
    .returning('value');
  return Number(value);
}

export class RolledBack extends Error {}

/** Carries out a write on a client, wrapped or not; what `written` hears is not yet committed. */
export async function perform(
  knex: Knex,
  rows: readonly number[],
  how: WriteWay,
  written: (row: number, value: number) => void,
): Promise<void> {
  if (how === 'statement') {
    const [row] = rows as [number];
    written(row, await update(knex, row));
  } else if (how === 'raw') {
    const [row] = rows as [number];
    const text = `update ${table} set value = nextval('${table}_values') where id = ? returning value`;
    const { rows: answer } = await knex.raw(text, [row]);
    written(row, Number(answer[0].value));
  } else {
    await knex.transaction(async (trx) => {
      // In one order everywhere, so that no two transactions wait for each other.
      for (const row of [...rows].sort((a, b) => a - b)) written(row, await update(trx, row));
      if (how === 'rollback') throw new RolledBack();
    });
  }
}

/** What a load does beside its query, now and then: it takes its time, and that is when writes overtake it. */
export function dawdle(random: () => number, share = 0.25): Promise<void> {
  if (random() > share) return Promise.resolve();
  return new Promise((resolve) => setTimeout(resolve, 2 + random() * 25));
}
