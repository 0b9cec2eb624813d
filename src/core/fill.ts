import { type Envelope, encodeEntry, type Kept, keep, noValue, UnstorableError } from '../values/index.js';
import type { Ask } from './ask.js';
import { runWithin } from './context.js';
import { parseDuration } from './duration.js';
import { cheap, type Entry, holdsHere, makeEntry, pairsOf } from './entry.js';
import { LoadTimeoutError } from './errors.js';
import type { Flight, Landing } from './flight.js';
import { ownTag } from './identity.js';
import { Known, knownTags, look, type Sight } from './look.js';
import { checkTags, type LoadContext } from './options.js';
import { origin } from './origin.js';
import type { Parts } from './parts.js';
import { Scope } from './scope.js';
import type { Lease, Version } from './store.js';
import { warnOnce } from './warn.js';

/**
 * The miss, from top to bottom.
 *
 * 1. Join the load of this key that is under way, and look afterwards whether its value may be shared.
 * 2. Look into memory and the store. What holds is the answer; if not, the look brought the tags' versions from
 *    *before* the load, and everything below rests on that.
 * 3. Take the lease, so that of all processes one loads; who does not get it waits and looks again.
 * 4. Load, in a scope that collects what the load depends on.
 * 5. Keep the value under the versions from before; if one of them was raised meanwhile, the entry is dead on arrival.
 */
export async function fill(parts: Parts, ask: Ask): Promise<Landing> {
  const began = parts.begin();
  for (;;) {
    const flight = ask.fresh ? undefined : parts.flights.get(ask.identity.key);
    if (flight !== undefined) {
      const landing = await flight.landed;
      if (landing.own) return fillAlone(parts, ask);
      // A flight whose versions were taken after this read began contains all that this read must contain.
      if (flight.begun > began || (await stillHolds(parts, ask, landing))) return landing;
      continue;
    }
    const looked = parts.begin();
    const sighting = look(parts, ask);
    const sight = sighting instanceof Promise ? await sighting : sighting;
    if (!ask.fresh) {
      const found = serve(parts, ask, sight);
      if (found !== undefined) return found;
      // Somebody else took off while this read was looking.
      if (parts.flights.has(ask.identity.key)) continue;
    }
    return takeOff(parts, ask, looked, fly(parts, ask, sight));
  }
}

/** A refresh that nobody waits for: the same way, past what is stored. */
export function refresh(parts: Parts, ask: Ask, entry: Entry): void {
  const now = parts.clock.now();
  if (now < entry.retryAt || parts.closed || parts.flights.has(ask.identity.key)) return;
  entry.retryAt = now + retryEvery;
  const looked = parts.begin();
  const sighting = look(parts, ask);
  const flying =
    sighting instanceof Promise
      ? sighting.then((sight) =>
          parts.flights.has(ask.identity.key) ? undefined : takeOff(parts, ask, looked, fly(parts, ask, sight)),
        )
      : takeOff(parts, ask, looked, fly(parts, ask, sighting));
  // A failed refresh leaves the value that was served; the event has told of the error.
  flying.catch(() => {});
}

/** What a look found, if it may be served to this caller. */
export function serve(parts: Parts, ask: Ask, { entry, source, tolerated }: Sight): Landing | undefined {
  if (entry === undefined) return undefined;
  const now = parts.clock.now();
  const { settings } = ask;
  const fresh = now < entry.freshUntil && !tolerated;
  if (!fresh && !tolerated && now >= entry.freshUntil + settings.swr) {
    const failedJustNow = now < entry.retryAt && now < entry.freshUntil + settings.staleOnError;
    return failedJustNow ? landed(parts, entry, source, true, 'the load failed a moment ago') : undefined;
  }
  if (!fresh || now >= entry.settledUntil) refresh(parts, ask, entry);
  return landed(parts, entry, source, !fresh, tolerated ? 'invalidated, and tolerated' : fresh ? undefined : 'aged');
}

export function landed(parts: Parts, entry: Entry, source: 'near' | 'store', stale: boolean, reason?: string): Landing {
  const now = parts.clock.now();
  return {
    kept: entry.kept,
    raw: undefined,
    source,
    age: Math.max(0, now - entry.storedAt),
    stored: true,
    ...(reason === undefined ? {} : { reason }),
    pairs: new Map(pairsOf(entry)),
    epoch: entry.epoch,
    ttl: Math.max(0, entry.freshUntil - now),
    stale,
    own: false,
    torn: undefined,
  };
}

/** Whether a load that began before this read may still answer it. */
export async function stillHolds(parts: Parts, ask: Ask, landing: Landing): Promise<boolean> {
  if (landing.torn !== undefined) return false;
  const known = new Known(parts, parts.clock.now() - ask.settings.maxStale);
  const tags = [...landing.pairs.keys()];
  try {
    await known.ask(undefined, tags);
    return known.holds(landing.epoch, tags, [...landing.pairs.values()]);
  } catch {
    return false;
  }
}

/** Steps 3 to 5, as a flight that others can join. */
export function takeOff(parts: Parts, ask: Ask, begun: number, landed: Promise<Landing>): Promise<Landing> {
  const { key } = ask.identity;
  const flight: Flight = { begun, landed };
  parts.flights.set(key, flight);
  const land = () => {
    if (parts.flights.get(key) === flight) parts.flights.delete(key);
  };
  landed.then(land, land);
  return landed;
}

/** The same for one caller alone. */
async function fillAlone(parts: Parts, ask: Ask): Promise<Landing> {
  return fly(parts, ask, await look(parts, ask));
}

export async function fly(parts: Parts, ask: Ask, sight: Sight): Promise<Landing> {
  const leased = await acquire(parts, ask, sight);
  if ('answer' in leased) return leased.answer;
  const { lease } = leased;
  return orAged(parts, ask, leased.sight, load(parts, ask, leased.sight, lease));
}

/** The right to load; or what the process that had it has stored meanwhile. */
async function acquire(
  parts: Parts,
  ask: Ask,
  sight: Sight,
): Promise<{ lease: Lease | undefined; sight: Sight } | { answer: Landing }> {
  const { session, clock } = parts;
  const { cost } = ask.counter;
  if (!parts.shared || sight.before === undefined || (cost !== undefined && cost < cheap))
    return { lease: undefined, sight };
  // Nobody waits much longer for another process than the load itself would take.
  const giveUp = clock.now() + (cost === undefined ? ask.settings.hard : 1.5 * cost);
  for (let pause = 25; ; pause = Math.min(100, pause * 2)) {
    const looked = clock.now();
    const lease = await session.lease(ask.hash, ask.settings.hard).catch(() => null);
    if (lease === null) return { lease: undefined, sight };
    if (lease !== undefined) {
      // Between the look and the lease another process may have had the lease and stored what it loaded.
      if (clock.now() - looked < cheap) return { lease, sight };
      sight = await look(parts, ask);
      const answer = ask.fresh ? undefined : serve(parts, ask, sight);
      if (answer === undefined) return { lease, sight };
      lease.release();
      return { answer };
    }
    const left = giveUp - clock.now();
    if (left <= 0) return { lease: undefined, sight };
    await session.released(ask.hash, Math.min(left, pause * (0.75 + Math.random() / 2)));
    sight = await look(parts, ask);
    const answer = ask.fresh ? undefined : serve(parts, ask, sight);
    if (answer !== undefined) return { answer };
    if (sight.before === undefined) return { lease: undefined, sight };
  }
}

/** Lets an aged value that still holds stand in for a load that fails or takes long. */
export async function orAged(
  parts: Parts,
  ask: Ask,
  { entry, source, tolerated }: Sight,
  loading: Promise<Landing>,
): Promise<Landing> {
  const { settings, counter } = ask;
  if (entry === undefined || tolerated) return loading;
  const aged = (reason: string) => landed(parts, entry, source, true, reason);
  const usable = parts.clock.now() < entry.freshUntil + Math.max(settings.staleOnError, settings.swr);
  if (settings.soft !== undefined && usable) {
    let stop = () => {};
    const soft = new Promise<Landing>((resolve) => {
      stop = parts.clock.after(settings.soft as number, () => resolve(aged('the load takes long')));
    });
    return Promise.race([loading.finally(stop).catch((error) => failed(error)), soft]);
  }
  return loading.catch((error) => failed(error));

  function failed(error: unknown): Landing {
    if (parts.clock.now() >= (entry as Entry).freshUntil + settings.staleOnError) throw error;
    counter.staleOnError++;
    (entry as Entry).retryAt = parts.clock.now() + retryEvery;
    return aged('the load failed');
  }
}

/** Steps 4 and 5. */
async function load(parts: Parts, ask: Ask, sight: Sight, lease: Lease | undefined): Promise<Landing> {
  const { clock, events } = parts;
  const { key } = ask.identity;
  const { name } = ask.counter;
  const scope = openScope(parts, ask, sight);
  const said: Said = { ttl: undefined };
  const started = clock.now();
  ask.counter.loads++;
  try {
    const raw = await runLoad(parts, ask, scope, said);
    const cost = clock.now() - started;
    ask.counter.spent(cost);
    const landing = settle(parts, ask, sight, scope, raw, said.ttl, cost, lease);
    events.emit('load', {
      key,
      name,
      duration: cost,
      stored: landing.stored,
      ...(landing.reason === undefined ? {} : { reason: landing.reason }),
    });
    return landing;
  } catch (error) {
    lease?.release();
    events.emit('load', { key, name, duration: clock.now() - started, stored: false, reason: 'it failed', error });
    throw error;
  }
}

/** The scope of a load that begins now: it depends on what its key and its caller said. */
export function openScope(parts: Parts, ask: Ask, sight: Sight): Scope {
  const scope = new Scope(parts.tags, sight.before ?? new Map());
  for (const tag of knownTags(parts, ask)) {
    const version = sight.before?.get(tag);
    if (version !== undefined) scope.add(tag, version);
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
  ask: Pick<Ask, 'load' | 'settings' | 'counter'>,
  scope: Scope,
  said: Said,
): Promise<unknown> {
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
      for (const tag of checkTags(tags)) scope.learn(ownTag(tag));
    },
    ttl: (duration) => {
      said.ttl = parseDuration('ttl', duration);
    },
    skip: (reason) => scope.refuse(reason ?? 'the load said so'),
  };
  const running = runWithin({ owner: parts, scope }, () => ask.load(context));
  if (hard === Number.POSITIVE_INFINITY) return running;
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    stop = parts.clock.after(hard, () => {
      over = new LoadTimeoutError(ask.counter.name, hard);
      abort?.abort(over);
      reject(over);
    });
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
  const refined = ask.refine?.(raw);
  for (const tag of refined?.tags ?? []) scope.learn(ownTag(tag));
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
  const landing = {
    kept,
    raw,
    source: 'load' as const,
    age: 0,
    pairs: scope.pairs,
    epoch: sight.epoch,
    ttl,
    stale: false,
    own: kept === undefined,
  };
  if (scope.unstorable !== undefined || kept === undefined) {
    rememberTags(parts, ask, sight, scope, cost, lease);
    return { ...landing, stored: false, reason: scope.unstorable ?? 'it cannot be stored', torn: scope.torn };
  }
  const now = parts.clock.now();
  const freshUntil = now + ttl;
  const entry = makeEntry(parts.tags, {
    kept,
    pairs: scope.pairs,
    epoch: sight.epoch,
    storedAt: now,
    freshUntil,
    keepUntil: freshUntil + Math.max(settings.swr, settings.staleOnError, 0),
    cost,
    origin,
    counter: ask.counter,
  });
  parts.near.write(ask.identity.key, entry);
  store(parts, ask, entry, raw, lease);
  return { ...landing, stored: true, reason: sight.reason, torn: undefined };
}

/** A copy that may be handed out and stored; undefined when the value is of a kind that cannot be. */
function protect(parts: Parts, ask: Ask, raw: unknown, scope: Scope): Kept | undefined {
  try {
    return keep(raw, ask.settings.copy, { types: parts.types });
  } catch (error) {
    if (!(error instanceof UnstorableError) || parts.settings.onUnstorable === 'throw') throw error;
    warnOnce(`unstorable:${ask.counter.name}`, `A value of '${ask.counter.name}' is not stored: ${error.message}`);
    scope.refuse(error.message);
    return undefined;
  }
}

/** Writes an entry into the store. The caller's answer does not wait for it. */
export function store(parts: Parts, ask: Ask, entry: Entry, raw: unknown, lease: Lease | undefined): void {
  const { session, clock } = parts;
  if (!parts.shared) return;
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
function rememberTags(
  parts: Parts,
  ask: Ask,
  sight: Sight,
  scope: Scope,
  cost: number,
  lease: Lease | undefined,
): void {
  if (!parts.shared || scope.learned.length === 0 || sight.before === undefined) return lease?.release();
  const tags = [...scope.pairs.keys(), ...scope.learned];
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
  const bytes = encodeEntry(head, value, parts.types);
  if (bytes.length > session.maxEntryBytes) {
    warnOnce(
      `large:${ask.counter.name}`,
      `A value of '${ask.counter.name}' has ${bytes.length} bytes and is kept in memory only; the store takes ${session.maxEntryBytes}.`,
    );
    lease?.release();
    return;
  }
  const write = session
    .write(ask.hash, bytes, Math.min(Math.ceil(ms), longest))
    .catch((error) => events.emit('error', { error }))
    .finally(() => {
      parts.writes.delete(write);
      lease?.release();
    });
  parts.writes.add(write);
}

/** Background loads of one entry, and loads after a failed one: milliseconds between them. */
const retryEvery = 1000;
/** Above this a value's dependencies cost more than it is worth. */
const maxPairs = 1024;
/** The store forgets what nobody wrote for so long. Milliseconds: 30 days. */
const longest = 30 * 86_400_000;
