/**
 * Names of what a cache keeps in Redis, all of them under the cache's own name:
 *
 * `<name>:e:<hash>` an entry · `<name>:t:{<tag>}` a tag's version · `<name>:w:{<tag>}` who fences the tag, in its slot ·
 * `<name>:l:{<entry>}` the lease of the load of an entry, in its slot · `<name>:epoch` the record of trust · `<name>:wake` the channel of releases ·
 * `<name>:p:{<n>}` a key to prove the tracking with.
 *
 * Entries have no hash tag of their own choosing, so they spread over all slots of a Cluster.
 */
export interface Keys {
  readonly name: string;
  readonly epoch: string;
  readonly wake: string;
  entry(hash: string): string;
  lease(hash: string): string;
  /** `escaped` is what `escapeTag` makes of a tag. */
  tag(escaped: string): string;
  owners(escaped: string): string;
  probe(n: number): string;
}

export function keysOf(cacheName: string): Keys {
  // A brace in the name would decide the slot of every key, and with it put a whole cache into one node.
  const name = cacheName.replace(/[{}]/g, encodeURIComponent);
  const entries = `${name}:e:`;
  const leases = `${name}:l:{${entries}`;
  const tags = `${name}:t:{`;
  return {
    name,
    epoch: `${name}:epoch`,
    wake: `${name}:wake`,
    entry: (hash) => entries + hash,
    lease: (hash) => `${leases}${hash}}`,
    tag: (escaped) => `${tags}${escaped || empty}}`,
    owners: (escaped) => `${name}:w:{${escaped || empty}}`,
    probe: (n) => `${name}:p:{${n}}`,
  };
}

/** The tag without characters: empty braces would not bind its keys to one slot. No escaped tag is a bare percent sign. */
const empty = '%';

/** How many keys {@link TagNames} remembers. */
const maxNames = 100_000;

/** Which tag a key stands for: Redis names the key that changed, the cache wants its tag. */
export class TagNames {
  readonly #tags = new Map<string, string>();

  note(key: string, tag: string): void {
    if (this.#tags.has(key)) return;
    // Forgetting all is rare and cheap to be right about: a key without a name is reported as a loss of everything.
    if (this.#tags.size >= maxNames) this.#tags.clear();
    this.#tags.set(key, tag);
  }

  /** Undefined: forgotten, so nobody can say which of the tags in memory has changed. */
  of(key: string): string | undefined {
    return this.#tags.get(key);
  }
}
