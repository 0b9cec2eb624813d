import type { Attached, Port } from '../core/port.js';
import type { Dialect } from '../sql/index.js';
import type { Driver } from './driver.js';
import type { Ask } from './types.js';

/**
 * What accompanies a COMMIT, so that others can tell what it has changed whatever becomes of this process between the
 * COMMIT and its invalidation: an outbox keeps the tags beside the rows, a fence shuts them for every reader.
 */
export interface Guard {
  /**
   * Runs in the transaction, right before its COMMIT; `ask` is on its connection. When it rejects, COMMIT is not sent:
   * the transaction is rolled back, and its caller gets that error.
   *
   * @param isUsual - whether names mean on that connection what they mean on a new one. @defaultValue true
   */
  before(ask: Ask, tags: readonly string[], isUsual?: boolean): Promise<Guarded>;
  /**
   * A statement is about to be sent that may commit what it, or the open transaction, has written, and nothing can be
   * put before that COMMIT. Throws where it must not be sent.
   */
  unguarded(text: string): void;
  /** Its client is used from now on, and again after it was closed. */
  open?(): void;
  /** The connections of its client are about to be closed: what it does by itself ends. A promise is to be waited for. */
  rest?(): Promise<void> | undefined;
  /** Nobody uses its client any more. */
  close?(): void;
  /** As of {@link Attached}. */
  isOver?: Attached['isOver'];
  quiet?: Attached['quiet'];
}

/** A COMMIT that is accompanied. */
export interface Guarded {
  /** Who fences the tags: is let go with the invalidation, unless nobody knows what became of the COMMIT. */
  readonly owner?: string;
  /** To be called once, when the COMMIT and its invalidation have ended. */
  ended?(outcome: CommitOutcome, isAcknowledged: boolean): void;
}

/** What became of a COMMIT, or of a statement that commits itself. */
export type CommitOutcome = 'committed' | 'rolled back' | 'unknown';

/** All that accompanies one COMMIT. */
export interface Company {
  readonly tags: readonly string[];
  readonly owner: string | undefined;
  ended(outcome: CommitOutcome, isAcknowledged: boolean): void;
}

/** Runs all guards, one after the other. @throws what the first of them rejects with */
export async function accompany(
  guards: readonly Guard[],
  ask: Ask,
  tags: readonly string[],
  isUsual: boolean,
): Promise<Company> {
  const all: Guarded[] = [];
  const ended = (outcome: CommitOutcome, isAcknowledged: boolean) => {
    for (const one of all) one.ended?.(outcome, isAcknowledged);
  };
  try {
    for (const guard of guards) all.push(await guard.before(ask, tags, isUsual));
  } catch (error) {
    ended('rolled back', false);
    throw error;
  }
  return { tags, owner: all.find(({ owner }) => owner !== undefined)?.owner, ended };
}

/** What guards are made of, for one client. */
export interface Guarding {
  readonly port: Port;
  readonly driver: Driver<any>;
  readonly dialect: Dialect;
  readonly database: string;
  /**
   * What a table of the kit's own is called.
   *
   * @param isUsual - as of {@link Guard.before}. @defaultValue whether that is so on all connections
   * @throws Error when that cannot be told
   */
  tableOf(name: string, isUsual?: boolean): string;
  failed(error: unknown): void;
}
