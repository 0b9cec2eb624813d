import type { Key } from '../values/index.js';
import type { AuditCounts } from './audits.js';
import type { What } from './dependency.js';
import type { Duration } from './duration.js';
import type { CacheEvents } from './events.js';
import type { Explanation } from './explain.js';
import type {
  CachedFunction,
  FunctionOptions,
  InvalidatesOptions,
  KeyOf,
  MethodDecorator,
  MethodOptions,
} from './functions.js';
import type { LoadContext, ReadOptions, Timing } from './options.js';
import type { Cached, Traced } from './outcome.js';
import type { Receipt } from './receipt.js';
import type { Snapshot } from './snapshot.js';
import type { CountedBy, Counts } from './stats.js';

/** A single read: what is asked for, and how to load it. */
export interface Read<T, Tag extends string> extends ReadOptions<Tag> {
  /** A text, or a list of data such as `['user', id]`. */
  key: Key;
  load: (context: LoadContext<Tag>) => T | Promise<T>;
}

/** Many reads, with one load for all that are missing. */
export interface ReadMany<In, T, Tag extends string> extends Omit<ReadOptions<Tag>, 'tags'> {
  inputs: readonly In[];
  key: (input: In) => Key;
  tags?: (input: In) => readonly What<Tag>[];
  /** Gets the missing inputs, without duplicates; answers in their order, or by a map from input to value. */
  load: (
    missing: readonly In[],
    context: LoadContext<Tag>,
  ) => readonly T[] | ReadonlyMap<In, T> | Promise<readonly T[] | ReadonlyMap<In, T>>;
}

/** Counts of reads. */
export interface CacheStats {
  /**
   * Share of reads that a stored value answered, 0 to 1, over all names that start with a text, or over the reads that
   * are meant: `hitRate({ tenant: 'acme', tag: 'orders' })`.
   *
   * @throws TypeError for a tag or a tenant, unless `stats` of the cache's options says that it counts by them
   */
  hitRate(by?: string | CountedBy): number;
  /**
   * Reads answered by a stored value, reads that waited for a load, and loads that have ended, over the same.
   *
   * @throws TypeError as {@link CacheStats.hitRate}
   */
  counts(by?: string | CountedBy): Counts;
  /** Entries in this process's memory, and their estimated bytes. */
  readonly entries: number;
  readonly bytes: number;
  /** What audits found, and shadow mode. */
  readonly audits: AuditCounts;
}

/**
 * Values by key, and what ends them: all that a cache does, but for the structures that are made of it.
 *
 * @typeParam Tag - the tags there are; any text unless `tags` of the options narrows it
 */
export interface CoreCache<Tag extends string = string> {
  /**
   * The stored value of `key`, or what `load` gives, which is then stored.
   *
   * @example
   * ```ts
   * const user = await cache.getOrSet({ key: ['user', id], ttl: '10m', load: () => db.user(id) })
   * ```
   * @throws what `load` throws, unchanged; `TypeError` for wrong options; `LoadTimeoutError`; `TenantMissingError`
   */
  getOrSet<T>(read: Read<T, Tag>): Promise<T>;
  /** The same, with what happened. @throws as {@link CoreCache.getOrSet} */
  read<T>(read: Read<T, Tag>): Promise<Cached<T>>;
  /**
   * One value for each input, in order: one trip to the store, one load for all that are missing.
   *
   * @throws as {@link CoreCache.getOrSet}; `TypeError` when the load answers with too few values
   */
  getOrSetMany<In, T>(read: ReadMany<In, T, Tag>): Promise<T[]>;
  /** The stored value, or undefined; never loads. A stored `undefined` is told apart by {@link CoreCache.has}. */
  get<T = unknown>(key: Key): Promise<T | undefined>;
  /** Whether a value is stored that may be served. */
  has(key: Key): Promise<boolean>;
  /**
   * Stores a value. Its tags are those of `since`, taken before the data was read; without it, the value ends by age,
   * `delete` or `clear` alone.
   *
   * @throws InvalidationPendingError when the store did not confirm that the old value is gone
   */
  set(key: Key, value: unknown, options?: Timing & { since?: Snapshot }): Promise<void>;
  /** Ends what is stored for `key`, here and everywhere. @throws InvalidationPendingError as {@link CoreCache.invalidate} */
  delete(key: Key): Promise<Receipt>;
  /** The versions of tags now, for a `set` that comes after reading the data. @throws StoreUnavailableError */
  snapshot(...what: readonly What<Tag>[]): Promise<Snapshot>;
  /**
   * Ends every value that depends on any of `what`. Resolves when that is acknowledged: every read that begins
   * afterwards, in any process, sees it. Inside {@link CoreCache.transaction} it is kept until that has succeeded.
   *
   * @throws InvalidationPendingError when the store did not confirm it within `ackTimeout`; it is delivered later
   */
  invalidate(...what: readonly What<Tag>[]): Promise<Receipt>;
  /** Ends every value of this cache, or of this namespace or tenant. @throws InvalidationPendingError as {@link CoreCache.invalidate} */
  clear(): Promise<Receipt>;
  /**
   * Runs `fn`, in which the database is inside a transaction: reads go past the cache and are not stored, and all
   * invalidations happen together once `fn` has succeeded; when it throws there are none. May be nested.
   *
   * @throws what `fn` throws; InvalidationPendingError with `committed` under `onUnacknowledged: 'throw'`
   */
  transaction<T>(fn: () => T | Promise<T>): Promise<T>;
  /**
   * Runs `fn` as part of a transaction that an adapter knows by its handle, such as Knex's `trx`: reads go past the
   * cache, and invalidations happen after its COMMIT or not at all.
   *
   * @throws what `fn` throws; TypeError when no wrapped client knows the handle, or its transaction has ended
   */
  within<T>(transaction: object, fn: () => Promise<T>): Promise<T>;
  /** Wraps a function: same arguments, same result, cached; with handles such as `fresh` and `invalidate`. */
  withCache<F extends (this: void, ...args: any[]) => Promise<any>>(
    fn: F,
    o: FunctionOptions<Parameters<F>, Awaited<ReturnType<F>>, Tag>,
  ): CachedFunction<F>;
  /** A method decorator, standard or legacy. */
  withCache<A extends readonly unknown[] = any, R = any, This = any>(
    o: MethodOptions<A, R, This, Tag> & { key: KeyOf<A, This> },
  ): MethodDecorator<A, R, This, true>;
  /** A method decorator, standard or legacy, whose key comes from the arguments. */
  withCache<A extends readonly unknown[] = any, R = any, This = any>(
    o?: MethodOptions<A, R, This, Tag>,
  ): MethodDecorator<A, R, This>;
  /** A method decorator: invalidates after the method has succeeded, or after COMMIT inside a transaction. */
  invalidates<A extends readonly unknown[] = any, R = any, This = any>(
    o: InvalidatesOptions<A, R, This, Tag>,
  ): MethodDecorator<A, R, This, true>;
  /** A view with keys, statistics and `clear` of its own. Tags name facts of the database and are shared. */
  namespace(name: string): CoreCache<Tag>;
  /** The view of one tenant: keys and `clear` of its own. */
  tenant(id: string | number): CoreCache<Tag>;
  /**
   * Runs `fn`, and all that it starts, for one tenant: whatever is read or stored in it is this tenant's. It goes before
   * the `tenant` option; a view of another tenant goes before it; of two, the inner one counts. Returns what `fn` does.
   *
   * @throws what `fn` throws; TypeError for a wrong `id`
   */
  runAsTenant<T>(id: string | number, fn: () => T): T;
  /** What is stored for a key, whether it would be served, and why not. */
  explain(key: Key): Promise<Explanation>;
  stats(): CacheStats;
  /**
   * Runs `fn`, and everything that it starts, as one traced request: `app.use((req, res, next) => cache.trace(next))`.
   * Tracing makes every hit look for its request, so leave it out where nobody reads it.
   */
  trace<T>(fn: () => T): T;
  /** The reads of the current request so far, the first 1,000 of them; empty when it is not traced. */
  trace(): readonly Traced[];
  /** Calls `listener` at each event, until the returned function is called. */
  on<E extends keyof CacheEvents>(event: E, listener: (event: CacheEvents[E]) => void): () => void;
  /** Resolves when every invalidation of this process is acknowledged. @throws InvalidationPendingError after `timeout` (default: never) */
  settled(o?: { timeout?: Duration }): Promise<void>;
  /** Delivers what is undelivered, then ends connections and timers. @throws InvalidationPendingError with what could not be delivered within `timeout` (default 5 s); the cache is closed all the same */
  close(o?: { timeout?: Duration }): Promise<void>;
}
