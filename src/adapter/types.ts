import type { Statement } from '../sql/index.js';
import type { Relation } from './catalog/types.js';

/** A row as the driver gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs a statement of the kit's own on a certain connection. */
export type Ask = (sql: string) => Promise<readonly Row[]>;

/** Values by position, or by name. */
export type Params = readonly unknown[] | Readonly<Record<string, unknown>>;

/** What one statement depends on and changes, worked out once for its text; tags are made from its values. */
export interface Plan {
  readonly statement: Statement;
  /** Why a load that runs it cannot be stored. */
  readonly refused: string | undefined;
  /** Why its rows cannot be read through; everything in `refused` too. */
  readonly uncacheable: string | undefined;
  /** Relations that are read, views and what is behind them, for rules of tables. */
  readonly reads: readonly Relation[];
  /** Whether it changes anything that may be cached. */
  readonly writes: boolean;
  /** Why nobody can tell what it changes: every entry may have been changed, besides what `writeTags` says. */
  readonly everything: string | undefined;
  readTags(params: Params): ReadTags;
  writeTags(params: Params): WriteTags;
  /** A column to add as ` returning "…"`, where the adapter can hide the rows. As the database writes it. */
  readonly returning: string | undefined;
}

export interface ReadTags {
  readonly tags: readonly string[];
  /** Those that may be left out when all claimed rows were seen. */
  readonly droppable: readonly string[];
  /** Which of `droppable` the rows allow to leave out. */
  drop(rows: readonly Row[]): readonly string[];
}

export interface WriteTags {
  /** What the statement ends, whatever its rows are; when it failed or nobody saw its rows. */
  readonly tags: readonly string[];
  /** The same once its rows are known (RETURNING, its own or the one that `returning` asked for), narrower. */
  refine(rows: readonly Row[]): readonly string[];
}
