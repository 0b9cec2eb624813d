import type { AdapterRow } from '../../src/testing/adapter-contract.js';
import type { Idioms } from './idioms.js';
import type { Random } from './random.js';

/** A statement with its values, and the same in words of a library's own, if it has such words. */
export interface Said {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly own?: (idioms: Idioms) => Promise<unknown>;
}

export function said(sql: string, ...params: unknown[]): Said {
  return { sql, params };
}

/** What may be asked and changed: few rows, so that reads and writes meet. */
export const orgs = ['acme', 'zeta', 'nova'] as const;
const words = ['a', 'b', 'Ada', 'Ida', 'zoo', 'one'] as const;

export const id = (random: Random) => 1 + random.below(8);
export const org = (random: Random) => random.one(orgs);
export const word = (random: Random) => random.one(words);
export const email = (of: number) => `${of}@x`;

/** Which rows a write may touch: all, or those of one of two lanes, so that two transactions do not wait for each other. */
export type Lane = 0 | 1 | 'any';

/** Odd ids are of the one lane, even ones of the other. */
export function within(random: Random, lane: Lane): number {
  return lane === 'any' ? id(random) : 1 + lane + 2 * random.below(4);
}

export function anAccount(random: Random, own: number): AdapterRow {
  return { id: own, org: org(random), name: word(random), email: email(own) };
}

export const newAccount = 'insert into accounts (id, org, name, email) values (?, ?, ?, ?)';
