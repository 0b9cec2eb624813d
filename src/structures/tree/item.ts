import { isDeepStrictEqual } from 'node:util';
import type { Version } from '../../core/store.js';
import type { Node } from './types.js';

/** What is known of one row. */
export interface Item<Row> {
  readonly key: string;
  readonly id: unknown;
  readonly bucket: number;
  /** Null: there is none. */
  row: Row | null;
  parent: string;
  isFresh: boolean;
  /** Which answer has last shown it: the state of the forest then. Never the same for rows out of the store. */
  seenAt: number;
  /** When it came, from wherever: the state of the forest then. */
  filledAt: number;
  bytes: number;
  /** With all that is below it, and the state of the forest in which that was found to be so. */
  node: Node<Row> | undefined;
  builtAt: number;
  changedAt: number;
}

/** The rows below one. */
export interface List<Row> {
  readonly id: unknown;
  readonly bucket: number;
  keys: readonly string[];
  isFresh: boolean;
  /** As of a row. */
  filledAt: number;
  rows: readonly Row[] | undefined;
  rowsAt: number;
  changedAt: number;
}

/** The version of each share. */
export interface Versions {
  readonly rows: readonly Version[];
  readonly lists: readonly Version[];
}

/** What was found in the store of one share, and when. */
export interface Shelved {
  readonly era: number;
  /** Of each list its id, the ids of its rows, and the versions that their shares had. */
  readonly lists: Map<string, readonly [id: unknown, ids: readonly unknown[], versions: readonly Version[]]>;
}

/** How rows are read. */
export interface Shape<Row> {
  idOf(row: Row): unknown;
  parentOf(row: Row): unknown;
  /** One that nobody can change, and its estimated bytes. */
  freeze(row: Row): { row: Row; bytes: number };
}

/** So many ids are asked for at once: databases have a limit for the values of a statement. */
export const mostIds = 1000;

/** The parent of those that have none. */
export const top = '\u0000';

/** Ids are the same when their texts are: drivers give one column as a number here and as a text there. */
export function keyOf(id: unknown): string {
  return id === null || id === undefined ? top : String(id);
}

/** Whether two rows say the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === null || other === null) return false;
  const [a, b] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  for (const name of names) {
    const [left, right] = [a[name], b[name]];
    if (Object.is(left, right)) continue;
    if (typeof left !== 'object' || !Object.hasOwn(b, name) || !isDeepStrictEqual(left, right)) return false;
  }
  return true;
}
