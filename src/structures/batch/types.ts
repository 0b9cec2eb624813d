import type { What } from '../../core/dependency.js';
import type { ReadOptions } from '../../core/options.js';
import type { Receipt } from '../../core/receipt.js';
import type { Key } from '../../values/index.js';

/** Reads of single values that are loaded together. */
export interface Batch<In, Out> {
  /**
   * The value of one input. All that is asked for in one tick is loaded at once.
   *
   * @throws what `load` throws, or the `Error` that it answers with for this input; `TypeError` for an answer that does
   * not fit; `UnkeyableError`, `LoadTimeoutError` and `TenantMissingError` as `getOrSet`
   */
  load(input: In): Promise<Out>;
  /** The values of several, in their order. @throws as {@link Batch.load}, the first error */
  loadMany(inputs: readonly In[]): Promise<Out[]>;
  /** Ends what is stored for this input, here and everywhere. @throws InvalidationPendingError */
  invalidate(input: In): Promise<Receipt>;
}

/** How a batch loads, and how long it keeps what it has loaded. */
export interface BatchOptions<In, Tag extends string = string> extends Omit<ReadOptions<Tag>, 'tags' | 'fresh'> {
  /** What its entries are called: the beginning of their keys. No two batches or functions of a cache share one. */
  name: string;
  /** What tells an input from others. @defaultValue the input itself */
  key?: (input: In) => Key;
  /** What the value of an input depends on, beside what the load reports by itself. */
  tags?: (input: In) => readonly What<Tag>[];
  /** How many inputs one load gets at most; at least 1. @defaultValue 1000 */
  maxBatch?: number;
  /**
   * Says that what `load` gives for an input comes out of its query as it is: nothing in it was worked out from another
   * input's rows. Then a value depends on its own row or group alone, where the query says so; otherwise on all that its
   * load has read. @defaultValue false
   */
  apart?: boolean;
}

/** What stands in the place of a value: it fails this input alone. */
/** A value, or why there is none for its input. */
export type OrError<Out> = Out | Error;

/** Answers by list, in the order of the inputs, or by map. */
export interface LoadValues<In, Out> {
  load: (inputs: readonly In[]) => Promise<readonly OrError<Out>[] | ReadonlyMap<In, OrError<Out>>>;
  by?: undefined;
  many?: undefined;
}

/** Answers with rows in any order, each of which has its input in the column `by`. */
export interface LoadRows<In, Row, K extends keyof Row> {
  load: (inputs: readonly In[]) => PromiseLike<readonly Row[]>;
  by: K;
  /** Whether an input has any number of rows, or at most one. @defaultValue false */
  many?: boolean;
}
