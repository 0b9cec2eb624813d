import { StoreUnavailableError } from '../../src/adapter/index.js';

/** The node answers, and is not the master: its versions may be old ones. Known by its field: errors of ours are told apart by name. */
export class DemotedError extends StoreUnavailableError {
  readonly isDemoted = true;
}

/** The node answers, and what it is set to does not fit this cache: somebody has to set it right. */
export class UnfitError extends StoreUnavailableError {
  readonly isUnfit = true;
}

/** Nothing is wrong with the node, and whether it may be trusted cannot be said yet: it is looked at again in a moment. */
export class LaterError extends StoreUnavailableError {
  readonly isLater = true;

  /**
   * @param ms - in how many milliseconds there may be an answer
   * @param trust - whether what it was trusted for ends now, or lasts until its time is over
   */
  constructor(
    reason: string,
    readonly ms: number,
    readonly trust: 'ends' | 'lapses',
  ) {
    super(reason);
  }
}

/** What kept Redis from answering, as the error that a store rejects with. */
export function unavailable(reply: unknown): StoreUnavailableError {
  if (reply instanceof StoreUnavailableError) return reply;
  if (reply instanceof Error) {
    const moving = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(reply.message);
    const why = moving
      ? 'slots of the cluster are changing hands'
      : `Redis answered ${reply.message.replace(/\.+$/, '')}`;
    return new StoreUnavailableError(why, { cause: reply });
  }
  return new StoreUnavailableError('a tag could not be given a version');
}
