import { expected, StoreUnavailableError } from './errors.js';
import { type Held, Space, type SpaceLimits } from './memory-space.js';
import {
  type Lease,
  type Store,
  type StoreContext,
  type StoreRead,
  type StoreSession,
  type Version,
  whyUnlike,
} from './store.js';

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
 * It relies on one clock for ages, expiry and leases, that of the first session of a name, whose `strict` all others
 * must have as well. It does not know what entries mean, and it does not survive its process. A cache without a store does not use it: there the cache's own
 * tag cells are the authority. This one is for tests, for playing several processes in one, and for reading.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const limits: SpaceLimits = {
    maxVersions: count('maxVersions', options.maxVersions ?? defaults.maxVersions),
    maxEntries: count('maxEntries', options.maxEntries ?? defaults.maxEntries),
  };
  const spaces = new Map<string, Space>();
  return {
    kind: 'memory',
    open(context) {
      const space = spaces.get(context.name) ?? new Space(context, limits);
      spaces.set(context.name, space);
      return new MemorySession(space, context);
    },
    lose() {
      for (const space of spaces.values()) space.lose();
    },
    remember() {
      const ways = [...spaces.values()].map((space) => space.remember());
      return () => {
        for (const goBack of ways) goBack();
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
  /** Forgets all versions, fences, entries and leases, under every name, as a server that restarts empty. */
  lose(): void;
  /** Takes a copy, and returns the way back to it: as a server that restarts from an older snapshot. */
  remember(): () => void;
}

const defaults = { maxVersions: 100_000, maxEntries: 10_000 };
/** As large as the Redis store's, so that a test with this one meets the same limit. */
const maxEntryBytes = 1024 * 1024;

class MemorySession implements StoreSession {
  readonly maxEntryBytes = maxEntryBytes;
  readonly #space: Space;
  readonly #context: StoreContext;
  /** What has to end when this session does: leases it holds, waits it is in. */
  readonly #open = new Set<() => void>();
  readonly #refusal: StoreUnavailableError | undefined;

  constructor(space: Space, context: StoreContext) {
    this.#space = space;
    this.#context = context;
    if (space.strict !== context.strict) {
      this.#refusal = new StoreUnavailableError(whyUnlike(context));
      this.#tellOfRefusal();
      return;
    }
    space.sessions.set(this, context);
    context.listener.proven(Number.POSITIVE_INFINITY);
  }

  /** Not before `open` has returned: nobody could have begun to listen. */
  #tellOfRefusal(): void {
    let isOver = false;
    const end = () => {
      isOver = true;
      this.#open.delete(end);
    };
    this.#open.add(end);
    process.nextTick(() => {
      if (!isOver) this.#context.listener.report({ type: 'error', error: this.#refusal });
      end();
    });
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
    this.#space.keep(key, bytes, ms);
  }

  remove(key: string): void {
    if (!this.#isClosed()) this.#space.remove(key);
  }

  async raise(tags: readonly string[], _timeout: number, owner?: string): Promise<readonly Version[]> {
    this.#refuseWhenClosed();
    const raised = new Map([...new Set(tags)].map((tag) => [tag, this.#space.raise(tag, owner)]));
    for (const [session, { listener }] of this.#space.sessions)
      if (session !== this) for (const tag of raised.keys()) listener.changed(tag);
    return tags.map((tag) => raised.get(tag) as Version);
  }

  async fence(tags: readonly string[], owner: string, ms: number): Promise<void> {
    this.#refuseWhenClosed();
    for (const tag of new Set(tags)) {
      this.#space.fence(tag, owner, ms);
      for (const { listener } of this.#space.sessions.values()) listener.changed(tag);
    }
  }

  async expired(tags: readonly string[]): Promise<readonly (readonly string[])[]> {
    this.#refuseWhenClosed();
    return tags.map((tag) => this.#space.expired(tag));
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
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#isClosed()) throw new StoreUnavailableError('this session was closed');
  }
}

function count(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw expected(what, 'a whole number of at least 1', value);
}
