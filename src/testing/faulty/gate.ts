import type { Clock } from '../../core/clock.js';
import type { StoreOperation } from './ledger.js';

/** The calls that `hold` holds. */
export interface HeldCalls {
  /** How many are held now. */
  readonly waiting: number;
  /** Resolves once `count` (1 unless given) calls are held at the same time. */
  arrived(count?: number): Promise<void>;
  /** Lets the held calls go on, in the order in which they came, and holds no more. */
  release(): void;
}

/** A call under way. */
export interface Way {
  readonly clock: Clock;
  cut: boolean;
  cutOff(why: string): void;
}

/** Where calls of one kind wait. */
export class Gate implements HeldCalls {
  readonly #operation: StoreOperation;
  readonly #at: 'request' | 'reply';
  readonly #opened: () => void;
  readonly #held = new Map<Way, () => void>();
  readonly #watching = new Set<() => void>();
  #open = false;

  constructor(operation: StoreOperation, at: 'request' | 'reply', opened: () => void) {
    this.#operation = operation;
    this.#at = at;
    this.#opened = opened;
  }

  get waiting() {
    // Those that were cut off meanwhile wait for nothing any more.
    return [...this.#held.keys()].filter(({ cut }) => !cut).length;
  }

  async arrived(count = 1): Promise<void> {
    while (this.waiting < count) await new Promise<void>((resolve) => this.#watching.add(resolve));
  }

  release(): void {
    this.#open = true;
    this.#opened();
    for (const go of this.#held.values()) go();
    this.#held.clear();
  }

  holds(operation: StoreOperation, at: 'request' | 'reply'): boolean {
    // A call that waited elsewhere may come to a gate that was opened meanwhile.
    return !this.#open && this.#operation === operation && this.#at === at;
  }

  pass(way: Way): Promise<void> {
    return new Promise((go) => {
      this.#held.set(way, go);
      for (const look of this.#watching) look();
      this.#watching.clear();
    });
  }
}
