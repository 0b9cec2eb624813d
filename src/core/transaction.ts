import { currentUnit, runWithin } from './context.js';
import { InvalidationPendingError } from './errors.js';
import type { Parts } from './parts.js';
import type { Receipt } from './receipt.js';
import { createUnit, type Outcome } from './unit.js';

/**
 * Transactions of code that no adapter watches. Inside, the cache is out of the way: what a transaction reads may be
 * older than what is stored, or may be rolled back, so nothing is served and nothing stored. Its invalidations wait:
 * before COMMIT they would only make somebody else load the old row again.
 */
export async function transaction<T>(parts: Parts, fn: () => T | Promise<T>): Promise<T> {
  const unit = createUnit();
  let became: Outcome;
  try {
    // If it throws, the savepoint is rolled back and what it recorded is dropped with it.
    const result = await runWithin({ owner: parts, unit }, fn).finally(() => unit.end());
    // A savepoint hands over to its transaction, unless that has ended without waiting for it.
    if (unit.tags.size > 0) became = await acknowledge(parts, [...unit.tags], result);
    return result;
  } catch (error) {
    // Confirmed by nobody: those who ask where the old value is gone must not hear `everywhere`.
    if (error instanceof InvalidationPendingError) became = error;
    throw error;
  } finally {
    unit.settle(became);
  }
}

/** Invalidates, or records the tags when a transaction is running. */
export async function invalidate(parts: Parts, tags: readonly string[]): Promise<Receipt> {
  const unit = currentUnit(parts);
  if (unit === undefined) return (await parts.invalidations.raise(tags)).receipt;
  for (const tag of tags) unit.tags.add(tag);
  return {
    tags,
    // Of the whole transaction: to be awaited after it.
    get everywhere() {
      if (currentUnit(parts) === unit)
        return Promise.reject(
          new TypeError('Await `everywhere` after the transaction: inside, both would wait for each other'),
        );
      return unit.outcome.then((became) => {
        if (became instanceof Error) throw became;
        return became?.everywhere;
      });
    },
  };
}

/**
 * Invalidates after a write that has succeeded. The write must not look failed, or it is tried again: what the store
 * does not confirm in time is reported, and stays queued.
 */
export async function acknowledge(
  parts: Parts,
  tags: readonly string[],
  result: unknown,
  send = () => invalidate(parts, tags),
): Promise<Receipt | InvalidationPendingError> {
  const started = parts.clock.now();
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof InvalidationPendingError)) throw error;
    parts.events.emit('unacknowledged', { tags: error.tags, age: parts.clock.now() - started });
    if (parts.settings.onUnacknowledged === 'throw')
      throw new InvalidationPendingError(error.tags, { cause: error.cause, committed: true, result });
    return error;
  }
}
