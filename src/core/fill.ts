import type { Ask } from './ask.js';
import { cheap, type Entry } from './entry.js';
import type { Flight, Landing } from './flight.js';
import { join } from './join.js';
import { load } from './load.js';
import { Known, look, type Sight } from './look.js';
import type { Parts } from './parts.js';
import { isFenced, type Lease } from './store.js';

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
  // While a refresh runs in the background, what it replaces may be served: so that is looked at before anybody waits.
  let mayBeServed = isInTime(parts, ask, parts.near.peek(ask.identity.key));
  for (;;) {
    const flight = ask.fresh || mayBeServed ? undefined : parts.flights.get(ask.identity.key);
    if (flight !== undefined) {
      const joined = await join(parts, ask, flight, () => wait(parts, ask, flight.landed));
      if ('entangled' in joined) return fillAlone(parts, ask);
      if ('gaveUp' in joined) continue;
      const { landing, aged } = joined.landed;
      if (aged) return landing;
      if (landing.own) return fillAlone(parts, ask);
      // A flight whose versions were taken after this read began contains all that this read must contain.
      const later = flight.begun > began && flight.ask.settings.maxStale <= ask.settings.maxStale;
      if (later || (await stillHolds(parts, ask, landing))) return landing;
      continue;
    }
    const looked = parts.begin();
    const lookedAt = parts.clock.now();
    const sighting = look(parts, ask);
    const sight = sighting instanceof Promise ? await sighting : sighting;
    if (!ask.fresh) {
      const found = serve(parts, ask, sight);
      if (found !== undefined) return found;
      mayBeServed = false;
      // Somebody else is loading, or took off while this read was looking.
      if (parts.flights.has(ask.identity.key)) continue;
    }
    return (await wait(parts, ask, takeOff(parts, ask, looked, fly(parts, ask, sight, lookedAt)))).landing;
  }
}

/**
 * The crowd at a flight: readers who came before it landed and have nothing special in mind. One look after the landing
 * began later than all of them, so it answers for all. If the value may not be shared, each reads on by himself, with
 * his own function.
 */
export function gather(parts: Parts, flight: Flight): Promise<Landing | undefined> {
  flight.crowd ??= flight.landed.then(async (landing) =>
    !landing.own && (await stillHolds(parts, flight.ask, landing)) ? landing : undefined,
  );
  return flight.crowd;
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
          parts.flights.has(ask.identity.key) ? undefined : takeOff(parts, ask, looked, fly(parts, ask, sight, now)),
        )
      : takeOff(parts, ask, looked, fly(parts, ask, sighting, now));
  // A failed refresh leaves the value that was served; the event has told of the error.
  flying.catch(() => {});
}

function isInTime(parts: Parts, ask: Ask, entry: Entry | undefined): boolean {
  return entry !== undefined && parts.clock.coarse() < entry.freshUntil + ask.settings.swr;
}

/** What a look found, if it may be served to this caller. */
export function serve(parts: Parts, ask: Ask, { entry, source, tolerated }: Sight): Landing | undefined {
  if (entry === undefined) return undefined;
  const now = parts.clock.coarse();
  const { settings } = ask;
  const fresh = now < entry.freshUntil && !tolerated;
  if (!fresh && !tolerated && now >= entry.freshUntil + settings.swr) {
    const failedJustNow = now < entry.failedUntil && !parts.flights.has(ask.identity.key);
    return failedJustNow && now < entry.freshUntil + settings.staleOnError
      ? landed(parts, entry, source, true, 'the load failed a moment ago')
      : undefined;
  }
  if (!fresh || now >= entry.settledUntil) refresh(parts, ask, entry);
  return landed(parts, entry, source, !fresh, tolerated ? 'invalidated, and tolerated' : fresh ? undefined : 'aged');
}

export function landed(
  parts: Parts,
  entry: Entry,
  source: 'near' | 'store',
  stale: boolean,
  reason: string | undefined,
): Landing {
  const now = parts.clock.coarse();
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

/** Whether a load that began before this read may still answer it. */
export async function stillHolds(parts: Parts, ask: Ask, landing: Landing): Promise<boolean> {
  if (landing.torn !== undefined) return false;
  const known = new Known(parts, parts.clock.now() - ask.settings.maxStale);
  const pairs = [...landing.pairs];
  const tags = pairs.map(([tag]) => tag);
  try {
    await known.ask(undefined, tags);
    return known.holds(
      landing.epoch,
      tags,
      pairs.map(([, version]) => version),
    );
  } catch {
    return false;
  }
}

/** Steps 3 to 5, as a flight that others can join. */
export function takeOff(parts: Parts, ask: Ask, begun: number, landed: Promise<Landing>): Promise<Landing> {
  const { key } = ask.identity;
  const flight: Flight = { begun, ask, landed, crowd: undefined, waiting: new Set() };
  parts.flights.set(key, flight);
  const land = () => {
    if (parts.flights.get(key) === flight) parts.flights.delete(key);
  };
  landed.then(land, land);
  return landed;
}

/** The same for one caller alone. */
async function fillAlone(parts: Parts, ask: Ask): Promise<Landing> {
  const lookedAt = parts.clock.now();
  return fly(parts, ask, await look(parts, ask), lookedAt);
}

/** @param lookedAt - before the look, in the clock's milliseconds */
export async function fly(parts: Parts, ask: Ask, sight: Sight, lookedAt: number): Promise<Landing> {
  const leased = await acquire(parts, ask, sight, lookedAt);
  if ('answer' in leased) return leased.answer;
  const { lease } = leased;
  return orAged(parts, ask, leased.sight, load(parts, ask, leased.sight, lease));
}

/** The right to load; or what the process that had it has stored meanwhile. */
async function acquire(
  parts: Parts,
  ask: Ask,
  sight: Sight,
  lookedAt: number,
): Promise<{ lease: Lease | undefined; sight: Sight } | { answer: Landing }> {
  const { session, clock } = parts;
  const { cost } = ask.counter;
  // Where the store is slow, asking for the right to load takes longer than loading.
  const dear = Math.max(cheap, clock.now() - lookedAt);
  if (!parts.shared || sight.before === undefined || (cost !== undefined && cost < dear))
    return { lease: undefined, sight };
  // What would be loaded is stored by nobody, so there is nothing to wait for.
  if (parts.settings.strict && [...sight.before.values()].some(isFenced)) return { lease: undefined, sight };
  // Nobody waits much longer for another process than the load itself would take; but a machine that is busy, and then
  // many miss at once, makes a load of 50 ms one of 150, and no load is saved by whoever gives up in between.
  const patience = cost === undefined ? ask.settings.hard : cost + Math.max(cost / 2, lag);
  let giveUp = clock.now() + patience;
  let right = ask.hash;
  let refused = false;
  for (let pause = 25; ; pause = Math.min(100, pause * 2)) {
    const lease = await session.lease(right, ask.settings.hard).catch(() => null);
    if (lease === null) return { lease: undefined, sight };
    if (lease !== undefined) {
      // Between the look and the lease another process may have had the lease and stored what it loaded. Who was refused
      // before knows that somebody had it.
      if (!refused && clock.now() - lookedAt < cheap) return { lease, sight };
      sight = await look(parts, ask);
      const answer = answerFor(parts, ask, sight);
      if (answer === undefined) return { lease, sight };
      lease.release();
      return { answer };
    }
    refused = true;
    const left = giveUp - clock.now();
    if (left <= 0) {
      // Who loads has died, or the database takes its time, and all at once would not make it faster: of those who have
      // waited one stands in, and the others wait once more, for that one.
      if (right !== ask.hash || cost === undefined) return { lease: undefined, sight };
      right = `${ask.hash}+`;
      giveUp = clock.now() + patience;
      continue;
    }
    await session.released(right, Math.min(left, pause * (0.75 + Math.random() / 2)));
    sight = await look(parts, ask);
    const answer = answerFor(parts, ask, sight);
    if (answer !== undefined) return { answer };
    if (sight.before === undefined) return { lease: undefined, sight };
  }
}

/** Milliseconds by which a load may take longer elsewhere than it is known to take. */
const lag = 250;

/** What may end a flight: all who join it must be able to have it, so nobody's `tolerate` counts. */
function answerFor(parts: Parts, ask: Ask, sight: Sight): Landing | undefined {
  const { entry, tolerated } = sight;
  // An aged one is what is to be replaced.
  if (ask.fresh || tolerated || entry === undefined || parts.clock.coarse() >= entry.freshUntil) return undefined;
  return serve(parts, ask, sight);
}

/** Lets an aged value that still holds stand in for a load that failed. */
export async function orAged(
  parts: Parts,
  ask: Ask,
  { entry, source, tolerated }: Sight,
  loading: Promise<Landing>,
): Promise<Landing> {
  try {
    const landing = await loading;
    if (entry !== undefined) entry.failedUntil = 0;
    return landing;
  } catch (error) {
    if (entry === undefined || tolerated || parts.clock.now() >= entry.freshUntil + ask.settings.staleOnError)
      throw error;
    entry.retryAt = entry.failedUntil = parts.clock.now() + retryEvery;
    return landed(parts, entry, source, true, 'the load failed');
  }
}

/**
 * Waits for a flight, but not longer than the soft time-out when there is an aged value that still holds. The flight
 * goes on, so that those who come later join it instead of loading again.
 */
async function wait(parts: Parts, ask: Ask, flying: Promise<Landing>): Promise<{ landing: Landing; aged: boolean }> {
  const { soft, swr, staleOnError } = ask.settings;
  if (soft !== undefined && (await isLate(parts, flying, soft))) {
    const { entry, source, tolerated } = await look(parts, ask);
    const usable =
      entry !== undefined && !tolerated && parts.clock.now() < entry.freshUntil + Math.max(swr, staleOnError);
    if (usable) return { landing: landed(parts, entry, source, true, 'the load takes long'), aged: true };
  }
  return { landing: await flying, aged: false };
}

async function isLate(parts: Parts, flying: Promise<unknown>, soft: number): Promise<boolean> {
  let stop = () => {};
  const late = new Promise<boolean>((resolve) => {
    stop = parts.clock.after(soft, () => resolve(true));
  });
  const done = () => false;
  return Promise.race([flying.then(done, done), late]).finally(stop);
}

/** Background loads of one entry, and loads after a failed one: milliseconds between them. */
const retryEvery = 1000;
