import type { KeyPart, TypeRule } from '../values/index.js';
import type { Clock } from './clock.js';
import type { Checked, What } from './dependency.js';
import type { Duration } from './duration.js';
import type { Store } from './store.js';

/** `on`; `bypass`: nothing is served or stored, invalidations are still sent; `shadow`: loads always, and compares. */
export type Mode = 'on' | 'bypass' | 'shadow';

/** How a value is protected from those who change what they got. */
export type Copy = 'frozen' | 'clone' | 'reference';

/** About the age of values. */
export interface Timing {
  /** How long a value counts as fresh. Milliseconds, or text such as `'5m'`. @defaultValue 60_000 */
  ttl?: Duration;
  /** How long after that it may be served while one load in the background replaces it. @defaultValue 0 */
  swr?: Duration;
  /** How long after `ttl` it may be served when the load fails. @defaultValue 0 */
  staleOnError?: Duration;
  /** Shortens each value's life by a random share up to this one, 0 to 1, so that values do not end together. @defaultValue 0.1 */
  jitter?: number;
  /**
   * When to stop waiting for a load. `hard` (a plain duration means this one) rejects with `LoadTimeoutError` and aborts
   * the load's `signal`; `soft` answers with an aged value while the load goes on. @defaultValue \{ hard: 60_000 \}
   */
  timeout?: Duration | { soft?: Duration; hard?: Duration };
  /** `ttl` of `null` and `undefined`. @defaultValue `ttl` */
  negativeTtl?: Duration;
}

/** What a single read may say. */
export interface ReadOptions<Tag extends string = string> extends Timing {
  /**
   * What the value depends on, beside what the load reports by itself. Known before the load runs. `[]` says that age
   * alone ends the value: where database clients are wrapped, a load of which no query is seen is not stored without it.
   */
  tags?: readonly What<Tag>[];
  /** How stale this process's memory may be against invalidations by other processes; at most the cache's. @defaultValue 0 */
  maxStale?: Duration;
  /** Accept a value although it was invalidated, up to this age. @defaultValue 0 */
  tolerate?: Duration;
  /** Load now, whatever is stored, and store the result. @defaultValue false */
  fresh?: boolean;
  /** `frozen`: everybody gets the same unchangeable value; `clone`: a private copy each; `reference`: as loaded. @defaultValue 'frozen' */
  copy?: Copy;
}

/** What a load can say about its value while it runs. */
export interface LoadContext<Tag extends string = string> {
  /** Aborted when the load has taken too long or the cache is closed. */
  readonly signal: AbortSignal;
  /** Tags found in the data; called without any, it says that age alone ends the value, as `tags: []` does. */
  tag(...tags: What<Tag>[]): void;
  /** This value's `ttl`. */
  ttl(duration: Duration): void;
  /** Hand the value out, and do not store it. */
  skip(reason?: string): void;
}

/** Options of the outbox of `crashSafe`. */
export interface OutboxOptions {
  /**
   * How long it takes at most until what a process has left that died is invalidated; at least 100 ms. Each process looks
   * into the outbox twice in that time. @defaultValue 1_000
   */
  interval?: Duration;
}

/** Options of `createCache`. */
export interface CacheOptions<Tag extends string = string> extends Timing {
  /** The place that all processes share, such as `redisStore('redis://localhost')`. Without one, memory alone. */
  store?: Store;
  /** First part of everything in the store; caches of one name share. @defaultValue 'unstale' */
  name?: string;
  /** Of the shape of values, for rolling deploys: part of entry keys, never of tags. @defaultValue '' */
  version?: string | number;
  /** @defaultValue 'on' */
  mode?: Mode | (() => Mode);
  /**
   * Of how many hits the value is compared with the database afterwards, as a share from 0 to 1, such as `0.001`. Nobody
   * waits for it. A difference that no invalidation explains emits `mismatch`: a tag is missing, or a key says too little.
   * @defaultValue 0
   */
  audit?: number;
  /** How stale any process's memory may be. 0: every read contains every write acknowledged before it. @defaultValue 0 */
  maxStale?: Duration;
  /**
   * Every read contains every write that was *committed* before it, acknowledged or not, and no read steps back. Each
   * writing transaction fences its tags in the store before its COMMIT. Needs a `store` that has fences, `maxStale: 0`
   * and the same in every process of that `name`; holds for writes through wrapped database clients. Experimental.
   * @defaultValue false
   */
  strict?: boolean;
  /**
   * Under `strict`, what a write does whose tags cannot be fenced. `refuse`: it is rolled back and rejects with
   * `FenceUnavailableError`; `degrade`: it is committed all the same, which emits `unfenced`. @defaultValue 'refuse'
   */
  onFenceUnavailable?: 'refuse' | 'degrade';
  /**
   * `'outbox'`: what a transaction changes is written into a table of the database with it, so that another process
   * invalidates it when this one dies between COMMIT and invalidation. Needs the table of `outboxSql`. Holds for writes
   * through wrapped database clients; without a `store` there is nothing that outlives the process, so it does nothing.
   * @defaultValue undefined
   */
  crashSafe?: 'outbox' | { outbox: OutboxOptions };
  /** What a write does that succeeded and whose invalidation is not confirmed in time. @defaultValue 'report' */
  onUnacknowledged?: 'report' | 'throw';
  /** How long an invalidation waits for the store. @defaultValue 1_000 */
  ackTimeout?: Duration;
  /** The tenant of the current request: part of every key, and a tag. */
  tenant?: () => string | number | undefined;
  /** `required`: a read without a tenant is an error. @defaultValue 'optional' */
  tenancy?: 'optional' | 'required';
  /** @defaultValue 'frozen' */
  copy?: Copy;
  /**
   * Bounds of this process's memory; `false`: no values are kept in it. `tenantShare`, above 0 and at most 1, is how much
   * of either a tenant may keep when there is no room for all: one that has more gives up its own, and nobody else's.
   * @defaultValue \{ maxEntries: 10_000, maxBytes: '64mb', tenantShare: 0.5 \}
   */
  memory?: false | { maxEntries?: number; maxBytes?: number | `${number}${'kb' | 'mb' | 'gb'}`; tenantShare?: number };
  /** What reads are counted by, beside their name; costs memory for each value. @defaultValue neither */
  stats?: { tags?: boolean; tenants?: boolean };
  /** Whatever else the current request's answers depend on (locale, role): part of every key. */
  vary?: () => KeyPart;
  /** Classes whose instances may be stored. */
  types?: readonly TypeRule<any>[];
  /** Type only: the tags there are, `tags: [] as ('users' | 'teams')[]`. */
  tags?: readonly Tag[];
  /** What a call does whose arguments cannot become a key. @defaultValue 'bypass' */
  onUnkeyable?: 'bypass' | 'throw';
  /** What a load does whose value cannot be stored. @defaultValue 'bypass' */
  onUnstorable?: 'bypass' | 'throw';
  /** The time, for tests: `fakeClock()` from `unstale/testing`. @defaultValue the system's */
  clock?: Clock;
}

/** The table of defaults: the only place where they stand as values. */
export const defaults = Object.freeze({
  ttl: 60_000,
  swr: 0,
  staleOnError: 0,
  jitter: 0.1,
  hard: 60_000,
  maxStale: 0,
  tolerate: 0,
  copy: 'frozen' as Copy,
  name: 'unstale',
  version: '',
  mode: 'on' as Mode,
  audit: 0,
  strict: false,
  onFenceUnavailable: 'refuse',
  interval: 1000,
  onUnacknowledged: 'report',
  ackTimeout: 1000,
  tenancy: 'optional',
  maxEntries: 10_000,
  maxBytes: 64 * 2 ** 20,
  tenantShare: 0.5,
  onUnkeyable: 'bypass',
  onUnstorable: 'bypass',
} as const);

/** A read's options, checked and complete. */
export interface ReadSettings {
  readonly ttl: number;
  readonly swr: number;
  readonly staleOnError: number;
  readonly jitter: number;
  readonly soft: number | undefined;
  readonly hard: number;
  readonly negativeTtl: number | undefined;
  readonly maxStale: number;
  readonly tolerate: number;
  readonly copy: Copy;
  /** Undefined when nobody said anything; an empty list says that age alone ends the value. */
  readonly tags: readonly Checked[] | undefined;
}

/** A cache's options, checked and complete. */
export interface CacheSettings {
  readonly store: Store | undefined;
  readonly name: string;
  readonly version: string;
  readonly mode: Mode | (() => Mode);
  readonly audit: number;
  readonly strict: boolean;
  readonly onFenceUnavailable: 'refuse' | 'degrade';
  /** The `interval` of the outbox in milliseconds. */
  readonly outbox: number | undefined;
  readonly onUnacknowledged: 'report' | 'throw';
  readonly ackTimeout: number;
  readonly tenant: (() => string | number | undefined) | undefined;
  readonly tenancy: 'optional' | 'required';
  readonly memory: { readonly maxEntries: number; readonly maxBytes: number; readonly tenantShare: number } | undefined;
  readonly stats: { readonly tags: boolean; readonly tenants: boolean };
  readonly vary: (() => KeyPart) | undefined;
  readonly types: readonly TypeRule<any>[];
  readonly onUnkeyable: 'bypass' | 'throw';
  readonly onUnstorable: 'bypass' | 'throw';
  readonly clock: Clock | undefined;
  readonly read: ReadSettings;
}
