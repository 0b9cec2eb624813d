import { handOut, type Kept, keep, type TypeTable } from '../values/index.js';
import type { Ask } from './ask.js';
import type { Entry } from './entry.js';
import type { Copy } from './options.js';
import type { Cached } from './outcome.js';
import type { Version } from './store.js';

/** A load under way, for those who ask for the same key meanwhile. */
export interface Flight {
  /** The place in the order of beginnings of the look that its versions come from. */
  readonly begun: number;
  /** Who took off. */
  readonly ask: Ask;
  readonly landed: Promise<Landing>;
  /** What those get who joined in passing, nothing when they must look for themselves; see `joinCrowd`. */
  crowd: Promise<Landing | undefined> | undefined;
  /** Flights that its load is waiting for. */
  readonly waiting: Set<Flight>;
}

/** How a read ended. */
export interface Landing extends Omit<Cached<unknown>, 'value' | 'reason'> {
  readonly reason: string | undefined;
  /** Protected against those who change what they got; undefined when the value cannot be stored. */
  readonly kept: Kept | undefined;
  /** The value as loaded, where it is not kept. */
  readonly raw: unknown;
  /** What it depends on: a Map, or the entry itself. */
  readonly pairs: Iterable<readonly [string, Version]>;
  readonly epoch: string;
  /** What is left of its life, for the value that it becomes a part of. */
  readonly ttl: number;
  /** Served although aged or invalidated. */
  readonly stale: boolean;
  /** A class instance that cannot be copied: whoever else asked must load his own. */
  readonly own: boolean;
  /** Why nothing that contains the value may be stored. */
  readonly torn: string | undefined;
}

/** How a read ends that is answered by what was stored. @param now - of the coarse clock */
export function landingOf(
  entry: Entry,
  source: 'near' | 'store',
  now: number,
  stale: boolean,
  reason: string | undefined,
): Landing {
  entry.used = true;
  return {
    kept: entry.kept,
    raw: undefined,
    source,
    age: Math.max(0, now - entry.storedAt),
    stored: true,
    reason,
    pairs: entry,
    epoch: entry.epoch,
    ttl: Math.max(0, entry.freshUntil - now),
    stale,
    own: false,
    torn: undefined,
  };
}

/** A landing for a caller who wants values protected in another way than the one who stored it. */
export function protectedAs(landing: Landing, copy: Copy, types: TypeTable): Landing {
  const { kept } = landing;
  if (kept === undefined || kept.copy === copy) return landing;
  return { ...landing, kept: keep(handOut(kept), copy, { types }) };
}

/** The value of a landing, as one caller gets it. */
export function valueOf(landing: Landing): unknown {
  return landing.kept === undefined ? landing.raw : handOut(landing.kept);
}
