import type { Duration } from '../../src/core/duration.js';
import type { AdapterRow, AdapterStatements } from '../../src/testing/adapter-contract.js';

/**
 * What a library says in words of its own, by builders, repositories and relations, instead of SQL that it is handed. A
 * read gives the rows of the statement that a program has for the libraries that have no such words.
 */
export interface Idioms {
  /** Whole accounts that have these values. */
  find(where: AdapterRow): Promise<AdapterRow[]>;
  /** `id` and `name` of those with the ids. */
  among(ids: readonly number[]): Promise<AdapterRow[]>;
  /** `n`, as text: how many there are. */
  count(where: AdapterRow): Promise<AdapterRow[]>;
  /** `id` and `name` of the first two by name of an organisation. */
  page(org: string): Promise<AdapterRow[]>;
  /** A row for each note, and one without any: `id` and `name` of the account, `note` and `body`. */
  withNotes(where: AdapterRow): Promise<AdapterRow[]>;
  /** `name` of the accounts and `body` of the notes of an organisation. */
  joined(org: string): Promise<AdapterRow[]>;

  insert(rows: readonly AdapterRow[]): Promise<unknown>;
  update(where: AdapterRow, set: AdapterRow): Promise<unknown>;
  remove(where: AdapterRow): Promise<unknown>;
  /** By its id. */
  upsert(row: AdapterRow): Promise<unknown>;
  /** Loads an account, changes it and saves what differs, where there is such a thing. */
  rename(id: number, name: string): Promise<unknown>;
  /** By way of the account, where there is such a thing. */
  addNote(account: number, note: { id: number; org: string; body: string }): Promise<unknown>;
}

/** For how long reads may be answered from the cache; `false`: not at all; left out, nothing is said. */
export type For = Duration | false | undefined;

/** Statements of a client that has some. */
export interface Idiomatic extends AdapterStatements {
  idioms?(per?: For): Idioms;
  /** The same SQL by the driver's other way, for clients without words of their own: prepared, rows as lists. */
  prepared?(sql: string, params: readonly unknown[], per?: For): Promise<AdapterRow[]>;
}

/** What {@link Idioms.withNotes} gives, of accounts that have theirs in them. */
export function flat(accounts: readonly { id: unknown; name: unknown; notes: readonly AdapterRow[] }[]): AdapterRow[] {
  return accounts.flatMap(({ id, name, notes }) =>
    (notes.length === 0 ? [{ id: null, body: null }] : notes).map((note) => ({
      id,
      name,
      note: note.id,
      body: note.body,
    })),
  );
}
