import type { Ask } from '../../core/ask.js';
import { origin } from '../../core/origin.js';
import type { Parts } from '../../core/parts.js';
import type { Version } from '../../core/store.js';
import { type Envelope, encodeEntry } from '../../values/index.js';

/** Under which versions something was loaded, and how long it may be used. Milliseconds. */
export interface Terms {
  readonly pairs: Iterable<readonly [string, Version]>;
  readonly epoch: string;
  readonly ttl: number;
}

/** Writes a part of a tree into the store. Never rejects; whether it is there now. */
export async function deposit(parts: Parts, ask: Ask, { pairs, epoch, ttl }: Terms, value: unknown): Promise<boolean> {
  const { session, events } = parts;
  if (!(ttl > 0) || parts.closed) return false;
  const now = session.now();
  const known = [...pairs];
  const head: Envelope = {
    epoch,
    tags: known.map(([tag]) => tag),
    versions: known.map(([, version]) => String(version)),
    storedAt: now,
    freshUntil: now + ttl,
    keepUntil: now + ttl,
    cost: 0,
    origin,
  };
  let bytes: Uint8Array;
  try {
    bytes = encodeEntry(head, value, parts.types);
  } catch (error) {
    events.emit('error', { error });
    return false;
  }
  if (bytes.length > session.maxEntryBytes) return false;
  const write = session.write(ask.hash, bytes, Math.min(Math.ceil(ttl), longest)).then(
    () => true,
    (error: unknown) => {
      events.emit('error', { error });
      return false;
    },
  );
  parts.writes.add(write);
  return write.finally(() => parts.writes.delete(write));
}

/** The store forgets what nobody wrote for so long. Milliseconds: 30 days. */
const longest = 30 * 86_400_000;
