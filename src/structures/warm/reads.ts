import type { Entry } from '../../core/entry.js';
import type { Parts } from '../../core/parts.js';
import type { Record } from './record.js';

/**
 * Which entries are still read. A process sees its own reads by its entries in memory: one that a reader had loaded, or
 * fetched from the store, or had a hit on. What was pushed out of memory counts as not read.
 */
export class OwnReads {
  readonly #parts: Parts;
  /** Those whose coming is accounted for: only a hit tells of another read. */
  readonly #seen = new WeakSet<Entry>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether anybody has read the entry of `key` here since this was asked for the last time. */
  take(key: string): boolean {
    const entry = this.#parts.near.peek(key);
    if (entry === undefined) return false;
    const isNew = !this.#seen.has(entry);
    this.#seen.add(entry);
    return entry.takeUse() || isNew;
  }

  /** The entry of `key` was put there by the warmer itself. */
  madeByUs(key: string): void {
    const entry = this.#parts.near.peek(key);
    if (entry !== undefined) this.#seen.add(entry);
  }
}

/**
 * A process that does not lead: looks now and then which of the warm entries were read here, and tells it in the store,
 * once for each key and cycle.
 */
export class Watcher {
  readonly #parts: Parts;
  readonly #record: Record;
  readonly #reads: OwnReads;
  readonly #every: number;
  #told = new Set<string>();
  #cycle: number | undefined;
  #stop: (() => void) | undefined;

  constructor(parts: Parts, record: Record, reads: OwnReads, every: number) {
    this.#parts = parts;
    this.#record = record;
    this.#reads = reads;
    this.#every = every;
  }

  start(): void {
    this.#stop ??= this.#parts.clock.after(this.#every, () => void this.#lookAndGoOn());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  async #lookAndGoOn(): Promise<void> {
    const stop = this.#stop;
    await this.#look();
    // Stopped meanwhile, or stopped and started again.
    if (this.#stop !== stop) return;
    this.#stop = undefined;
    this.start();
  }

  async #look(): Promise<void> {
    const cycle = await this.#record.last();
    if (cycle === undefined) return;
    if (cycle.began !== this.#cycle) {
      this.#cycle = cycle.began;
      this.#told = new Set();
    }
    const read = cycle.keys.filter((key) => this.#reads.take(key) && !this.#told.has(key));
    for (const key of read) this.#told.add(key);
    await Promise.all(read.map((key) => this.#record.tellRead(key)));
  }
}
