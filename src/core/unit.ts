import type { Receipt } from './receipt.js';

/** What became of a transaction's invalidations: a receipt, why nobody confirmed them, or nothing when it was rolled back. */
export type Outcome = Receipt | Error | undefined;

/** What a transaction, or a savepoint in it, has changed so far. */
export interface Unit {
  readonly tags: Set<string>;
  /** Code that outlives its transaction is outside of it. */
  readonly ended: boolean;
  /** Receipts of invalidations inside wait for it. */
  readonly outcome: Promise<Outcome>;
}

/** A unit in the hands of whoever runs the transaction. */
export interface OpenUnit extends Unit {
  /** Nothing joins it any more: to be called before its tags are published. */
  end(): void;
  /** Ends it and tells what became of it; a savepoint passes on the outcome of what is around it. */
  settle(outcome?: Outcome | Promise<Outcome>): void;
}

export function createUnit(): OpenUnit {
  let tell!: (outcome: Outcome | Promise<Outcome>) => void;
  const outcome = new Promise<Outcome>((resolve) => {
    tell = resolve;
  });
  let ended = false;
  return {
    tags: new Set(),
    outcome,
    get ended() {
      return ended;
    },
    end() {
      ended = true;
    },
    settle(became) {
      ended = true;
      tell(became);
    },
  };
}
