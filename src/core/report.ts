import { handOut } from '../values/index.js';
import type { Ask } from './ask.js';
import { currentContext, handUp, note } from './context.js';
import type { Entry } from './entry.js';
import { marksOf } from './events.js';
import { type Landing, valueOf } from './flight.js';
import type { Cached } from './outcome.js';
import type { Parts } from './parts.js';

/**
 * How a read ended, for all who want to know: it is counted, told as an event, handed as a dependency to the load around
 * it and noted in the trace of its request. Each read comes by here once, at its single exit; a plain hit does the same
 * by itself, in `View.hit`, since it has no landing.
 */
export function report(parts: Parts, ask: Ask, landing: Landing): void {
  const { counter, identity } = ask;
  const { events, stats } = parts;
  const { key, tenant } = identity;
  const { name } = counter;
  const { source, age, stale, pairs, reason = 'nothing stored' } = landing;
  const marks = () => marksOf(stats, tenant, pairs);
  if (source === 'near' || source === 'store') {
    stats.tally(counter, tenant, pairs).hit();
    if (events.hears('hit')) events.emit('hit', { key, name, source, age, stale, ...marks() });
  } else if (source === 'load') {
    stats.tally(counter, tenant, pairs).miss();
    if (events.hears('miss')) events.emit('miss', { key, name, reason, ...marks() });
  }
  if (currentContext() === undefined) return;
  if (landing.source !== 'database') handUp(parts, landing);
  note(parts, () => ({ ...cachedOf(landing), name: counter.name }));
}

/** How a read ended, as `read` tells its caller. */
export function cachedOf<T>(landing: Landing): Cached<T> {
  const { source, age, stored, reason } = landing;
  return { value: valueOf(landing) as T, source, age, stored, ...(reason === undefined ? {} : { reason }) };
}

/** The same of a plain hit. */
export function cachedFrom<T>(parts: Parts, entry: Entry): Cached<T> {
  return { value: handOut(entry.kept) as T, source: 'near', age: ageOf(parts, entry), stored: true };
}

export function ageOf(parts: Parts, entry: Entry): number {
  return Math.max(0, parts.clock.now() - entry.storedAt);
}
