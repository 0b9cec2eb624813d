import { channel } from 'node:diagnostics_channel';
import type { Stats } from './stats.js';
import type { Version } from './store.js';

/** Whose read it was, and what it was about. */
export interface Marks {
  /** The tenant whose read it was. */
  readonly tenant?: string | number;
  /** What the value depends on, under `stats: { tags: true }`. */
  readonly tags?: readonly string[];
}

/** What the cache tells those who listen. Values and SQL parameters are never part of it. */
export interface CacheEvents {
  /** A read was answered by a stored value. */
  hit: Marks & {
    readonly key: string;
    readonly name: string;
    readonly source: 'near' | 'store';
    readonly age: number;
    readonly stale: boolean;
  };
  /** A read had to wait for a load. */
  miss: Marks & { readonly key: string; readonly name: string; readonly reason: string };
  /** A load has ended; in milliseconds. */
  load: Marks & {
    readonly key: string;
    readonly name: string;
    readonly duration: number;
    readonly stored: boolean;
    readonly reason?: string;
    readonly error?: unknown;
  };
  /** Tags were invalidated, acknowledged after `duration` milliseconds. */
  invalidate: { readonly tags: readonly string[]; readonly duration: number };
  /** A write succeeded, and its invalidation was not confirmed in time. It stays queued. */
  unacknowledged: { readonly tags: readonly string[]; readonly age: number };
  /** `onFenceUnavailable: 'degrade'`: a write is committed without a fence; of a statement alone the tags are not known. */
  unfenced: { readonly tags: readonly string[]; readonly reason: string };
  /** One key was loaded with different statements: something that the load depends on is missing in the key. */
  underkeyed: { readonly key: string; readonly name: string; readonly statement: string };
  /** A load did something whose dependencies cannot be seen. */
  untracked: { readonly key: string; readonly name: string; readonly reason: string };
  /** Bytes in the store that are no entry of ours; they were removed. */
  damaged: { readonly key: string; readonly bytes: number };
  /** By `audit` or `mode: 'shadow'`: a stored value differs from the loaded one although no dependency has changed. */
  mismatch: Omit<Marks, 'tags'> & {
    readonly key: string;
    readonly name: string;
    readonly by: 'audit' | 'shadow';
    /** What the stored value depends on, as the cache keeps it, and the version of each. */
    readonly tags: readonly string[];
    readonly versions: readonly Version[];
    /** Hashes of the bytes of both values. */
    readonly stored: string;
    readonly loaded: string;
  };
  /** The store's connection is considered down, or up again. */
  breaker: { readonly node: string; readonly state: 'open' | 'half-open' | 'closed' };
  /** A warmer is at work: now and then during a cycle, and at its end. */
  warm: {
    readonly name: string;
    /** Which one, counted in this process from 1. */
    readonly cycle: number;
    /** Calls or items that are done, failed ones among them; and how many there are. */
    readonly done: number;
    readonly of: number;
    readonly failed: number;
    /** Calls that were left alone, since nobody has read their entry since its last refresh. */
    readonly skipped: number;
    /** Milliseconds since it began. */
    readonly duration: number;
    readonly ended: boolean;
    /** How many times longer than asked for the pause before the next cycle is: 1, 2, 4 or 8. */
    readonly slowdown: number;
    /** The first thing that went wrong. */
    readonly error?: unknown;
  };
  /** Something failed that nobody waits for. */
  error: { readonly error: unknown };
}

/** All names of events. */
export const eventNames: ReadonlySet<keyof CacheEvents> = new Set([
  'hit',
  'miss',
  'load',
  'invalidate',
  'unacknowledged',
  'unfenced',
  'underkeyed',
  'untracked',
  'damaged',
  'mismatch',
  'breaker',
  'warm',
  'error',
] as const);

type Listener<E extends keyof CacheEvents> = (event: CacheEvents[E]) => void;

/** The marks of an event; `pairs` are left out where no tags are to be told. */
export function marksOf(
  stats: Stats,
  tenant: string | number | undefined,
  pairs?: Iterable<readonly [string, unknown]>,
): Marks {
  const tags = pairs && stats.tagsOf(pairs);
  if (tenant === undefined && tags === undefined) return nothing;
  return { ...(tenant === undefined ? {} : { tenant }), ...(tags === undefined ? {} : { tags }) };
}

const nothing: Marks = {};

/** Everything that is reported also goes to this `node:diagnostics_channel`, as `{ cache, type, ...event }`. */
const diagnostics = channel('unstale:cache');

/** Listeners of one cache. */
export class Events {
  readonly #listeners = new Map<keyof CacheEvents, Set<Listener<never>>>();
  readonly #cache: string;

  constructor(cache: string) {
    this.#cache = cache;
  }

  on<E extends keyof CacheEvents>(type: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener as Listener<never>));
    return () => {
      listeners.delete(listener as Listener<never>);
      if (listeners.size === 0 && this.#listeners.get(type) === listeners) this.#listeners.delete(type);
    };
  }

  /** Whether anybody would hear of it: asked before a hit spends time on the event. */
  hears(type: keyof CacheEvents): boolean {
    return diagnostics.hasSubscribers || (this.#listeners.size > 0 && this.#listeners.has(type));
  }

  emit<E extends keyof CacheEvents>(type: E, event: CacheEvents[E]): void {
    if (diagnostics.hasSubscribers) diagnostics.publish({ cache: this.#cache, type, ...event });
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        (listener as Listener<E>)(event);
      } catch (error) {
        // A listener must not be able to fail a read; its error goes where errors of timers go.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
