import { damaged, decodeEntry, type Envelope, keep } from '../values/index.js';
import type { Ask } from './ask.js';
import { tagsOf } from './dependency.js';
import { Entry, holdsHere } from './entry.js';
import { StoreUnavailableError } from './errors.js';
import { standingTags } from './identity.js';
import type { Parts } from './parts.js';
import { isFenced, type Version } from './store.js';
import { whyFenced } from './strict.js';

/**
 * What is known about a key before anything is loaded: an entry that may be served, or the versions of its tags from
 * before the load that is going to be made.
 *
 * An entry holds when each of its versions is the tag's version *now*, that is: read, or proven, after this look began.
 * The entry itself may be read in the same step, or earlier; it makes no difference, since it was loaded after its
 * versions were taken and they have not been replaced since.
 */
export interface Sight {
  /** Holds, or is tolerated; it may be aged. */
  readonly entry: Entry | undefined;
  readonly source: 'near' | 'store';
  /** The entry was invalidated and is accepted all the same, by `tolerate`. */
  readonly tolerated: boolean;
  /** Versions for a load that begins now; undefined when the store could not be asked. */
  readonly before: ReadonlyMap<string, Version> | undefined;
  readonly epoch: string;
  /** When it began, in the order of beginnings. */
  readonly begun: number;
  /** Why there is nothing to serve, or nothing fresh. */
  readonly reason: string;
}

/**
 * Looks into memory and the store; at once when the process knows everything by itself. A look that ends with an entry
 * that is fresh has not asked for more versions than it needed: a load may not begin from it.
 */
export function look(parts: Parts, ask: Ask): Sight | Promise<Sight> {
  const near = parts.near.get(ask.identity.key);
  const entry = near !== undefined && parts.clock.coarse() < near.keepUntil ? near : undefined;
  return parts.shared ? lookFar(parts, ask, entry, near) : lookHere(parts, ask, entry);
}

/** Every tag that is known to matter before the load: those of the key, and those the caller wrote. */
export function knownTags(parts: Parts, ask: Ask): string[] {
  return [...standingTags(ask.identity, ask.keyHash, parts.shared), ...tagsOf(parts, ask.settings.tags ?? [], 'reads')];
}

/** Without a store the cells are the truth, and tags that are learned later can be looked up later. */
function lookHere(parts: Parts, ask: Ask, entry: Entry | undefined): Sight {
  const before = new Map<string, Version>();
  for (const tag of knownTags(parts, ask)) before.set(tag, parts.tags.cell(tag).version as Version);
  const holds = entry !== undefined && holdsHere(parts.tags, parts.session.epoch, entry, parts.clock.now());
  const rest = { source: 'near', before, epoch: parts.session.epoch as string, begun: parts.begin() } as const;
  if (holds) return { ...rest, entry, tolerated: false, reason: 'aged' };
  return { ...rest, ...tolerate(parts, ask, entry), reason: entry ? 'invalidated' : 'nothing stored' };
}

async function lookFar(parts: Parts, ask: Ask, entry: Entry | undefined, near: Entry | undefined): Promise<Sight> {
  const known = new Known(parts, parts.clock.now() - ask.settings.maxStale);
  try {
    const settled = entry !== undefined && !ask.fresh && parts.clock.coarse() < entry.settledUntil;
    if (settled && (await known.recheck(entry))) return known.sight({ entry, source: 'near', reason: 'aged' });
    const wanted = knownTags(parts, ask);
    // What the last entry depended on, the next one will likely depend on too, and then needs a version from before.
    if (near !== undefined) wanted.push(...near.tags);
    const { likely } = ask.query;
    if (likely !== undefined) wanted.push(...likely);
    const bytes = await known.ask(ask.hash, wanted);
    const found = bytes && open(parts, ask, bytes);
    if (found !== undefined) {
      if (!known.has(found.head.tags)) await known.ask(undefined, found.head.tags);
      const holds = known.holds(found.head.epoch, found.head.tags, found.head.versions);
      const arrived = holds ? arrive(parts, ask, found) : undefined;
      if (arrived !== undefined)
        return known.sight({ entry: arrived, source: arrived === entry ? 'near' : 'store', reason: 'aged' });
    }
    if (entry !== undefined && known.holds(entry.epoch, entry.tags, entry.versions))
      return known.sight({ entry, source: 'near', reason: 'aged' });
    const ended = found === undefined ? entry !== undefined : found.hasValue;
    const reason = known.whyFenced() ?? (ended ? 'invalidated' : 'nothing stored');
    return known.sight({ ...tolerate(parts, ask, entry), reason });
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) parts.events.emit('error', { error });
    // Whatever is wrong with the store, the database is still there.
    return {
      source: 'near',
      ...tolerate(parts, ask, entry),
      before: undefined,
      epoch: '',
      begun: parts.begin(),
      reason: 'the store is not available',
    };
  }
}

/** Accepts an invalidated value, where the caller said so. An age can come out below 0: clocks of a store are estimates. */
function tolerate(parts: Parts, ask: Ask, entry: Entry | undefined): Pick<Sight, 'entry' | 'tolerated'> {
  const { tolerate: most } = ask.settings;
  const accepted = entry !== undefined && most > 0 && parts.clock.now() - entry.storedAt < most;
  return { entry: accepted ? entry : undefined, tolerated: accepted };
}

type Found = { head: Envelope; hasValue: boolean; value(): unknown };

/** An entry out of the store's bytes; undefined for anything else, which is then removed. */
function open(parts: Parts, ask: Ask, bytes: Uint8Array): Found | undefined {
  const found = decodeEntry(bytes, { maxBytes: parts.session.maxEntryBytes }, parts.types);
  if (found === undefined) reportDamage(parts, ask, bytes.length);
  return found;
}

/** Takes an entry of the store into memory. */
function arrive(parts: Parts, ask: Ask, found: Found): Entry | undefined {
  if (!found.hasValue) return undefined;
  const { head } = found;
  // Other readers of the same tick may have been here a moment ago: one of them decodes, the rest share.
  const present = parts.near.peek(ask.identity.key);
  const here = parts.clock.now() - parts.session.now();
  const younger = present === undefined || head.freshUntil + here > present.freshUntil + drift;
  if (!younger && present.epoch === head.epoch && isSame(present.versions, head.versions)) return present;
  const value = found.value();
  if (value === damaged) return void reportDamage(parts, ask, 0);
  const pairs = head.tags.map((tag, i) => [tag, head.versions[i] as Version] as const);
  const entry = new Entry(parts.tags, {
    kept: keep(value, ask.settings.copy, { types: parts.types, owned: true }),
    pairs,
    epoch: head.epoch,
    begun: 0, // nobody here knows: any load of this process may take its place
    storedAt: head.storedAt + here,
    freshUntil: head.freshUntil + here,
    keepUntil: head.keepUntil + here,
    cost: head.cost,
    origin: head.origin,
    counter: parts.stats.tally(ask.counter, ask.identity.tenant, pairs),
    tenant: ask.identity.tenant,
  });
  const now = parts.clock.now();
  // From the future: the store's clock was set back, and nobody knows how old the value is.
  if (now >= entry.keepUntil || entry.storedAt > now + drift) return undefined;
  parts.near.write(ask.identity.key, entry);
  return entry;
}

/** By how much two readings of the same moment in the store may differ. Milliseconds. */
const drift = 100;

function isSame(some: readonly Version[], others: readonly Version[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i] || isFenced(some[i])) return false;
  return true;
}

function reportDamage(parts: Parts, ask: Ask, bytes: number): void {
  parts.events.emit('damaged', { key: ask.identity.key, bytes });
  parts.session.remove(ask.hash);
}

/** The versions that one look has come to know. */
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
    if (trusted && isSame(answer.versions, entry.versions)) return true;
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

  sight(seen: Partial<Sight> & { reason: string }): Sight {
    return {
      entry: undefined,
      source: 'store',
      tolerated: false,
      before: this.versions,
      epoch: this.epoch ?? '',
      begun: this.begun,
      ...seen,
    };
  }
}
