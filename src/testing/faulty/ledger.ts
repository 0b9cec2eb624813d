/** A call that can be held or made to fail. */
export type StoreOperation = 'read' | 'write' | 'raise' | 'lease' | 'fence' | 'expired';

/** A call as `calls` remembers it. */
export interface StoreCall {
  readonly operation: StoreOperation | 'remove' | 'released' | 'reach';
  /** Hash of the entry's key; undefined for a read of versions alone, for `reach`, and for what is about tags. */
  readonly key: string | undefined;
  /** The tags that it was called with, as they were given; else empty. */
  readonly tags: readonly string[];
  /** In whose name tags were fenced, or are let go. */
  readonly owner?: string | undefined;
}

/** How often each operation was called since the start or the last `forget`. */
export interface StoreCounts extends Readonly<Record<StoreCall['operation'], number>> {
  /**
   * Round trips that reads, writes, raises, leases and fences would have cost: calls of one kind count as one until the first
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
    const none = { read: 0, write: 0, raise: 0, lease: 0, fence: 0, expired: 0, remove: 0, released: 0, reach: 0 };
    const counts = { ...none, trips: this.#trips };
    for (const { operation } of this.calls) counts[operation] += 1;
    return counts;
  }

  forget(): void {
    this.calls = [];
    this.#trips = 0;
    this.#open.clear();
  }
}
