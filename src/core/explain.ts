import { decodeEntry } from '../values/index.js';
import type { Ask } from './ask.js';
import { Known } from './known.js';
import { knownTags } from './look.js';
import type { Parts } from './parts.js';
import { isFenced, type Version } from './store.js';

/** What is known about a key. */
export interface Explanation {
  /** The same in words, a line for each fact. */
  readonly text: string;
  /** Whether a read would be answered without a load. */
  readonly served: boolean;
  /** Where the entry was found. */
  readonly source: 'near' | 'store' | undefined;
  /** Milliseconds since the value was loaded, and until it ages. */
  readonly age: number | undefined;
  readonly freshFor: number | undefined;
  /** Who loaded it: host and process. */
  readonly origin: string | undefined;
  /** What it depends on, and whether that has changed since. */
  readonly tags: readonly { readonly tag: string; readonly holds: boolean }[];
}

interface Facts {
  readonly source: 'near' | 'store';
  readonly epoch: string;
  readonly tags: readonly string[];
  readonly versions: readonly Version[];
  readonly storedAt: number;
  readonly freshUntil: number;
  readonly origin: string;
  readonly hasValue: boolean;
}

/** Looks without serving, counting or keeping anything. */
export async function explain(parts: Parts, ask: Ask, past: string | undefined): Promise<Explanation> {
  const known = new Known(parts, parts.clock.now());
  try {
    const bytes = await known.ask(parts.shared ? ask.hash : undefined, knownTags(parts, ask));
    const facts = factsNear(parts, ask) ?? factsFar(parts, bytes);
    const unstored = parts.unstored.get(ask.identity.key);
    const last = unstored === undefined ? [] : [`its last load was not stored: ${unstored}`];
    if (facts !== undefined) await known.ask(undefined, facts.tags);
    const fenced = known.whyFenced();
    if (fenced !== undefined) last.push(`a load would not be stored now: ${fenced}`);
    if (facts === undefined) return absent([`nothing is stored for ${ask.identity.key}`, ...last].join('\n'));
    return describe(parts, ask, facts, known, past, last);
  } catch (error) {
    return absent(`the store could not be asked about ${ask.identity.key}: ${(error as Error).message}`);
  }
}

function factsNear(parts: Parts, ask: Ask): Facts | undefined {
  const entry = parts.near.peek(ask.identity.key);
  return entry && { ...entry, source: 'near', tags: entry.tags, hasValue: true };
}

function factsFar(parts: Parts, bytes: Uint8Array | undefined): Facts | undefined {
  const found = bytes && decodeEntry(bytes, { maxBytes: parts.session.maxEntryBytes }, parts.types);
  if (found === undefined) return undefined;
  const here = parts.clock.now() - parts.session.now();
  const { head } = found;
  return {
    ...head,
    source: 'store',
    storedAt: head.storedAt + here,
    freshUntil: head.freshUntil + here,
    hasValue: found.hasValue,
  };
}

function describe(
  parts: Parts,
  ask: Ask,
  facts: Facts,
  known: Known,
  past: string | undefined,
  last: readonly string[],
): Explanation {
  const now = parts.clock.now();
  const age = Math.max(0, now - facts.storedAt);
  const freshFor = facts.freshUntil - now;
  const tags = facts.tags.map((tag, i) => {
    const holds =
      known.versions.get(tag) === facts.versions[i] && !isFenced(facts.versions[i]) && !parts.tags.cell(tag).distrusted;
    return { tag, holds };
  });
  const ended = tags.filter((tag) => !tag.holds && !isFenced(known.versions.get(tag.tag))).map((tag) => tag.tag);
  const sameEpoch = facts.epoch === known.epoch;
  const served = past === undefined && facts.hasValue && sameEpoch && tags.every(({ holds }) => holds) && freshFor > 0;
  const lines = [
    `${ask.identity.key}: ${served ? 'would be served' : 'would be loaded'}`,
    facts.hasValue
      ? `found in ${facts.source === 'near' ? 'memory' : 'the store'}, loaded ${seconds(age)} ago by ${facts.origin}`
      : 'a load has left its tags here, and no value yet',
    freshFor > 0 ? `fresh for another ${seconds(freshFor)}` : `aged since ${seconds(-freshFor)}`,
    `depends on ${tags.map((tag) => tag.tag).join(', ')}`,
    ...(past === undefined ? [] : [`reads go past the cache: ${past}`]),
    ...(sameEpoch ? [] : ['the store may have lost data since (its epoch changed)']),
    ...(ended.length === 0 ? [] : [`ended by a change of ${ended.join(', ')}`]),
    ...last,
  ];
  return { text: lines.join('\n'), served, source: facts.source, age, freshFor, origin: facts.origin, tags };
}

/** Nothing is known. */
export function absent(text: string): Explanation {
  return { text, served: false, source: undefined, age: undefined, freshFor: undefined, origin: undefined, tags: [] };
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
