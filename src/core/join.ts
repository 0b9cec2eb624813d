import type { Ask } from './ask.js';
import { keysAround } from './context.js';
import { LoadTimeoutError } from './errors.js';
import type { Flight, Landing } from './flight.js';
import { Known } from './known.js';
import type { Parts } from './parts.js';

/**
 * Sharing somebody else's load: waiting for it, and whether what it gives is an answer for those who came later. It
 * began before they did, so its versions are from before a write that they may have to see.
 */

/** What came of waiting for somebody else's load. */
export type Joined<T> =
  | { readonly landed: T }
  /** Waiting would never end: the other load waits, by some way, for the one that this read belongs to. */
  | { readonly entangled: true }
  /** The other load had less time than this reader has. */
  | { readonly gaveUp: true };

/**
 * Waits for a flight on behalf of a reader, who may himself be part of a load.
 *
 * @throws TypeError when the reader's own load is what he would wait for
 * @throws LoadTimeoutError when the reader has less time than the load
 */
export async function join<T>(parts: Parts, ask: Ask, flight: Flight, landing: () => Promise<T>): Promise<Joined<T>> {
  const own = keysAround(parts).flatMap((key) => parts.flights.get(key) ?? []);
  if (own.includes(flight))
    throw new TypeError(`The load of ${ask.identity.key} reads its own key, and would wait for itself`);
  if (own.some((mine) => waitsFor(flight, mine))) return { entangled: true };
  for (const mine of own) mine.waiting.add(flight);
  try {
    return { landed: await withinTime(parts, ask, flight, landing()) };
  } catch (error) {
    const impatient = flight.ask.settings.hard < ask.settings.hard;
    if (error instanceof LoadTimeoutError && impatient) return { gaveUp: true };
    throw error;
  } finally {
    for (const mine of own) mine.waiting.delete(flight);
  }
}

/**
 * The crowd at a flight: readers who came before it landed and have nothing special in mind. One look after the landing
 * began later than all of them, so it answers for all. If the value may not be shared, each reads on by himself, with
 * his own function.
 */
export function joinCrowd(parts: Parts, flight: Flight): Promise<Landing | undefined> {
  flight.crowd ??= flight.landed.then(async (landing) =>
    !landing.own && (await stillHolds(parts, flight.ask, landing)) ? landing : undefined,
  );
  return flight.crowd;
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

function waitsFor(flight: Flight, other: Flight, seen = new Set<Flight>()): boolean {
  if (seen.has(flight)) return false;
  seen.add(flight);
  for (const next of flight.waiting) if (next === other || waitsFor(next, other, seen)) return true;
  return false;
}

function withinTime<T>(parts: Parts, ask: Ask, flight: Flight, landing: Promise<T>): Promise<T> {
  const { hard } = ask.settings;
  if (hard >= flight.ask.settings.hard) return landing;
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    stop = parts.clock.after(hard, () => reject(new LoadTimeoutError(ask.counter.name, hard)));
  });
  return Promise.race([landing, late]).finally(stop);
}
