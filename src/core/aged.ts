import type { Ask } from './ask.js';
import { type Landing, landingOf } from './flight.js';
import { look, type Sight } from './look.js';
import type { Parts } from './parts.js';

/**
 * What an aged value is good for, beside being served while a refresh runs: it stands in for a load that has failed,
 * and for one that takes long. It must hold all the same: age is what is forgiven here, an invalidation never is.
 */

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
    return landingOf(entry, source, parts.clock.coarse(), true, 'the load failed');
  }
}

/**
 * Waits for a flight, but not longer than the soft time-out when there is an aged value that still holds. The flight
 * goes on, so that those who come later join it instead of loading again.
 */
export async function waitSoftly(
  parts: Parts,
  ask: Ask,
  flying: Promise<Landing>,
): Promise<{ landing: Landing; aged: boolean }> {
  const { soft, swr, staleOnError } = ask.settings;
  if (soft !== undefined && (await isLate(parts, flying, soft))) {
    const { entry, source, tolerated } = await look(parts, ask);
    const usable =
      entry !== undefined && !tolerated && parts.clock.now() < entry.freshUntil + Math.max(swr, staleOnError);
    if (usable)
      return { landing: landingOf(entry, source, parts.clock.coarse(), true, 'the load takes long'), aged: true };
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
export const retryEvery = 1000;
