import { expected } from './errors.js';
import { saidTag } from './identity.js';

/** What a read counts under. */
export interface Tally {
  readonly name: string;
  hit(): void;
  miss(): void;
  /** A load has ended, one way or the other. */
  load(): void;
}

/** Reads of one name. */
export class Counter implements Tally {
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

  hit(): void {
    this.hits++;
  }

  miss(): void {
    this.misses++;
  }

  load(): void {
    this.loads++;
  }

  spent(ms: number): void {
    this.cost = this.cost === undefined || ms < this.cost ? ms : this.cost + (ms - this.cost) * 0.05;
  }
}

/** What `stats().counts` counts, as a plain record. */
export interface Counts {
  /** Reads that a stored value answered. */
  readonly hits: number;
  /** Reads that waited for a load, or found nothing. */
  readonly misses: number;
  /** Loads that have ended, failed ones among them. One that is for several keys is one. */
  readonly loads: number;
}

/** Which reads and loads are counted; of several conditions all must hold. */
export interface CountedBy {
  /** Those whose name starts with it. */
  prefix?: string;
  /** Those of values that depend on this tag; needs `stats: { tags: true }`. */
  tag?: string;
  /** Those of this tenant; needs `stats: { tenants: true }`. */
  tenant?: string | number;
}

/** Names come from code, but a key built from user data can make them many; so can tags, and tenants. */
const maxNames = 10_000;
const others = '(others)';

/**
 * Counts reads by name: the function's name, the first part of a key, or what stands before the first `:` in it. By tag
 * and by tenant only on demand: then a value keeps all counters that its reads count under, so that a hit looks none up.
 */
export class Stats {
  readonly #counters = new Map<string, Counter>();
  readonly #parts = new Map<string, Part>();
  readonly #by: { readonly tags: boolean; readonly tenants: boolean };
  readonly #plain: boolean;

  constructor(by = { tags: false, tenants: false }) {
    this.#by = by;
    this.#plain = !by.tags && !by.tenants;
  }

  counter(name: string): Counter {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    if (name !== others && this.#counters.size >= maxNames) return this.counter(others);
    const counter = new Counter(name);
    this.#counters.set(name, counter);
    return counter;
  }

  /** What reads of a value count under that is this tenant's and depends on these tags. */
  tally(counter: Counter, tenant: string | number | undefined, pairs: Iterable<readonly [string, unknown]>): Tally {
    if (this.#plain) return counter;
    const whose = this.#by.tenants ? tenant : undefined;
    const counters: Counter[] = [counter];
    if (whose !== undefined) counters.push(this.#part(counter.name, whose, undefined));
    for (const tag of this.tagsOf(pairs) ?? []) counters.push(this.#part(counter.name, whose, tag));
    return new Together(counter.name, counters);
  }

  /** Tags as their users wrote them, for events; undefined where nobody counts by tag. */
  tagsOf(pairs: Iterable<readonly [string, unknown]>): string[] | undefined {
    if (!this.#by.tags) return undefined;
    const tags: string[] = [];
    for (const [tag] of pairs) {
      const said = saidTag(tag);
      if (said !== undefined) tags.push(said);
    }
    return tags;
  }

  /** Totals of all names that start with a text, or of what is meant. @throws TypeError for what is not counted, and for wrong options */
  counts(by: string | CountedBy = ''): Counts {
    const { prefix, tag, tenant } = this.#checked(by);
    const total = { hits: 0, misses: 0, loads: 0 };
    const all = tag === undefined && tenant === undefined ? this.#counters : this.#parts;
    for (const counter of all.values()) {
      if (!counter.name.startsWith(prefix)) continue;
      if (counter instanceof Part && !(counter.tag === tag && (tenant === undefined || counter.tenant === tenant)))
        continue;
      total.hits += counter.hits;
      total.misses += counter.misses;
      total.loads += counter.loads;
    }
    return total;
  }

  /** Hits among reads, 0 to 1; 0 when nothing was read. Reads that went past the cache count as neither. */
  hitRate(by?: string | CountedBy): number {
    const { hits, misses } = this.counts(by);
    return hits + misses === 0 ? 0 : hits / (hits + misses);
  }

  #checked(by: string | CountedBy = ''): CountedBy & { prefix: string } {
    const given: CountedBy = typeof by === 'string' ? { prefix: by } : by;
    if (typeof given !== 'object' || given === null)
      throw expected('by', 'a text, or an object with `prefix`, `tag` or `tenant`', by);
    const { prefix = '', tag, tenant, ...unknown } = given;
    for (const name of Object.keys(unknown))
      throw new TypeError(`Unknown option \`${name}\` of stats; there are prefix, tag, tenant`);
    if (typeof prefix !== 'string') throw expected('prefix', 'a text', prefix);
    if (tag !== undefined && typeof tag !== 'string') throw expected('tag', 'a text', tag);
    for (const [what, asked, option] of [
      ['tag', tag !== undefined && !this.#by.tags, 'tags'],
      ['tenant', tenant !== undefined && !this.#by.tenants, 'tenants'],
    ] as const)
      if (asked)
        throw new TypeError(
          `Expected \`${what}\` to be left out, since this cache does not count by ${what}; give createCache \`stats: { ${option}: true }\``,
        );
    return { ...given, prefix };
  }

  /** The least that can be asked for: reads of a name, by a tenant, of values with one tag. */
  #part(name: string, tenant: string | number | undefined, tag: string | undefined): Part {
    const key = JSON.stringify([tag ?? 0, tenant === undefined ? 0 : [tenant], name]);
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    if (this.#parts.size >= maxParts) return this.#rest;
    const part = new Part(name, tenant, tag);
    this.#parts.set(key, part);
    return part;
  }

  /** Of all that there was no room for: it is nobody's count. */
  readonly #rest = new Part(others, undefined, undefined);
}

/** Counters by tag and tenant. Beyond, reads are counted by their name alone. */
const maxParts = 50_000;

class Part extends Counter {
  readonly tenant: string | number | undefined;
  readonly tag: string | undefined;
  constructor(name: string, tenant: string | number | undefined, tag: string | undefined) {
    super(name);
    this.tenant = tenant;
    this.tag = tag;
  }
}

/** Several counters as one. */
class Together implements Tally {
  readonly name: string;
  readonly #counters: readonly Counter[];
  constructor(name: string, counters: readonly Counter[]) {
    this.name = name;
    this.#counters = counters;
  }

  hit(): void {
    for (const counter of this.#counters) counter.hits++;
  }

  miss(): void {
    for (const counter of this.#counters) counter.misses++;
  }

  load(): void {
    for (const counter of this.#counters) counter.loads++;
  }
}

/** What a key is counted under: its first part, or what stands before the first colon. */
export function nameOf(key: unknown): string {
  const first = Array.isArray(key) ? key[0] : key;
  if (typeof first !== 'string') return '(unnamed)';
  const colon = first.indexOf(':');
  return colon > 0 ? first.slice(0, colon) : first;
}
