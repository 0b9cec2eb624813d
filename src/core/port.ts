import type { AnyRule } from '../values/index.js';
import type { CacheEvents } from './events.js';
import type { ReadSettings } from './options.js';
import type { Cached } from './outcome.js';
import type { Version } from './store.js';
import type { OpenUnit, Outcome, Unit } from './unit.js';

/** Where a cache keeps its port: found across the ESM and the CommonJS copy of the package. */
export const portOf: unique symbol = Symbol.for('unstale.port') as never;

/** Where a cache makes batches for an adapter: any number of one name, whose keys say which is which. */
export const batchOf: unique symbol = Symbol.for('unstale.batch') as never;

/**
 * What an adapter sees of a cache: it tells what statements depend on and what they changed, and gets their rows read
 * through. Adapters keep no state of the core in hand; which load or transaction surrounds the running code is asked
 * here each time.
 */
export interface Port {
  /**
   * From now on loads are expected to show their queries: one that shows none, and declares no tags, is not stored.
   *
   * @returns ends it
   */
  attach(client: Attached): () => void;
  /** How instances of these classes are stored, from now on; what the user has said of a class stays. @throws TypeError */
  addTypes(rules: readonly AnyRule[]): void;
  /** Whether the running code belongs to a load, be it of another cache: that one must hear of it, too. */
  inLoad(): boolean;
  /**
   * A statement of the load around the running code is about to run. Takes the versions of its tags; when the answer is
   * a promise, the statement must wait for it. It never rejects, and is undefined outside of a load.
   */
  observe(statement: Observed): Observation | Promise<Observation> | undefined;
  /** What the load around the running code did cannot be known: its value is not stored, nor what contains it. */
  refuse(reason: string): void;
  /** Whether any load is under way, whatever code is running. */
  anyLoad(): boolean;
  /** The same as `refuse` for every load that is under way: nobody can tell which of them got something. */
  refuseAll(reason: string): void;
  /** The version of a tag now; undefined when the store does not answer. */
  version(tag: string): Promise<Version | undefined>;
  /** The same without asking anybody; undefined when that would be needed. */
  versionHere(tag: string): Version | undefined;
  /**
   * The version of a tag under which every process of this cache goes by `rules`; undefined when that is not known, a
   * fenced one while nobody can tell.
   */
  agree(tag: string, rules: string): Promise<Version | undefined>;
  /**
   * Runs `fn`, whose result several loads may get, also later. What it depends on is not the load's around the running
   * code, but goes into `into`, for {@link handUp}.
   */
  gather<T>(name: string, fn: (into: Gathered) => T | Promise<T>): Promise<T>;
  /** What the load around the running code depends on so far; undefined outside of a load. */
  gathered(): Gathered | undefined;
  /** The load around the running code has got something that depends on `from`. If nothing was seen, it is not stored. */
  handUp(name: string, from: Iterable<Gathered>): void;
  /** The transaction around the running code. */
  unit(): Unit | undefined;
  /** A unit for a transaction that begins. */
  createUnit(): OpenUnit;
  /** Runs `fn` as part of a transaction: reads go past the cache, invalidations join the unit. */
  within<T>(unit: Unit, fn: () => T | Promise<T>): Promise<T>;
  /**
   * Invalidates after a write that has succeeded. It happens at once: the database has the write, whatever becomes of a
   * transaction around the running code. That one invalidates the same again, since it may be the one that commits.
   *
   * @param owner - who fences `tags`, and lets them go
   * @returns what a unit is settled with
   * @throws InvalidationPendingError only under `onUnacknowledged: 'throw'`, with `committed: true` and the result
   */
  acknowledge(tags: readonly string[], result: unknown, owner?: string): Promise<Outcome>;
  /**
   * The same for a write whose caller does not wait: nothing that depends on `tags` is served in this process any more
   * once this has returned. Never rejects.
   */
  acknowledgeAtOnce(tags: readonly string[]): Promise<Outcome>;
  /** The same once more after `ms`, or when the cache is closed, of a write whose outcome is unknown; nobody waits for it. */
  acknowledgeLater(tags: readonly string[], ms: number): void;
  /** What the cache wants to accompany each COMMIT. */
  readonly safety: Safety;
  /**
   * From when it resolves, no version of `tags` holds for anybody, until `owner` has let go of them: by
   * {@link Port.acknowledge}, or some time after {@link Port.fenceEnded}. `owner` is used once.
   *
   * @param ms - for so long nobody asks whether the owner is still at work ({@link Attached.isOver})
   * @throws StoreUnavailableError when it was not confirmed; then there is no fence, and soon no part of one
   */
  fence(tags: readonly string[], owner: string, ms: number): Promise<void>;
  /**
   * What there was to do in the name of `owner` is done. A fence that is left is lifted when `isOver`, the transaction
   * has surely ended; else when the database says so.
   */
  fenceEnded(owner: string, isOver: boolean): void;
  /** The tags that every entry depends on. */
  readonly everything: readonly string[];
  /** Reads a statement's rows through the cache. */
  read<T>(read: PortRead<T>): Promise<Cached<T>>;
  /** The reading options of the cache, completed with those of a client or call. @throws TypeError */
  settings(options: object, base?: ReadSettings): ReadSettings;
  /** Why reads go past the cache at the moment. */
  whyPast(): string | undefined;
  emit<E extends keyof CacheEvents>(type: E, event: CacheEvents[E]): void;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls `fn` once after so many of them. Returns the way to call it off. */
  after(ms: number, fn: () => void): () => void;
  /** Calls `fn` when the cache is closed, which waits for it, at most as long as it was told to. Returns the way to call it off. */
  atClose(fn: () => Promise<unknown>): () => void;
  /** What an outbox needs to know of the cache, where there is to be one. */
  readonly outbox: { readonly name: string; readonly interval: number } | undefined;
}

/** What a cache wants to accompany each COMMIT. */
export interface Safety {
  /** Nothing is committed whose tags are not fenced. */
  readonly strict: boolean;
  readonly onFenceUnavailable: 'refuse' | 'degrade';
}

/** A wrapped database client, as the cache sees it. */
export interface Attached {
  /** Identity of its database, in table tags. */
  readonly database: string;
  /** What its tags are made by, as a text: another client of the same database must have the same. */
  readonly narrowing?: string;
  /**
   * The tag of a table that was named by hand: folds the names as the database does, and knows the schema that stands
   * for none. Left out: names are taken as they are, and `public` and `main` need no naming.
   */
  tableTag?(schema: string | undefined, name: string): string;
  /** Whether its writes of a table raise the parts of the table's tree that they change. Left out: they do not. */
  hasTree?(schema: string | undefined, name: string): boolean;
  /** The transaction that a handle of this client stands for. */
  unitOf(handle: object): Unit | undefined;
  /**
   * Whether the transaction has ended in whose name tags are fenced; undefined when it is of another database, or when
   * that cannot be told now.
   */
  isOver?: ((owner: string) => Promise<boolean | undefined>) | undefined;
  /** Resolves when every transaction has ended that may have written something by the time of the call. */
  quiet?: (() => Promise<void>) | undefined;
}

export interface Observed {
  /** The text, for events and `explain`; never with values. */
  readonly text: string;
  /** The values, to tell an under-keyed function; never shown. */
  readonly params: readonly unknown[] | Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
  /** Count unless {@link Observation.done} drops them. */
  readonly droppable: readonly string[];
  /** Each row of the result is made of one row, and is there whatever other rows there are. @defaultValue false */
  readonly isApart?: boolean;
}

/** What a result depends on that does not belong to one load alone. */
export interface Gathered {
  readonly scope: object;
}

export interface Observation {
  /** The statement has ended, or failed; what is not dropped counts. So does everything if the load ends before. */
  done(dropped?: readonly string[]): void;
  /** The version that a tag had before the statement ran; undefined when the store did not answer. */
  version(tag: string): Version | undefined;
}

export interface PortRead<T> {
  /** Statement, values and whatever else tells its answer from another's: made into a key. */
  readonly key: readonly unknown[];
  /** For statistics and events. */
  readonly name: string;
  /** As in {@link Observed}, for the load around it: that one does not see the statement when its rows are cached. */
  readonly statement?: Pick<Observed, 'text' | 'params'>;
  readonly settings: ReadSettings;
  /** Tags that the load will depend on, as far as they are known: their versions are asked for in the same round trip. */
  readonly likely: readonly string[];
  readonly fresh?: boolean;
  load(): Promise<T>;
  /**
   * The same once more, for an audit, when the reader has gone on; false where it would need a connection that the reader
   * holds. @defaultValue `load`
   */
  readonly again?: false | (() => Promise<T>) | undefined;
}

export type { OpenUnit, Outcome, Unit };
