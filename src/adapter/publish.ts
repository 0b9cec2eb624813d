import { InvalidationPendingError } from '../core/errors.js';
import type { OpenUnit, Port } from '../core/port.js';
import { collapse } from './collapse.js';

/** How a statement has ended, and what that means for the cache. */
export interface Ended {
  readonly ok: boolean;
  readonly result: unknown;
  readonly tags: string[];
  /** To be told what became of the tags. */
  readonly units: OpenUnit[];
  /** The outcome is not known. */
  again: boolean;
  /** Whoever sent it waits for nobody. */
  readonly isAtOnce: boolean;
}

/** A COMMIT whose answer was lost may still be on its way through the server. Milliseconds. */
const aLittleLater = 5000;

/**
 * Resolves when what was committed is invalidated.
 *
 * @throws InvalidationPendingError only where the cache was asked to, and the statement has not failed itself
 */
export async function publish(port: Port, failed: (error: unknown) => void, ended: Ended): Promise<void> {
  const tags = collapse([...new Set(ended.tags)]);
  const acknowledged = ended.isAtOnce ? port.acknowledgeAtOnce(tags) : port.acknowledge(tags, ended.result);
  for (const unit of ended.units) unit.settle(acknowledged.catch((error) => error));
  if (ended.again) port.acknowledgeLater(tags, aLittleLater);
  try {
    await acknowledged;
  } catch (error) {
    // The statement's own error is the one to tell.
    if (error instanceof InvalidationPendingError) {
      if (ended.ok) throw error;
    } else failed(error);
  }
}
