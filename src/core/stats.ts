/** Reads of one name. */
export class Counter {
  hits = 0;
  misses = 0;
  loads = 0;
  /**
   * Milliseconds that a load of this name takes, as far as is known: the least of late, since a busy process makes any
   * load look dear, and a dear load takes a lease.
   */
  cost: number | undefined;
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }

  spent(ms: number): void {
    this.cost = this.cost === undefined || ms < this.cost ? ms : this.cost + (ms - this.cost) * 0.05;
  }
}

/** What `stats().counts` counts, as a plain record. */
export interface Counts {
  readonly hits: number;
  readonly misses: number;
  readonly loads: number;
}

/** Names come from code, but a key built from user data can make them many. */
const maxNames = 10_000;
const others = '(others)';

/** Counts reads by name: the function's name, the first part of a key, or what stands before the first `:` in it. */
export class Stats {
  readonly #counters = new Map<string, Counter>();

  counter(name: string): Counter {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    if (name !== others && this.#counters.size >= maxNames) return this.counter(others);
    const counter = new Counter(name);
    this.#counters.set(name, counter);
    return counter;
  }

  /** Totals of all names that start with `prefix`. */
  counts(prefix = ''): Counts {
    const total = { hits: 0, misses: 0, loads: 0 };
    for (const counter of this.#counters.values()) {
      if (!counter.name.startsWith(prefix)) continue;
      total.hits += counter.hits;
      total.misses += counter.misses;
      total.loads += counter.loads;
    }
    return total;
  }

  /** Hits among reads, 0 to 1; 0 when nothing was read. Reads that went past the cache count as neither. */
  hitRate(prefix = ''): number {
    const { hits, misses } = this.counts(prefix);
    return hits + misses === 0 ? 0 : hits / (hits + misses);
  }
}

/** What a key is counted under: its first part, or what stands before the first colon. */
export function nameOf(key: unknown): string {
  const first = Array.isArray(key) ? key[0] : key;
  if (typeof first !== 'string') return '(unnamed)';
  const colon = first.indexOf(':');
  return colon > 0 ? first.slice(0, colon) : first;
}
