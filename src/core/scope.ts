import type { Observed } from './port.js';
import { isFenced, type Version } from './store.js';
import { whyFenced } from './strict.js';
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
  /** Whether anybody said what the value depends on: a statement, a cached value inside, or tags, even none. */
  tracked = false;
  /** Whether something was refused, so that it is told once. */
  refused = false;
  /** How many statements and cached values have gone into it. */
  sources = 0;
  /** The tags of a statement each of whose rows is there whatever other rows there are. */
  apart: readonly string[] = [];
  /** Statements that began before the load had any data: they follow from its key alone. */
  readonly opening: Pick<Observed, 'text' | 'params'>[] = [];
  /** What the versions belong to. */
  readonly epoch: string;
  /** Whose load it is. */
  readonly of: { readonly key: string; readonly name: string };
  /** Statements whose rows nobody has seen the end of, each with what it adds then. */
  readonly #open = new Set<() => void>();
  #hasData = false;
  #closed = false;
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
  constructor(
    tags: Tags,
    of: { readonly key: string; readonly name: string },
    before: ReadonlyMap<string, Version>,
    epoch: string,
    common = false,
  ) {
    this.#tags = tags;
    this.of = of;
    this.#common = common;
    this.#candidates = before;
    this.epoch = epoch;
    this.#mark = tags.mark;
  }

  /** A dependency whose version was taken before the data was read. */
  add(tag: string, version: Version): void {
    if (this.#closed) return;
    const first = this.pairs.get(tag);
    if (isFenced(version)) this.tear(whyFenced(tag, version));
    if (first === undefined) this.pairs.set(tag, version);
    else if (first !== version) this.tear(`'${tag}' was invalidated while the load ran`);
  }

  /** What a load for several values depends on, each of them depends on. */
  include(common: Scope): void {
    if (common.epoch !== this.epoch) this.tear('the store may have lost data while the load ran');
    for (const [tag, version] of common.pairs) this.add(tag, version);
    for (const tag of common.learned) this.learn(tag);
    this.ttl = Math.min(this.ttl, common.ttl);
    this.tracked ||= common.tracked;
    if (common.torn !== undefined) this.tear(common.torn);
    if (common.unstorable !== undefined) this.refuse(common.unstorable);
  }

  /** A tag found in the result. It counts only if its version is known from before the load. */
  learn(tag: string): void {
    if (this.#closed || this.pairs.has(tag)) return;
    const version = this.#candidates.get(tag) ?? this.#tags.unchangedSince(this.#mark, tag);
    if (version !== undefined) return this.add(tag, version);
    this.learned.push(tag);
    if (!this.#common) this.tear(`'${tag}' was learned from the result; the next load is stored`);
  }

  /** Versions from before anything that begins now, each good for any load that does. */
  get versions(): readonly ReadonlyMap<string, Version>[] {
    return [this.#candidates, this.pairs];
  }

  /** The version of a tag that is known from before anything that begins now. */
  known(tag: string): Version | undefined {
    return this.pairs.get(tag) ?? this.#candidates.get(tag);
  }

  /** A statement begins. */
  begins(statement: Pick<Observed, 'text' | 'params'>): void {
    this.tracked = true;
    this.sources++;
    if (!this.#hasData && this.opening.length < maxOpening) this.opening.push(statement);
  }

  /** The load has got data, which may decide what it asks for next. */
  hasData(): void {
    this.#hasData = true;
  }

  /** `end` happens at the end of a statement, or when the load ends before. @returns does it now */
  untilEnd(end: () => void): () => void {
    this.#open.add(end);
    return () => {
      if (this.#open.delete(end)) end();
    };
  }

  /** Whether a statement has not ended. */
  get isReading(): boolean {
    return this.#open.size > 0;
  }

  /** The load has ended: what is reported from now on has not gone into its value. */
  close(): void {
    for (const end of this.#open) end();
    this.#open.clear();
    this.#closed = true;
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
/** Statements that are compared with those of the next load of the same key. */
const maxOpening = 16;
