import { arrive, open } from './arrive.js';
import type { Ask } from './ask.js';
import { tagsOf } from './dependency.js';
import { type Entry, holdsHere } from './entry.js';
import { StoreUnavailableError } from './errors.js';
import { standingTags } from './identity.js';
import { Known } from './known.js';
import type { Parts } from './parts.js';
import type { Version } from './store.js';

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
    if (settled && (await known.recheck(entry))) return sightOf(known, { entry, source: 'near', reason: 'aged' });
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
        return sightOf(known, { entry: arrived, source: arrived === entry ? 'near' : 'store', reason: 'aged' });
    }
    if (entry !== undefined && known.holds(entry.epoch, entry.tags, entry.versions))
      return sightOf(known, { entry, source: 'near', reason: 'aged' });
    const ended = found === undefined ? entry !== undefined : found.hasValue;
    const reason = known.whyFenced() ?? (ended ? 'invalidated' : 'nothing stored');
    return sightOf(known, { ...tolerate(parts, ask, entry), reason });
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

/** What there is to serve, and the versions that the look has learned on the way. */
function sightOf(known: Known, seen: Partial<Sight> & Pick<Sight, 'reason'>): Sight {
  return {
    entry: undefined,
    source: 'store',
    tolerated: false,
    before: known.versions,
    epoch: known.epoch ?? '',
    begun: known.begun,
    ...seen,
  };
}
