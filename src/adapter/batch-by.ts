import { hash } from 'node:crypto';
import { expected } from '../core/errors.js';
import type { ReadOptions } from '../core/options.js';
import { batchOf } from '../core/port.js';
import type { Batch } from '../index.js';
import { encodeKey, type KeyPart, UnkeyableError } from '../values/index.js';
import { cached } from './cached.js';
import type { Client } from './client.js';

/** How long the rows of a batch are kept, and what they are. */
export interface BatchByOptions extends Omit<ReadOptions, 'tags' | 'fresh'> {
  /** `false`: a value has one row at most, and is `null` without. @defaultValue true */
  many?: boolean;
  /** What the column is called in a row. @defaultValue the name of the column, without its table */
  property?: string;
  /** How many values one query gets at most; at least 1. @defaultValue 1000 */
  maxBatch?: number;
}

/** Gives the rows of one value; all that are asked for in one tick are one query. */
export type ById<Id, Result> = (id: Id) => Promise<Result>;

/** What a value has: its rows, or with `many: false` its only one. */
export type RowsBy<Row, O extends BatchByOptions> = O extends { many: false }
  ? Row | null
  : O extends { many: boolean }
    ? Row[] | (true extends O['many'] ? (false extends O['many'] ? Row | null : never) : never)
    : Row[];

/** A query without the condition that tells whose rows are wanted. */
export interface BatchQuery {
  /** Undefined: the query is of nothing that was wrapped. */
  readonly client: Client<any> | undefined;
  /** What it is made from, for the error. */
  readonly of: string;
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly column: string;
  /** Why nothing is served and stored, if so: it belongs to a transaction. */
  readonly past?: string | undefined;
  /** The rows of all of these, in any order. */
  load(ids: readonly unknown[]): PromiseLike<readonly object[]>;
}

/**
 * The rows of a query by a column, in batches: `posts.map((post) => responses(post.id))` is one query for what is
 * missing. Each value's rows are an entry of their own.
 *
 * @throws TypeError for wrong options, and for a query of nothing that was wrapped
 */
export function batchBy(query: BatchQuery, options: BatchByOptions = {}): ById<any, any> {
  const { client, column, load } = query;
  if (client === undefined)
    throw new TypeError(`Expected \`${query.of}\` to be of what withCache has wrapped, got one of something else`);
  if (typeof column !== 'string' || column === '') throw expected('column', 'the name of a column', column);
  const { many = true, property = column.slice(column.lastIndexOf('.') + 1), ...rest } = options;
  const identity = identityOf([...client.place, query.sql, query.params, column, property]);
  const batch = (client.cache as unknown as { [batchOf](options: object): Batch<unknown, unknown> })[batchOf]({
    copy: 'clone',
    ...rest,
    name: `by ${column}`,
    key: (id: KeyPart) => [identity ?? '', id],
    by: property,
    many,
    // Rows go from the query into the entries as they are.
    apart: true,
    past: query.past ?? (identity === undefined ? 'a parameter of the query is no data' : undefined),
    // It is the rows of each value that are kept, and not those of all of them once more.
    load: (ids: readonly unknown[]) => cached(false, () => load(ids)),
  });
  return (id) => batch.load(id);
}

/** The same for all queries that are the same; undefined when nobody can tell. */
function identityOf(parts: readonly unknown[]): string | undefined {
  try {
    return hash('sha256', encodeKey(parts as readonly KeyPart[]), 'hex').slice(0, 32);
  } catch (error) {
    if (error instanceof UnkeyableError) return undefined;
    throw error;
  }
}
