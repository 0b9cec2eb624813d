import { type Kept, keep, UnstorableError } from '../values/index.js';
import type { Ask } from './ask.js';
import { runWithin } from './context.js';
import { tagsOfWhat } from './dependency.js';
import { leaveTags, store } from './deposit.js';
import { parseDuration } from './duration.js';
import { Entry, holdsHere } from './entry.js';
import { ClosedError, LoadTimeoutError } from './errors.js';
import { type CacheEvents, marksOf } from './events.js';
import { examine } from './findings.js';
import type { Landing } from './flight.js';
import { knownTags, type Sight } from './look.js';
import type { LoadContext } from './options.js';
import { origin } from './origin.js';
import type { Parts } from './parts.js';
import { maxPairs, Scope } from './scope.js';
import type { Lease } from './store.js';
import { warnOnce } from './warn.js';

/** Loads, in a scope that collects what the load depends on, and keeps the value under the versions from before. */
export async function load(parts: Parts, ask: Ask, sight: Sight, lease: Lease | undefined): Promise<Landing> {
  const { clock } = parts;
  const scope = openScope(parts, ask, sight);
  const said: Said = { ttl: undefined };
  const started = clock.now();
  try {
    const raw = await runLoad(parts, ask, scope, said);
    const cost = clock.now() - started;
    ask.counter.spent(cost);
    const landing = settle(parts, ask, sight, scope, raw, said.ttl, cost, lease);
    const { stored, reason } = landing;
    tellOfLoad(parts, ask, scope.pairs, { duration: cost, stored, ...(reason === undefined ? {} : { reason }) });
    return landing;
  } catch (error) {
    lease?.release();
    parts.unstored.set(ask.identity.key, 'it failed');
    const duration = clock.now() - started;
    tellOfLoad(parts, ask, scope.pairs, { duration, stored: false, reason: 'it failed', error });
    throw error;
  }
}

/** Counts a load that has ended, and tells of it: under whatever it turned out to depend on. */
export function tellOfLoad(
  { stats, events }: Parts,
  { counter, identity }: Pick<Ask, 'counter' | 'identity'>,
  pairs: Iterable<readonly [string, unknown]>,
  outcome: Pick<CacheEvents['load'], 'duration' | 'stored' | 'reason' | 'error'>,
): void {
  const { key, tenant } = identity;
  stats.tally(counter, tenant, pairs).load();
  if (events.hears('load'))
    events.emit('load', { key, name: counter.name, ...marksOf(stats, tenant, pairs), ...outcome });
}

/** The scope of a load that begins now: it depends on what its key and its caller said. */
export function openScope(parts: Parts, ask: Ask, sight: Sight): Scope {
  const of = { key: ask.identity.key, name: ask.counter.name };
  const scope = new Scope(parts.tags, of, sight.before ?? new Map(), sight.epoch);
  for (const tag of knownTags(parts, ask)) {
    const version = sight.before?.get(tag);
    if (version !== undefined) scope.add(tag, version);
    else scope.tear(sight.before === undefined ? sight.reason : `the version of '${tag}' was not asked for`);
  }
  if (sight.before === undefined) scope.tear(sight.reason);
  return scope;
}

/** What a load has said about its own life. */
export interface Said {
  ttl: number | undefined;
}

/** Runs the caller's function, in its scope and not longer than allowed. */
export async function runLoad(
  parts: Parts,
  ask: Pick<Ask, 'query' | 'settings' | 'counter' | 'identity'>,
  scope: Scope,
  said: Said,
  keys: readonly string[] = [ask.identity.key],
): Promise<unknown> {
  if (parts.closed) throw new ClosedError('read');
  const { hard } = ask.settings;
  let abort: AbortController | undefined;
  let over: Error | undefined;
  const context: LoadContext = {
    get signal() {
      abort ??= new AbortController();
      if (over !== undefined) abort.abort(over);
      return abort.signal;
    },
    tag: (...tags) => {
      scope.tracked = true;
      for (const tag of tagsOfWhat(parts, tags, 'reads')) scope.learn(tag);
    },
    ttl: (duration) => {
      said.ttl = parseDuration('ttl', duration);
    },
    skip: (reason) => scope.refuse(reason ?? 'the load said so'),
  };
  const running = runWithin({ owner: parts, scope, keys }, () => ask.query.load(context));
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    const end = (why: Error) => {
      over = why;
      abort?.abort(why);
      reject(why);
    };
    const close = () => end(new ClosedError('A load was still running'));
    parts.closing.add(close);
    const timer =
      hard === Number.POSITIVE_INFINITY
        ? undefined
        : parts.clock.after(hard, () => end(new LoadTimeoutError(ask.counter.name, hard)));
    stop = () => {
      timer?.();
      parts.closing.delete(close);
    };
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    stop();
  }
}

/** What becomes of a loaded value: kept and stored under the versions from before, or handed out with the reason why not. */
export function settle(
  parts: Parts,
  ask: Ask,
  sight: Sight,
  scope: Scope,
  raw: unknown,
  saidTtl: number | undefined,
  cost: number,
  lease: Lease | undefined,
): Landing {
  const { settings } = ask;
  const refined = ask.query.refine?.(raw);
  if (refined?.tags !== undefined) scope.tracked = true;
  for (const tag of refined?.tags ?? []) scope.learn(tag);
  scope.close();
  examine(parts, ask, scope);
  const own =
    saidTtl ??
    (refined?.ttl === undefined
      ? (raw ?? undefined) === undefined
        ? (settings.negativeTtl ?? settings.ttl)
        : settings.ttl
      : parseDuration('ttl', refined.ttl));
  const ttl = Math.min(own * (1 - settings.jitter * Math.random()), scope.ttl);
  if (!(ttl > 0) && settings.swr === 0 && settings.staleOnError === 0) scope.refuse('its ttl is 0');
  if (scope.pairs.size > maxPairs) scope.tear(`it depends on more than ${maxPairs} tags`);

  const kept = protect(parts, ask, raw, scope);
  const now = parts.clock.now();
  const { key } = ask.identity;
  // What stays here costs neither an encoding nor a command.
  const replaced =
    sight.reason === 'invalidated' && ask.query.resident === undefined ? parts.near.peek(key) : undefined;
  const resting = parts.churn.reasonToRest(key, replaced, now);
  if (resting !== undefined) scope.refuse(resting);
  // A `fresh` read or a `set` that began after this load has landed before it.
  if ((parts.near.peek(key)?.begun ?? 0) > sight.begun) scope.refuse('a younger value is stored');
  if (scope.unstorable !== undefined || kept === undefined) {
    leaveTags(parts, ask, sight, scope, cost, lease);
    const why = scope.unstorable ?? 'it cannot be stored';
    parts.unstored.set(key, why);
    return landed(kept, raw, scope, sight, ttl, false, why);
  }
  const freshUntil = now + ttl;
  const entry = new Entry(parts.tags, {
    kept,
    pairs: scope.pairs,
    epoch: sight.epoch,
    begun: sight.begun,
    storedAt: now,
    freshUntil,
    keepUntil: freshUntil + Math.max(settings.swr, settings.staleOnError, 0),
    cost,
    origin,
    counter: parts.stats.tally(ask.counter, ask.identity.tenant, scope.pairs),
    tenant: ask.identity.tenant,
  });
  // Invalidated while it was loaded: it must not take the place of what a `set` has stored since.
  if (parts.shared || holdsHere(parts.tags, sight.epoch, entry, now)) parts.near.write(key, entry);
  store(parts, ask, entry, raw, lease);
  parts.unstored.delete(key);
  return landed(kept, raw, scope, sight, ttl, true, sight.reason);
}

/** A copy that may be handed out and stored; undefined when the value is of a kind that cannot be. */
function protect(parts: Parts, ask: Ask, raw: unknown, scope: Scope): Kept | undefined {
  const { resident } = ask.query;
  if (resident !== undefined)
    return { value: raw, shared: true, copy: ask.settings.copy, bytes: resident(raw as never, scope) };
  try {
    return keep(raw, ask.settings.copy, { types: parts.types, maxBytes: parts.maxValueBytes });
  } catch (error) {
    if (!(error instanceof UnstorableError) || parts.settings.onUnstorable === 'throw') throw error;
    warnOnce(`unstorable:${ask.counter.name}`, `A value of '${ask.counter.name}' is not stored: ${error.message}`);
    scope.refuse(error.message);
    return undefined;
  }
}

function landed(
  kept: Kept | undefined,
  raw: unknown,
  { pairs, torn }: Scope,
  { epoch }: Sight,
  ttl: number,
  stored: boolean,
  reason: string,
): Landing {
  const own = kept === undefined;
  return { kept, raw, source: 'load', age: 0, stored, reason, pairs, epoch, ttl, stale: false, own, torn };
}
