import type { Clock } from './clock.js';

/**
 * The contract of a store: what the cache asks of the place that all processes share.
 *
 * A store keeps two kinds of things under one name. *Versions*: every tag has one, a text that nobody has used before;
 * raising a tag gives it a new one. *Entries*: bytes that the cache wrote, which name the versions they were loaded
 * under. An entry counts only while each of its versions is still the tag's version, so raising one tag ends any
 * number of entries in one step, and an entry that was loaded before a write can be stored after it without harm.
 *
 * What the cache relies on, and what the contract suite in `unstale/testing` tests:
 *
 * 1. A version, once replaced, never comes back. A tag that the store has lost gets one that never existed.
 * 2. `raise` resolves only after every later `read`, by anybody, gives the new versions.
 * 3. `read` gives versions that the tags had at a moment after the call began. In particular a call never shares a
 *    request that was already on its way.
 * 4. `epoch` changes, and `lost` is called, before anything is read from a store that may have gone back in time.
 * 5. Nothing waits for ever: every promise settles within its `timeout`, or the store's own where it has none, and rejects with
 *    `StoreUnavailableError` when the store did not answer. A command that timed out may still be carried out.
 * 6. Where a store has fences: once `fence` has resolved, every later `read`, by anybody, gives a fenced version of each
 *    of these tags, until every owner has let go of it by a `raise` in its name. Nothing else ends a fence but a loss of
 *    the store: no time, no other raise, no owner's late word. What holds it is a set of owners, since a flag would be
 *    lifted by the first of two writers, and a counter by one that comes twice.
 *
 * What it does not rely on: clocks of other machines, that entries or versions are kept, order between commands.
 */
export interface Store {
  /** What the store is, for events and `explain`: `'redis'`, `'memory'`. */
  readonly kind: string;
  /** Starts the work of one cache with this store. Must not throw because a server is down. */
  open(context: StoreContext): StoreSession;
}

/** A tag's version: compared, never ordered. */
export type Version = string | number;

/**
 * Somebody is writing what the tag stands for: the version holds for nobody. It begins with an `f`; no version of a tag
 * that nobody fences does.
 */
export function isFenced(version: Version | undefined): boolean {
  return typeof version === 'string' && version.startsWith('f');
}

/** Why a session is refused that is not as strict as the others of its name, or stricter. */
export function whyUnlike({ name, strict }: Pick<StoreContext, 'name' | 'strict'>): string {
  const [others, here] = strict ? ['is not', 'with'] : ['is', 'without'];
  return `cache '${name}' ${others} strict for those who opened it first, and was opened here ${here} \`strict: true\`. One process that does not fence what it writes breaks what strict ones promise, so all of a name must agree. To change it, stop all of them and delete what the store keeps under the name`;
}

/** What a cache tells a store when it opens it. */
export interface StoreContext {
  /** The cache's name: the first part of everything that the store keeps for it. */
  readonly name: string;
  readonly clock: Clock;
  /**
   * How stale memory may be, in milliseconds. At 0 nobody trusts memory, so there is nothing to watch; above it the
   * store reports changes as {@link StoreListener} says.
   */
  readonly maxStale: number;
  /**
   * Whether writers fence what they write before they commit it. That is a property of the name: one client that does
   * not would break what the others promise. So a session that is not like the others is refused: it never has an
   * epoch, its calls reject, and the listener hears once why.
   */
  readonly strict: boolean;
  readonly listener: StoreListener;
}

/** What a store tells its cache. Calls are cheap and may come at any time, also before `open` has returned. */
export interface StoreListener {
  /** The version of `tag` has changed, or may have. Told at least once for a watched read; also of own changes. */
  changed(tag: string): void;
  /**
   * Any version may have changed without a word: a connection was lost, the store was emptied, the epoch is new. Ends
   * what `proven` said, until it is called again.
   */
  lost(): void;
  /** Every change that took effect before `at` (in {@link Clock.now}) has been reported. */
  proven(at: number): void;
  /** The store can be reached again: undelivered invalidations should be tried now. */
  up(): void;
  /** For events: the state of a connection's breaker, an error that nobody waits for. */
  report(event: StoreEvent): void;
}

export type StoreEvent =
  | {
      readonly type: 'breaker';
      readonly node: string;
      readonly state: 'open' | 'half-open' | 'closed';
      readonly why?: string;
    }
  | { readonly type: 'error'; readonly error: unknown };

/** One cache's work with a store. */
export interface StoreSession {
  /** Largest entry that the store takes, in bytes. 0: the store keeps versions only, and values live in memory. */
  readonly maxEntryBytes: number;
  /**
   * Names the store's history; another value means that it may have lost something. Undefined: not trusted now. Calls
   * may reject all the same while it is defined: a store can have several nodes.
   */
  readonly epoch: string | undefined;
  /** Milliseconds on a scale that all processes of this store share, for ages. */
  now(): number;
  /**
   * Reads an entry and the versions of `tags`, together with all other reads of the same tick in one round trip. A tag
   * named twice has one version in both places.
   *
   * @param key - hash of the entry's key, or undefined for versions alone
   */
  read(key: string | undefined, tags: readonly string[]): Promise<StoreRead>;
  /** Keeps an entry of at most `maxEntryBytes` for `ms`. The bytes must not change until that has resolved. */
  write(key: string, bytes: Uint8Array, ms: number): Promise<void>;
  /** Forgets an entry. Never rejects: it is a kindness to the store, nothing depends on it. */
  remove(key: string): void;
  /**
   * Gives each tag a new version, and resolves with them in order once the store has confirmed them all. A tag named
   * twice gets one.
   *
   * A tag that is fenced gets a fenced version.
   *
   * @param timeout - milliseconds; rejects at once when the store is known to be down
   * @param owner - in whose name tags were fenced; it lets go of them in the same step. That it fences none of them is
   *   no error
   */
  raise(tags: readonly string[], timeout: number, owner?: string): Promise<readonly Version[]>;
  /**
   * Fences tags in the name of `owner`, a text that nobody else uses; see promise 6. Again with the same owner, only the
   * end of `ms` moves. Rejects when any of them could not be confirmed; those that were are let go then, as far as the
   * store answers, and the owner must not be used again, since a part of it may still arrive. Left out: the store has no
   * fences, and cannot be used strictly.
   *
   * @param ms - milliseconds after which anybody may ask whether the owner is still at work (see `expired`); the fence
   *   stays
   * @param timeout - milliseconds; rejects at once when the store is known to be down
   */
  readonly fence?: ((tags: readonly string[], owner: string, ms: number, timeout: number) => Promise<void>) | undefined;
  /**
   * For each of `tags` the owners whose `ms` are over, in no certain order. A tag that has a fenced version and no owner
   * gives `['']`: a raise in nobody's name ends it.
   */
  readonly expired?: ((tags: readonly string[]) => Promise<readonly (readonly string[])[]>) | undefined;
  /**
   * The right to load an entry, for `ms` at most, less when this process ends; undefined when anybody has it, this session included. A release by a
   * former owner has no effect.
   */
  lease(key: string, ms: number): Promise<Lease | undefined>;
  /** Resolves once nobody has the lease of `key`, also when it was given back before this call, or after `ms`; never rejects. */
  released(key: string, ms: number): Promise<void>;
  /** The largest `maxStale`, in milliseconds, that any process of this cache works with. */
  reach(): Promise<number>;
  /**
   * Ends connections, timers and listeners. Calls under way and later ones reject, `released` resolves, the listener
   * hears nothing more. May be called twice.
   */
  close(): Promise<void>;
}

export interface StoreRead {
  /** The entry's bytes. Not to be trusted. */
  readonly entry: Uint8Array | undefined;
  /** In the order of the tags asked for. */
  readonly versions: readonly Version[];
  /** The epoch that the whole answer belongs to. */
  readonly epoch: string;
  /** When the request was sent, in {@link Clock.now}. */
  readonly sentAt: number;
  /** Whether a change of these versions after the answer is going to be reported. */
  readonly watched: boolean;
}

export interface Lease {
  /** Gives the lease back and wakes those who wait for it. Never rejects. */
  release(): void;
  /**
   * Makes it last until `ms` after this call, be it longer or shorter than what is left; false when it is not held any
   * more, and then never again. From now on it lasts so long whatever becomes of this process, also when the session is
   * closed: only `release` ends it earlier. Rejects when the store did not answer, and then it may have been prolonged.
   */
  renew(ms: number): Promise<boolean>;
}
