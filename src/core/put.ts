import { keep } from '../values/index.js';
import type { Ask } from './ask.js';
import { store } from './deposit.js';
import { Entry } from './entry.js';
import { expected, StoreUnavailableError } from './errors.js';
import { deleteTag, keyTag, snapshotTags } from './identity.js';
import { Known } from './known.js';
import { knownTags } from './look.js';
import { origin } from './origin.js';
import type { Parts } from './parts.js';
import type { Held } from './snapshot.js';
import type { Version } from './store.js';

/**
 * `set`: the old value ends first, so that nobody can take it for the new one; then the new one is stored under the
 * versions that the caller took before reading the data. Whatever was invalidated since ends it before it begins.
 *
 * @throws InvalidationPendingError when the store did not confirm that the old value is gone
 * @throws TypeError when the snapshot was taken through another view
 * @throws UnstorableError
 */
export async function put(parts: Parts, ask: Ask, value: unknown, since: Held | undefined): Promise<void> {
  const kept = keep(value, ask.settings.copy, { types: parts.types, maxBytes: parts.maxValueBytes });
  const own = keyTag(ask.keyHash);
  const standing = knownTags(parts, ask);
  // One of another view does not hold what clears this one.
  if (since !== undefined && !standing.every((tag) => tag === own || since.pairs.has(tag)))
    throw expected('since', 'a snapshot taken through the same namespace and tenant', since);
  const { versions } = await parts.invalidations.raise([own]);
  const pairs = new Map<string, Version>(since?.pairs);
  const known = new Known(parts, parts.clock.now());
  const deleted = deleteTag(ask.keyHash);
  try {
    await known.ask(undefined, [...standing, deleted]);
  } catch (error) {
    // The old value is gone, which was the promise; the new one is loaded by whoever asks.
    if (error instanceof StoreUnavailableError) return;
    throw error;
  }
  // Deleted between the snapshot and here: the value is older than that. A later `delete` raises the key tag again.
  if (since !== undefined && since.pairs.get(deleted) !== known.versions.get(deleted)) return;
  // A snapshot is taken for any key: of what `clear` and `delete` raise, only the share of this key counts.
  for (const tag of snapshotTags(parts.shared)) if (!standing.includes(tag)) pairs.delete(tag);
  for (const tag of standing) if (!pairs.has(tag)) pairs.set(tag, known.versions.get(tag) as Version);
  pairs.set(own, versions[0] as Version);
  const { ttl, swr, staleOnError, jitter, negativeTtl } = ask.settings;
  const now = parts.clock.now();
  const life = ((value ?? undefined) === undefined ? (negativeTtl ?? ttl) : ttl) * (1 - jitter * Math.random());
  const freshUntil = now + life;
  const entry = new Entry(parts.tags, {
    kept,
    pairs,
    epoch: since?.epoch ?? known.epoch ?? '',
    begun: known.begun,
    storedAt: now,
    freshUntil,
    keepUntil: freshUntil + Math.max(swr, staleOnError),
    cost: 0,
    origin,
    counter: parts.stats.tally(ask.counter, ask.identity.tenant, pairs),
    tenant: ask.identity.tenant,
  });
  parts.near.write(ask.identity.key, entry);
  store(parts, ask, entry, value, undefined);
}
