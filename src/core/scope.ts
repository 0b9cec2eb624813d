import { isFenced, type Version } from './store.js';
import type { Tags } from './tags.js';

/**
 * What a running load depends on.
 *
 * Each dependency is a pair: a tag, and the version it had *before* the data was read. Adapters report the pairs of a
 * query before it runs, cached calls inside the load hand up the pairs of their values. Because every pair is older
 * than the data it stands for, a write at any moment ends the entry, even when it ends it before it was stored.
 *
 * The first version of a tag wins. A second, different one means that the tag changed while the load ran: two of its
 * queries may have seen different states, so the value is handed to its callers and not stored.
 */
export class Scope {
  readonly pairs = new Map<string, Version>();
  /** Why the value must not be stored. */
  unstorable: string | undefined;
  /** Why nothing that contains the value may be stored either: what it depends on is not fully known. */
  torn: string | undefined;
  /** The shortest remaining life of the cached values inside, in milliseconds. */
  ttl = Number.POSITIVE_INFINITY;
  /** Tags that turned up without a version taken before the load: the next load will know them. */
  readonly learned: string[] = [];
  /** Versions taken before the load for tags that it may or may not turn out to depend on. */
  readonly #candidates: ReadonlyMap<string, Version>;
  readonly #tags: Tags;
  readonly #mark: number;
  readonly #common: boolean;

  /**
   * Made before the load begins.
   *
   * @param common - of a load for several values: what it learns is for their own scopes to judge
   */
  constructor(tags: Tags, before: ReadonlyMap<string, Version>, common = false) {
    this.#tags = tags;
    this.#common = common;
    this.#candidates = before;
    this.#mark = tags.mark;
  }

  /** A dependency whose version was taken before the data was read. */
  add(tag: string, version: Version): void {
    const first = this.pairs.get(tag);
    if (isFenced(version)) this.tear(`'${tag}' is being written`);
    if (first === undefined) this.pairs.set(tag, version);
    else if (first !== version) this.tear(`'${tag}' was invalidated while the load ran`);
  }

  /** A tag found in the result. It counts only if its version is known from before the load. */
  learn(tag: string): void {
    if (this.pairs.has(tag)) return;
    const version = this.#candidates.get(tag) ?? this.#tags.unchangedSince(this.#mark, tag);
    if (version !== undefined) return this.add(tag, version);
    this.learned.push(tag);
    if (!this.#common) this.tear(`'${tag}' was learned from the result; the next load is stored`);
  }

  /** The value must not be stored; the first reason is kept. */
  refuse(reason: string): void {
    this.unstorable ??= reason;
  }

  /** Nor may anything that contains it. */
  tear(reason: string): void {
    this.torn ??= reason;
    this.refuse(reason);
  }
}

/** Above this a value's dependencies cost more than it is worth. */
export const maxPairs = 1024;
