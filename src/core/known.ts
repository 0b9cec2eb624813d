import type { Entry } from './entry.js';
import { StoreUnavailableError } from './errors.js';
import type { Parts } from './parts.js';
import { isFenced, type Version } from './store.js';
import { whyFenced } from './strict.js';

/**
 * The versions that one look has come to know: from this process's table as far as that is proven, from the store
 * otherwise. Each is the tag's version at a moment not before `floor`, so what is compared with them here is compared
 * with *now*, in the eyes of whoever looks.
 */
export class Known {
  readonly versions = new Map<string, Version>();
  #epoch: string | undefined;
  readonly #parts: Parts;
  readonly #floor: number;
  /** When the look began, in the order of beginnings. */
  readonly begun: number;
  /** An answer that was asked for while a tag was distrusted may be older than what has been delivered since. */
  readonly #trustedAgain: number;
  /** Whether the table may know anything: without a watch, nobody feeds it. */
  readonly #remembers: boolean;

  /** @param floor - moment from which on no acknowledged change may be missing */
  constructor(parts: Parts, floor: number) {
    this.#parts = parts;
    this.#floor = floor;
    this.begun = parts.begin();
    this.#trustedAgain = parts.tags.trustedAgain;
    this.#remembers = !parts.shared || parts.settings.read.maxStale > 0;
  }

  /** Learns the versions of those `tags` that are not known yet, and an entry's bytes, in one round trip. */
  async ask(hash: string | undefined, tags: readonly string[]): Promise<Uint8Array | undefined> {
    const { session, tags: table } = this.#parts;
    const unknown: string[] = [];
    for (const tag of tags) {
      if (this.versions.has(tag)) continue;
      const cell = this.#remembers ? table.cell(tag) : undefined;
      if (cell !== undefined && table.isVerified(cell, this.#floor)) this.versions.set(tag, cell.version as Version);
      else if (!unknown.includes(tag)) unknown.push(tag);
    }
    if (hash === undefined && unknown.length === 0) return undefined;
    const mark = table.mark;
    const answer = await session.read(hash, unknown);
    if (this.#epoch !== undefined && this.#epoch !== answer.epoch)
      throw new StoreUnavailableError('its epoch changed during a look');
    this.#epoch = answer.epoch;
    for (let i = 0; i < unknown.length; i++) {
      const tag = unknown[i] as string;
      const version = answer.versions[i] as Version;
      this.versions.set(tag, version);
      if (answer.watched) table.learn(table.cell(tag), version, answer.sentAt, mark);
    }
    return answer.entry;
  }

  /**
   * Asks for the versions of an entry that is here, and whether they are its own. The payload is not needed: its
   * versions decide, and cost a fraction of its bytes. What was learned serves the load that follows if they are not.
   */
  async recheck(entry: Entry): Promise<boolean> {
    const { tags } = entry;
    if (this.#remembers) {
      await this.ask(undefined, tags);
      return this.holds(entry.epoch, tags, entry.versions);
    }
    const answer = await this.#parts.session.read(undefined, tags);
    this.#epoch = answer.epoch;
    const { distrusted, trustedAgain } = this.#parts.tags;
    const trusted = answer.epoch === entry.epoch && distrusted === 0 && trustedAgain === this.#trustedAgain;
    if (trusted && areSame(answer.versions, entry.versions)) return true;
    for (let i = 0; i < tags.length; i++) this.versions.set(tags[i] as string, answer.versions[i] as Version);
    return this.holds(entry.epoch, tags, entry.versions);
  }

  has(tags: readonly string[]): boolean {
    return tags.every((tag) => this.versions.has(tag));
  }

  /** Whether these pairs are what the tags have now. */
  holds(epoch: string, tags: readonly string[], versions: readonly Version[]): boolean {
    if (epoch !== this.epoch) return false;
    // Asked before a delivery and heard after it, the answer may be from before; of which tags it was does not matter.
    if (this.#parts.tags.trustedAgain !== this.#trustedAgain) return false;
    return tags.every((tag, i) => {
      const version = versions[i];
      return this.versions.get(tag) === version && !isFenced(version) && !this.#parts.tags.isDistrusted(tag);
    });
  }

  /** Why one of them holds for nobody, if one does. */
  whyFenced(): string | undefined {
    if (!this.#parts.settings.strict) return undefined;
    for (const [tag, version] of this.versions) if (isFenced(version)) return whyFenced(tag, version);
    return undefined;
  }

  get epoch(): string | undefined {
    // Nothing was asked because every cell was verified: they belong to the session's epoch.
    return this.#epoch ?? this.#parts.session.epoch;
  }
}

/** Whether these versions, in their order, are the same; of a fenced one nobody can tell. */
export function areSame(some: readonly Version[], others: readonly Version[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i] || isFenced(some[i])) return false;
  return true;
}
