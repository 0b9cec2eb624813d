import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';
import { Owners } from './memory-owners.js';
import type { StoreContext, StoreSession, Version } from './store.js';

/**
 * What the caches of one name share in a `memoryStore`: versions, who fences them, entries and leases.
 *
 * A fence is in the set of owners, not in the version: a fenced tag that was dropped for room comes back fenced.
 */
export class Space {
  readonly clock: Clock;
  readonly strict: boolean;
  readonly sessions = new Map<StoreSession, StoreContext>();
  readonly leases = new Map<string, Held>();
  epoch = randomUUID() as string;
  readonly #versions: LRUCache<string, string>;
  readonly #entries: LRUCache<string, Stored>;
  #owners = new Owners();
  #last = 0;

  constructor({ clock, strict }: StoreContext, limits: SpaceLimits) {
    this.clock = clock;
    this.strict = strict;
    this.#versions = new LRUCache({
      max: limits.maxVersions,
      // Whoever reads this tag next gives it another version, so those who remember this one are told now.
      disposeAfter: (_, tag, reason) => {
        if (reason === 'evict') for (const { listener } of this.sessions.values()) listener.changed(tag);
      },
    });
    this.#entries = new LRUCache({ max: limits.maxEntries });
  }

  version(tag: string): Version {
    return this.#versions.get(tag) ?? this.#renew(tag);
  }

  raise(tag: string, owner: string | undefined): Version {
    if (owner !== undefined) this.#owners.remove(tag, owner);
    return this.#renew(tag);
  }

  fence(tag: string, owner: string, ms: number): void {
    this.#owners.add(tag, owner, this.clock.now() + ms);
    this.#renew(tag);
  }

  /** Here no version is fenced without an owner: nobody's name is never among them. */
  expired(tag: string): readonly string[] {
    return this.#owners.expired(tag, this.clock.now());
  }

  entry(key: string): Uint8Array | undefined {
    const stored = this.#entries.get(key);
    if (stored === undefined) return undefined;
    // A copy: decoders hand out parts of the bytes they were given, and those parts can be written to.
    if (stored.until > this.clock.now()) return new Uint8Array(stored.bytes);
    this.#entries.delete(key);
    return undefined;
  }

  keep(key: string, bytes: Uint8Array, ms: number): void {
    this.#entries.set(key, { bytes: new Uint8Array(bytes), until: this.clock.now() + ms });
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  /** Ends the lease `held` of `key`, if it still is the lease of `key`. */
  end(key: string, held: Held): void {
    if (this.leases.get(key) !== held) return;
    this.leases.delete(key);
    held.stop();
    for (const wake of held.waiting) wake();
  }

  lose(): void {
    this.#goBack([], [], new Owners());
  }

  /** Takes a copy, and returns the way back to it. */
  remember(): () => void {
    const [versions, entries, owners] = [this.#versions.dump(), this.#entries.dump(), this.#owners.copy()];
    return () => this.#goBack(versions, entries, owners.copy());
  }

  #renew(tag: string): Version {
    const version = `${this.#owners.has(tag) ? 'f' : 'v'}${++this.#last}`;
    this.#versions.set(tag, version);
    return version;
  }

  /** Puts back what was kept earlier. The counter stays: only the epoch tells an old version from a restored one. */
  #goBack(
    versions: ReturnType<LRUCache<string, string>['dump']>,
    entries: ReturnType<LRUCache<string, Stored>['dump']>,
    owners: Owners,
  ): void {
    this.epoch = randomUUID();
    this.#versions.load(versions);
    this.#entries.load(entries);
    this.#owners = owners;
    for (const [key, held] of [...this.leases]) this.end(key, held);
    for (const { listener } of this.sessions.values()) {
      listener.lost();
      // What was lost has been reported by this very call, so the proof holds again at once.
      listener.proven(Number.POSITIVE_INFINITY);
    }
  }
}

export interface SpaceLimits {
  readonly maxVersions: number;
  readonly maxEntries: number;
}

/** A lease that somebody holds. Its identity is the owner: whoever gives back another one changes nothing. */
export interface Held {
  readonly waiting: Set<() => void>;
  stop: () => void;
}

interface Stored {
  readonly bytes: Uint8Array;
  readonly until: number;
}
