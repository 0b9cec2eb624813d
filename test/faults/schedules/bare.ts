import Knex from 'knex';
import { perform, type Subject, select } from '../history/subjects.js';

/** What is never stale for want of trying: an exploration that could not tell these from a cache would show nothing. */
const bares = [
  /** Every read asks the database. */
  'never caches',
  /** No write is ever said to be known to everybody, so no read can lack one. */
  'never acknowledges',
] as const;
export type Bare = (typeof bares)[number];

export function isBare(name: string): name is Bare {
  return (bares as readonly string[]).includes(name);
}

export function bare(kind: Bare, connection: string): Subject {
  const knex = Knex({ client: 'pg', connection, pool: { min: 0, max: 2 } });
  return {
    async read(row) {
      return { values: [[row, await select(knex, row)]], hit: false };
    },
    async write(rows, how, written) {
      await perform(knex, rows, how, written);
      return kind === 'never caches' ? 'acknowledged' : 'unknown';
    },
    settled: () => Promise.resolve(),
    close: () => knex.destroy(),
  };
}
