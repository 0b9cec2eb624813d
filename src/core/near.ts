import { LRUCache } from 'lru-cache';
import type { Entry } from './entry.js';
import type { Tags } from './tags.js';

/** Entries in memory, bounded in number and bytes, least recently used out first. */
export class Near {
  readonly #entries: LRUCache<string, Entry> | undefined;
  readonly #tags: Tags;

  constructor(limits: { maxEntries: number; maxBytes: number } | undefined, tags: Tags) {
    this.#tags = tags;
    this.#entries =
      limits &&
      new LRUCache({
        max: limits.maxEntries,
        maxSize: limits.maxBytes,
        // Replaced, evicted, deleted or cleared: the table need not keep the cells for this entry any longer.
        dispose: (entry) => this.#release(entry),
      });
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** Estimated bytes of all entries. */
  get bytes(): number {
    return this.#entries?.calculatedSize ?? 0;
  }

  get(key: string): Entry | undefined {
    return this.#entries?.get(key);
  }

  /** Without counting as a use. */
  peek(key: string): Entry | undefined {
    return this.#entries?.peek(key);
  }

  write(key: string, entry: Entry): void {
    if (this.#entries === undefined) return;
    for (const cell of entry.cells) this.#tags.hold(cell);
    const bytes = entry.kept.bytes + key.length * 2 + entry.cells.length * bytesPerPair + bytesPerEntry;
    this.#entries.set(key, entry, { size: Math.ceil(bytes) });
    // Larger than the whole memory: lru-cache drops it without a word to `dispose`.
    if (this.#entries.peek(key) !== entry) this.#release(entry);
  }

  delete(key: string): void {
    this.#entries?.delete(key);
  }

  clear(): void {
    this.#entries?.clear();
  }

  keys(): Iterable<string> {
    return this.#entries?.keys() ?? [];
  }

  #release(entry: Entry): void {
    for (const cell of entry.cells) this.#tags.release(cell);
  }
}

/** Measured: an entry's own fields, its promise, its place in the list; a pair with its share of a cell. */
const bytesPerEntry = 400;
const bytesPerPair = 40;
