import { damaged, decodeEntry, type Envelope, keep } from '../values/index.js';
import type { Ask } from './ask.js';
import { Entry } from './entry.js';
import { areSame } from './known.js';
import type { Parts } from './parts.js';
import type { Version } from './store.js';

/**
 * From the store's bytes to an entry in this process's memory; `deposit.ts` is the way there. Bytes may come from another
 * release, another program or a broken disk, so nothing in them is believed before it is read, and times in them are the
 * store's, which are turned into ours.
 */
export interface Found {
  readonly head: Envelope;
  /** Otherwise a load has left its tags behind, and no value. */
  readonly hasValue: boolean;
  value(): unknown;
}

/** An entry out of the store's bytes; undefined for anything else, which is then removed. */
export function open(parts: Parts, ask: Ask, bytes: Uint8Array): Found | undefined {
  const found = decodeEntry(bytes, { maxBytes: parts.session.maxEntryBytes }, parts.types);
  if (found === undefined) reportDamage(parts, ask, bytes.length);
  return found;
}

/** Takes an entry of the store into memory. */
export function arrive(parts: Parts, ask: Ask, found: Found): Entry | undefined {
  if (!found.hasValue) return undefined;
  const { head } = found;
  // Other readers of the same tick may have been here a moment ago: one of them decodes, the rest share.
  const present = parts.near.peek(ask.identity.key);
  const here = parts.clock.now() - parts.session.now();
  const younger = present === undefined || head.freshUntil + here > present.freshUntil + drift;
  if (!younger && present.epoch === head.epoch && areSame(present.versions, head.versions)) return present;
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

function reportDamage(parts: Parts, ask: Ask, bytes: number): void {
  parts.events.emit('damaged', { key: ask.identity.key, bytes });
  parts.session.remove(ask.hash);
}
