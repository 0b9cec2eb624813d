import { InvalidationPendingError } from '../core/errors.js';
import type { OpenUnit, Outcome } from '../core/port.js';
import { isFenced } from '../core/store.js';
import { collapse } from './collapse.js';
import type { CommitOutcome, Company } from './guard.js';
import type { Narrowed, Shared } from './shared.js';

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
  /** What accompanied its COMMIT. */
  readonly company: Company | undefined;
  readonly outcome: CommitOutcome;
}

/** A COMMIT whose answer was lost may still be on its way through the server. Milliseconds. */
const aLittleLater = 5000;

/**
 * Resolves when what was committed is invalidated.
 *
 * @throws InvalidationPendingError only where the cache was asked to, and the statement has not failed itself
 */
export async function publish(shared: Shared<unknown>, narrowed: Narrowed, ended: Ended): Promise<void> {
  const { port, failed } = shared;
  const { company, outcome } = ended;
  // What is fenced was so before some of it had ended: all of that must be let go, by these very names.
  const tags = [...new Set([...collapse([...new Set(ended.tags)]), ...(company?.tags ?? [])])];
  // While nobody knows what has become of a COMMIT, what it may have changed stays fenced.
  const owner = outcome === 'unknown' ? undefined : company?.owner;
  const first = ended.isAtOnce ? port.acknowledgeAtOnce(tags) : port.acknowledge(tags, ended.result, owner);
  const broadened = broaden(shared, narrowed, ended.result);
  const acknowledged = Promise.all([first, broadened]).then(([own, wide]) => (wide instanceof Error ? wide : own));
  for (const unit of ended.units) unit.settle(acknowledged.catch((error) => error));
  if (ended.again) port.acknowledgeLater(tags, aLittleLater);
  // By then somebody may go by other rules.
  if (outcome === 'unknown' && narrowed.coarse.size > 0) port.acknowledgeLater([...narrowed.coarse], aLittleLater);
  let isAcknowledged = false;
  try {
    isAcknowledged = !((await acknowledged) instanceof Error);
  } catch (error) {
    // The statement's own error is the one to tell.
    if (error instanceof InvalidationPendingError) {
      if (ended.ok) throw error;
    } else failed(error);
  } finally {
    company?.ended(outcome, isAcknowledged);
  }
}

/**
 * The version of the agreement now, after the COMMIT: who goes by other rules, and has read before it, has changed it by
 * then. If it is another one, or nobody can tell, everybody hears of the write in words that all understand.
 */
async function broaden(
  { port, narrowing }: Shared<unknown>,
  { versions, coarse }: Narrowed,
  result: unknown,
): Promise<Outcome> {
  if (versions.size === 0) return undefined;
  const version = await port.version(narrowing.tag);
  if (version !== undefined && versions.size === 1 && versions.has(version)) return undefined;
  // What nobody can tell is not lost: in a quarantine the next write would only ask for it again.
  if (version !== undefined && !isFenced(version)) narrowing.lost();
  return port.acknowledge([...coarse], result);
}
