import { bytesOf, compare, handOut, type Kept } from '../values/index.js';
import type { Ask } from './ask.js';
import { marksOf } from './events.js';
import { standingTags } from './identity.js';
import { Known } from './known.js';
import type { Parts } from './parts.js';
import type { Version } from './store.js';
import { warnOnce } from './warn.js';

/**
 * Whether what was stored is what the database says: for audits and for shadow mode.
 *
 * A difference alone says nothing, since the world moves on. It is a finding when no tag of the stored value has another
 * version afterwards: nothing that the value is known to depend on has changed, so either it depends on more, or its key
 * says too little. One thing looks the same and is none: a write that is committed, and its invalidation on its way. So a
 * difference is looked at again when every such write has been acknowledged, or has failed to be. Never rejects.
 */
export async function judge(
  parts: Parts,
  ask: Ask,
  by: 'audit' | 'shadow',
  stored: Stored,
  loaded: Loaded,
): Promise<void> {
  const { counts } = parts.audits;
  try {
    if (loaded.isUnsure || isByAgeAlone(parts, ask, stored, loaded)) return void counts.undecided++;
    const { alike, hashes } = compare(stored.bytes ?? encoded(parts, stored.kept), loaded.value, parts.types);
    if (!alike && !(await lasts(parts, ask, stored))) return void counts.undecided++;
    counts.audited++;
    if (alike) return;
    counts.mismatches++;
    tell(parts, ask, by, hashes, stored);
  } catch {
    // It cannot be encoded, or the store was asked and did not answer.
    counts.undecided++;
  }
}

/** A value, and what it was loaded under. */
export interface Stored {
  readonly kept: Kept;
  /** Of the value, where it can change after it was served. */
  readonly bytes?: Buffer | undefined;
  readonly pairs: Iterable<readonly [string, Version]>;
  readonly epoch: string;
}

export interface Loaded {
  readonly value: unknown;
  readonly pairs: Iterable<readonly [string, Version]>;
  /** It would not be stored: it may be of another moment, or be no more than a way out. */
  readonly isUnsure: boolean;
  /** Whether the load has said what it depends on, be it nothing. */
  readonly isTagged: boolean;
}

/** What is compared later, as it is now: by reference, everybody has this very object and may change it. */
export function asItIs(parts: Parts, { kept, pairs, epoch }: Stored): Stored {
  if (kept.copy !== 'reference') return { kept, pairs, epoch };
  try {
    return { kept, pairs, epoch, bytes: encoded(parts, kept) };
  } catch {
    return { kept, pairs, epoch }; // somebody has made it what cannot be stored, and it will not be compared
  }
}

function encoded(parts: Parts, kept: Kept): Buffer {
  return bytesOf(handOut(kept), parts.types);
}

/** `tags: []`: it is meant to differ until it is too old. */
function isByAgeAlone(parts: Parts, ask: Ask, stored: Stored, loaded: Loaded): boolean {
  if (!loaded.isTagged) return false;
  const standing = standingTags(ask.identity, ask.keyHash, parts.shared);
  return [...stored.pairs, ...loaded.pairs].every(([tag]) => standing.includes(tag));
}

/** Whether the difference is still none that a write explains, when all writes have had their time. */
async function lasts(parts: Parts, ask: Ask, stored: Stored): Promise<boolean> {
  const { doubts } = parts.audits;
  const { key } = ask.identity;
  if (doubts.has(key) || doubts.size >= maxDoubts) return false;
  doubts.add(key);
  try {
    if (!(await holdsNow(parts, stored))) return false;
    await passed(parts, parts.settings.ackTimeout + lag);
    return !parts.closed && (await holdsNow(parts, stored));
  } finally {
    doubts.delete(key);
  }
}

/** Asks as a read does that begins now: a memory that may be stale would not know of the change. */
async function holdsNow(parts: Parts, { pairs, epoch }: Stored): Promise<boolean> {
  const all = [...pairs];
  const tags = all.map(([tag]) => tag);
  const known = new Known(parts, parts.clock.now());
  await known.ask(undefined, tags);
  return known.holds(
    epoch,
    tags,
    all.map(([, version]) => version),
  );
}

/** Waits, or until the cache is closed. */
async function passed(parts: Parts, ms: number): Promise<void> {
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const stop = parts.clock.after(ms, end);
  parts.closing.add(end);
  await over;
  stop();
  parts.closing.delete(end);
}

function tell(
  { events, stats }: Parts,
  { identity, counter }: Ask,
  by: 'audit' | 'shadow',
  [stored, loaded]: readonly [string, string],
  { pairs }: Stored,
): void {
  const { key, tenant } = identity;
  const { name } = counter;
  const all = [...pairs];
  if (!events.hears('mismatch'))
    warnOnce(
      `mismatch:${name}`,
      `A stored value of '${name}' differs from what its load gives, although no tag of it has changed: a tag is missing, or its key says too little. cache.on('mismatch', …) tells of each, and silences this.`,
    );
  events.emit('mismatch', {
    ...{ key, name, by },
    tags: all.map(([tag]) => tag),
    versions: all.map(([, version]) => version),
    ...{ stored, loaded },
    ...marksOf(stats, tenant),
  });
}

/** Differences that wait at once. More of them tell nothing new. */
const maxDoubts = 100;
/** What a write takes beside waiting for the store: the answer of the database to its COMMIT, a busy process. Milliseconds. */
const lag = 1000;
