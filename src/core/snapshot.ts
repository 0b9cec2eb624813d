import { StoreUnavailableError } from './errors.js';
import { Known } from './known.js';
import type { Parts } from './parts.js';
import type { Version } from './store.js';

const brand: unique symbol = Symbol.for('unstale.snapshot');

/**
 * The versions of tags at one moment, taken before data is read and handed to `set` afterwards. It also holds the
 * versions behind `clear()` of everything that the value could be stored in, so that a `clear()` in between counts.
 */
export interface Snapshot {
  readonly [brand]: true;
}

/** What is inside. */
export interface Held extends Snapshot {
  readonly pairs: ReadonlyMap<string, Version>;
  readonly epoch: string;
}

/** @throws StoreUnavailableError */
export async function makeSnapshot(parts: Parts, tags: readonly string[]): Promise<Snapshot> {
  const known = new Known(parts, parts.clock.now());
  await known.ask(undefined, tags);
  if (known.epoch === undefined) throw new StoreUnavailableError('it is not trusted yet');
  return Object.freeze({ [brand]: true as const, pairs: known.versions, epoch: known.epoch } satisfies Held);
}

export function isSnapshot(value: unknown): value is Held {
  return typeof value === 'object' && value !== null && brand in value;
}
