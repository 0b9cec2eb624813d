import { type Envelope, encodeEntry, noValue } from '../values/index.js';
import type { Ask } from './ask.js';
import type { Entry } from './entry.js';
import type { Sight } from './look.js';
import { origin } from './origin.js';
import { heapPerByte, type Parts } from './parts.js';
import { maxPairs, type Scope } from './scope.js';
import type { Lease } from './store.js';
import { warnOnce } from './warn.js';

/** Writes an entry into the store. The caller's answer does not wait for it. */
export function store(parts: Parts, ask: Ask, entry: Entry, raw: unknown, lease: Lease | undefined): void {
  const { session, clock } = parts;
  if (!parts.shared) return;
  if (ask.query.resident !== undefined) return lease?.release();
  // Not even encoded, since that alone would take long.
  if (entry.kept.bytes > session.maxEntryBytes * heapPerByte) return keepOut(parts, ask, lease);
  const there = session.now() - clock.now();
  const head: Envelope = {
    epoch: entry.epoch,
    tags: entry.cells.map((cell) => cell.tag),
    versions: entry.versions as readonly string[],
    storedAt: entry.storedAt + there,
    freshUntil: entry.freshUntil + there,
    keepUntil: entry.keepUntil + there,
    cost: entry.cost,
    origin: entry.origin,
  };
  send(parts, ask, head, raw, entry.keepUntil - clock.now(), lease);
}

/** A value that was not stored for want of versions leaves its tags behind, so that the next load is, in any process. */
export function leaveTags(
  parts: Parts,
  ask: Ask,
  sight: Sight,
  scope: Scope,
  cost: number,
  lease: Lease | undefined,
): void {
  if (!parts.shared || scope.learned.length === 0 || sight.before === undefined) return lease?.release();
  const tags = [...scope.pairs.keys(), ...scope.learned];
  // A value with more will never be stored, so nobody needs to know them beforehand.
  if (tags.length > maxPairs) return lease?.release();
  const now = parts.session.now();
  const head: Envelope = {
    epoch: sight.epoch,
    tags,
    versions: tags.map(() => ''),
    storedAt: now,
    freshUntil: now,
    keepUntil: now,
    cost,
    origin,
  };
  send(parts, ask, head, noValue, ask.settings.ttl, lease);
}

function send(parts: Parts, ask: Ask, head: Envelope, value: unknown, ms: number, lease: Lease | undefined): void {
  const { session, events } = parts;
  const bytes = encode(parts, head, value);
  if (bytes === undefined || bytes.length > session.maxEntryBytes) return keepOut(parts, ask, lease);
  const write = session
    .write(ask.hash, bytes, Math.min(Math.ceil(ms), longest))
    .catch((error) => events.emit('error', { error }))
    .finally(() => {
      parts.writes.delete(write);
      lease?.release();
    });
  parts.writes.add(write);
}

/** Undefined when that fails: the value is then kept in memory only, and the read goes on. */
function encode(parts: Parts, head: Envelope, value: unknown): Uint8Array | undefined {
  try {
    return encodeEntry(head, value, parts.types);
  } catch (error) {
    parts.events.emit('error', { error });
    return undefined;
  }
}

function keepOut(parts: Parts, ask: Ask, lease: Lease | undefined): void {
  const { name } = ask.counter;
  const most = parts.session.maxEntryBytes;
  warnOnce(
    `large:${name}`,
    `A value of '${name}' is kept in memory only: the store takes entries of up to ${most} bytes.`,
  );
  lease?.release();
}

/** The store forgets what nobody wrote for so long. Milliseconds: 30 days. */
const longest = 30 * 86_400_000;
