import { LRUCache } from 'lru-cache';
import type { Entry } from './entry.js';
import type { CacheSettings } from './options.js';
import { Shares } from './shares.js';
import type { Tags } from './tags.js';

/**
 * Entries in memory, bounded in number and bytes, least recently used out first.
 *
 * While there is room anybody may have it. When there is none, tenants that have more than their share give up their own
 * least recently used first. That is found out when an entry is written, so a hit does not know of tenants.
 */
export class Near {
  readonly #limits: CacheSettings['memory'];
  readonly #entries: LRUCache<string, Entry> | undefined;
  readonly #shares: Shares | undefined;
  readonly #tags: Tags;

  constructor(limits: CacheSettings['memory'], tags: Tags) {
    this.#tags = tags;
    this.#limits = limits;
    this.#shares = limits && new Shares(limits);
    this.#entries =
      limits &&
      new LRUCache({
        max: limits.maxEntries,
        maxSize: limits.maxBytes,
        // Replaced, evicted, deleted or cleared: the table need not keep the cells for this entry any longer.
        dispose: (entry, key) => {
          this.#release(entry);
          if (entry.tenant !== undefined) this.#shares?.remove(entry.tenant, sizeOf(key, entry));
        },
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
    const bytes = sizeOf(key, entry);
    this.#makeRoom(key, entry, bytes);
    this.#entries.set(key, entry, { size: bytes });
    // Larger than the whole memory: lru-cache drops it without a word to `dispose`.
    if (this.#entries.peek(key) !== entry) this.#release(entry);
    else if (entry.tenant !== undefined) this.#shares?.add(entry.tenant, bytes);
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

  /** Some at once: the way from the oldest entry leads over those of tenants that keep theirs. */
  #makeRoom(key: string, { tenant }: Entry, bytes: number): void {
    const [entries, limits] = [this.#entries, this.#limits];
    if (entries === undefined || limits === undefined) return;
    const lack = entries.calculatedSize + bytes - limits.maxBytes;
    if (lack <= 0 && (entries.size < limits.maxEntries || entries.has(key))) return;
    const shedding = this.#shares?.shedding(tenant, bytes);
    if (shedding === undefined) return;
    const going: string[] = [];
    let freed = 0;
    for (const oldest of entries.rkeys()) {
      const one = entries.peek(oldest) as Entry;
      const size = sizeOf(oldest, one);
      if (oldest === key || !shedding.takes(one.tenant, size)) continue;
      going.push(oldest);
      freed += size;
      if (freed >= lack && going.length >= limits.maxEntries / atOnce) break;
    }
    for (const one of going) entries.delete(one);
  }

  #release(entry: Entry): void {
    for (const cell of entry.cells) this.#tags.release(cell);
  }
}

function sizeOf(key: string, entry: Entry): number {
  return Math.ceil(entry.kept.bytes + key.length * 2 + entry.cells.length * bytesPerPair + bytesPerEntry);
}

/** Measured: an entry's own fields, its promise, its place in the list; a pair with its share of a cell. */
const bytesPerEntry = 400;
const bytesPerPair = 40;
/** This part of all entries goes at once. */
const atOnce = 32;
