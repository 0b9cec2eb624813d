import type { Ask } from './ask.js';
import { keysAround } from './context.js';
import { LoadTimeoutError } from './errors.js';
import type { Flight } from './flight.js';
import type { Parts } from './parts.js';

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
