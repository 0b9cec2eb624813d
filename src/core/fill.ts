import { orAged, retryEvery, waitSoftly } from './aged.js';
import type { Ask } from './ask.js';
import type { Entry } from './entry.js';
import { type Flight, type Landing, landingOf } from './flight.js';
import { join, stillHolds } from './join.js';
import { acquire } from './lease.js';
import { load } from './load.js';
import { look, type Sight } from './look.js';
import type { Parts } from './parts.js';

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
      const joined = await join(parts, ask, flight, () => waitSoftly(parts, ask, flight.landed));
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
    return (await waitSoftly(parts, ask, takeOff(parts, ask, looked, fly(parts, ask, sight, lookedAt)))).landing;
  }
}

function isInTime(parts: Parts, ask: Ask, entry: Entry | undefined): boolean {
  return entry !== undefined && parts.clock.coarse() < entry.freshUntil + ask.settings.swr;
}

/** The same for one caller alone. */
async function fillAlone(parts: Parts, ask: Ask): Promise<Landing> {
  const lookedAt = parts.clock.now();
  return fly(parts, ask, await look(parts, ask), lookedAt);
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
      ? landingOf(entry, source, now, true, 'the load failed a moment ago')
      : undefined;
  }
  if (!fresh || now >= entry.settledUntil) refresh(parts, ask, entry);
  return landingOf(entry, source, now, !fresh, tolerated ? 'invalidated, and tolerated' : fresh ? undefined : 'aged');
}

/** A refresh that nobody waits for: the same way, past what is stored. */
function refresh(parts: Parts, ask: Ask, entry: Entry): void {
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

/** @param lookedAt - before the look, in the clock's milliseconds */
async function fly(parts: Parts, ask: Ask, before: Sight, lookedAt: number): Promise<Landing> {
  const { sight, lease, isStored } = await acquire(parts, ask, before, lookedAt);
  const answer = isStored ? serve(parts, ask, sight) : undefined;
  return answer ?? orAged(parts, ask, sight, load(parts, ask, sight, lease));
}
