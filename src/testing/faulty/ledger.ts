/** A call that can be held or made to fail. */
export type StoreOperation = 'read' | 'write' | 'raise' | 'lease';

/** A call as `calls` remembers it. */
export interface StoreCall {
  readonly operation: StoreOperation | 'remove' | 'released' | 'reach';
  /** Hash of the entry's key; undefined for a read of versions alone, for a raise and for `reach`. */
  readonly key: string | undefined;
  /** The tags of a read or a raise, as they were given; else empty. */
  readonly tags: readonly string[];
}

/** How often each operation was called since the start or the last `forget`. */
export interface StoreCounts extends Readonly<Record<StoreCall['operation'], number>> {
  /**
   * Round trips that reads, writes, raises and leases would have cost: calls of one kind count as one until the first
   * of them is answered or the event loop turns.
   */
  readonly trips: number;
}

/** What was called, how often, and in how many round trips. */
export class Ledger {
  calls: StoreCall[] = [];
  #trips = 0;
  readonly #open = new Map<StoreCall['operation'], object>();

  /** Writes down a call; returns what is to be called when it was answered. */
  note(call: StoreCall): () => void {
    const { operation } = call;
    this.calls.push({ ...call, tags: [...call.tags] });
    if (operation === 'remove' || operation === 'released' || operation === 'reach') return () => {};
    let trip = this.#open.get(operation);
    if (trip === undefined) {
      trip = {};
      this.#open.set(operation, trip);
      this.#trips += 1;
    }
    const end = () => {
      if (this.#open.get(operation) === trip) this.#open.delete(operation);
    };
    setImmediate(end);
    return end;
  }

  counts(): StoreCounts {
    const counts = { read: 0, write: 0, raise: 0, lease: 0, remove: 0, released: 0, reach: 0, trips: this.#trips };
    for (const { operation } of this.calls) counts[operation] += 1;
    return counts;
  }

  forget(): void {
    this.calls = [];
    this.#trips = 0;
    this.#open.clear();
  }
}
