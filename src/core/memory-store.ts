import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';
import { expected, StoreUnavailableError } from './errors.js';
import type { Lease, Store, StoreContext, StoreRead, StoreSession, Version } from './store.js';

/**
 * The store's contract in this process, and its reference: where prose leaves a doubt, read what this does.
 *
 * One store object stands for one server. Caches that open it under the same name are its clients, as processes are of
 * Redis, and share versions, entries and leases. What it promises beyond the contract: a call takes effect at once,
 * before it returns its promise; the listeners of the other sessions have heard of a raise before its promise
 * resolves, so everything is watched and proven from the start.
 *
 * Versions come from one counter that never goes back, not when a tag is dropped for room and not when the store is
 * emptied or rewound. That is the whole of promise 1: a number that was handed out is never handed out again.
 *
 * It relies on one clock for ages, expiry and leases, that of the first session of a name. It does not know what
 * entries mean, and it does not survive its process. A cache without a store does not use it: there the cache's own
 * tag cells are the authority. This one is for tests, for playing several processes in one, and for reading.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const limits = {
    maxVersions: count('maxVersions', options.maxVersions ?? defaults.maxVersions),
    maxEntries: count('maxEntries', options.maxEntries ?? defaults.maxEntries),
  };
  const spaces = new Map<string, Space>();
  return {
    kind: 'memory',
    open(context) {
      const space = spaces.get(context.name) ?? new Space(context.clock, limits);
      spaces.set(context.name, space);
      return new MemorySession(space, context);
    },
    lose() {
      for (const space of spaces.values()) space.goBack([], []);
    },
    remember() {
      const copies = [...spaces.values()].map((space) => ({
        space,
        versions: space.versions.dump(),
        entries: space.entries.dump(),
      }));
      return () => {
        for (const { space, versions, entries } of copies) space.goBack(versions, entries);
      };
    },
  };
}

/** What {@link memoryStore} may keep. */
export interface MemoryStoreOptions {
  /** Versions kept for each name, at least 1. The longest unused is dropped; its entries end. @defaultValue 100_000 */
  maxVersions?: number;
  /** Entries kept for each name, at least 1. The longest unused is dropped. @defaultValue 10_000 */
  maxEntries?: number;
}

/** A {@link Store} in this process, with the two accidents that befall a server. */
export interface MemoryStore extends Store {
  readonly kind: 'memory';
  /** Forgets all versions, entries and leases, under every name, as a server that restarts empty. */
  lose(): void;
  /** Takes a copy, and returns the way back to it: as a server that restarts from an older snapshot. */
  remember(): () => void;
}

const defaults = { maxVersions: 100_000, maxEntries: 10_000 };
/** As large as the Redis store's, so that a test with this one meets the same limit. */
const maxEntryBytes = 1024 * 1024;

interface Stored {
  readonly bytes: Uint8Array;
  readonly until: number;
}

/** A lease that somebody holds. Its identity is the owner: whoever gives back another one changes nothing. */
interface Held {
  readonly waiting: Set<() => void>;
  stop: () => void;
}

/** What is shared under one name. */
class Space {
  readonly clock: Clock;
  readonly sessions = new Map<MemorySession, StoreContext>();
  readonly leases = new Map<string, Held>();
  readonly versions: LRUCache<string, string>;
  readonly entries: LRUCache<string, Stored>;
  epoch = randomUUID() as string;
  #last = 0;

  constructor(clock: Clock, limits: Required<MemoryStoreOptions>) {
    this.clock = clock;
    this.versions = new LRUCache({
      max: limits.maxVersions,
      // Whoever reads this tag next gives it another version, so those who remember this one are told now.
      disposeAfter: (_, tag, reason) => {
        if (reason === 'evict') for (const { listener } of this.sessions.values()) listener.changed(tag);
      },
    });
    this.entries = new LRUCache({ max: limits.maxEntries });
  }

  version(tag: string): Version {
    return this.versions.get(tag) ?? this.raise(tag);
  }

  raise(tag: string): Version {
    const version = `v${++this.#last}`;
    this.versions.set(tag, version);
    return version;
  }

  entry(key: string): Uint8Array | undefined {
    const stored = this.entries.get(key);
    if (stored === undefined) return undefined;
    // A copy: decoders hand out parts of the bytes they were given, and those parts can be written to.
    if (stored.until > this.clock.now()) return new Uint8Array(stored.bytes);
    this.entries.delete(key);
    return undefined;
  }

  /** Ends the lease `held` of `key`, if it still is the lease of `key`. */
  end(key: string, held: Held): void {
    if (this.leases.get(key) !== held) return;
    this.leases.delete(key);
    held.stop();
    for (const wake of held.waiting) wake();
  }

  /** Puts back what was kept earlier. The counter stays: only the epoch tells an old version from a restored one. */
  goBack(versions: ReturnType<Space['versions']['dump']>, entries: ReturnType<Space['entries']['dump']>): void {
    this.epoch = randomUUID();
    this.versions.load(versions);
    this.entries.load(entries);
    for (const [key, held] of [...this.leases]) this.end(key, held);
    for (const { listener } of this.sessions.values()) {
      listener.lost();
      // What was lost has been reported by this very call, so the proof holds again at once.
      listener.proven(Number.POSITIVE_INFINITY);
    }
  }
}

class MemorySession implements StoreSession {
  readonly maxEntryBytes = maxEntryBytes;
  readonly #space: Space;
  readonly #context: StoreContext;
  /** What has to end when this session does: leases it holds, waits it is in. */
  readonly #open = new Set<() => void>();

  constructor(space: Space, context: StoreContext) {
    this.#space = space;
    this.#context = context;
    space.sessions.set(this, context);
    context.listener.proven(Number.POSITIVE_INFINITY);
  }

  get epoch(): string | undefined {
    return this.#isClosed() ? undefined : this.#space.epoch;
  }

  now(): number {
    return this.#space.clock.now();
  }

  async read(key: string | undefined, tags: readonly string[]): Promise<StoreRead> {
    this.#refuseWhenClosed();
    const space = this.#space;
    return {
      entry: key === undefined ? undefined : space.entry(key),
      versions: tags.map((tag) => space.version(tag)),
      epoch: space.epoch,
      sentAt: this.#context.clock.now(),
      watched: true,
    };
  }

  async write(key: string, bytes: Uint8Array, ms: number): Promise<void> {
    this.#refuseWhenClosed();
    if (bytes.byteLength > maxEntryBytes) throw expected('bytes', `at most ${maxEntryBytes} long`, bytes.byteLength);
    this.#space.entries.set(key, { bytes: new Uint8Array(bytes), until: this.now() + ms });
  }

  remove(key: string): void {
    if (!this.#isClosed()) this.#space.entries.delete(key);
  }

  async raise(tags: readonly string[]): Promise<readonly Version[]> {
    this.#refuseWhenClosed();
    const raised = new Map([...new Set(tags)].map((tag) => [tag, this.#space.raise(tag)]));
    for (const [session, { listener }] of this.#space.sessions)
      if (session !== this) for (const tag of raised.keys()) listener.changed(tag);
    return tags.map((tag) => raised.get(tag) as Version);
  }

  async lease(key: string, ms: number): Promise<Lease | undefined> {
    this.#refuseWhenClosed();
    const space = this.#space;
    if (space.leases.has(key)) return undefined;
    const release = () => {
      this.#open.delete(release);
      space.end(key, held);
    };
    const held: Held = { waiting: new Set(), stop: space.clock.after(ms, release) };
    space.leases.set(key, held);
    this.#open.add(release);
    const renew = async (again: number) => {
      this.#refuseWhenClosed();
      if (space.leases.get(key) !== held) return false;
      held.stop();
      held.stop = space.clock.after(again, release);
      this.#open.delete(release);
      return true;
    };
    return { release, renew };
  }

  released(key: string, ms: number): Promise<void> {
    const held = this.#space.leases.get(key);
    if (held === undefined || this.#isClosed()) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        stop();
        held.waiting.delete(wake);
        this.#open.delete(wake);
        resolve();
      };
      const stop = this.#context.clock.after(ms, wake);
      held.waiting.add(wake);
      this.#open.add(wake);
    });
  }

  async reach(): Promise<number> {
    this.#refuseWhenClosed();
    return Math.max(...[...this.#space.sessions.values()].map(({ maxStale }) => maxStale));
  }

  async close(): Promise<void> {
    this.#space.sessions.delete(this);
    for (const end of [...this.#open]) end();
  }

  #isClosed(): boolean {
    return !this.#space.sessions.has(this);
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed()) throw new StoreUnavailableError('this session was closed');
  }
}

function count(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw expected(what, 'a whole number of at least 1', value);
}
