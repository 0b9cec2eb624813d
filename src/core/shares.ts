/** What one tenant has in memory. */
interface Held {
  entries: number;
  bytes: number;
}

/** Which tenant has how much of this process's memory, and whether that is more than its share. */
export class Shares {
  readonly #limit: Held;
  readonly #held = new Map<string | number, Held>();
  /** Those who have more than their share. */
  readonly #over = new Set<string | number>();

  constructor(memory: { maxEntries: number; maxBytes: number; tenantShare: number }) {
    this.#limit = {
      entries: Math.max(1, Math.floor(memory.maxEntries * memory.tenantShare)),
      bytes: Math.max(1, Math.floor(memory.maxBytes * memory.tenantShare)),
    };
  }

  add(tenant: string | number, bytes: number): void {
    const held = this.#held.get(tenant) ?? { entries: 0, bytes: 0 };
    held.entries++;
    held.bytes += bytes;
    this.#held.set(tenant, held);
    if (this.#isOver(held)) this.#over.add(tenant);
  }

  remove(tenant: string | number, bytes: number): void {
    const held = this.#held.get(tenant);
    if (held === undefined) return;
    held.entries--;
    held.bytes -= bytes;
    if (!this.#isOver(held)) this.#over.delete(tenant);
    if (held.entries === 0) this.#held.delete(tenant);
  }

  /** Whoever must give something up before `tenant` gets another entry of `bytes`; undefined when nobody must. */
  shedding(tenant: string | number | undefined, bytes: number): Shedding | undefined {
    const held = new Map<string | number, Held>();
    for (const one of this.#over) held.set(one, { ...(this.#held.get(one) as Held) });
    const own = tenant === undefined ? undefined : this.#held.get(tenant);
    if (
      tenant !== undefined &&
      own !== undefined &&
      this.#isOver({ entries: own.entries + 1, bytes: own.bytes + bytes })
    )
      held.set(tenant, { ...own });
    return held.size === 0 ? undefined : new Shedding(held, this.#limit);
  }

  #isOver({ entries, bytes }: Held): boolean {
    return entries > this.#limit.entries || bytes > this.#limit.bytes;
  }
}

/** Which entries go, asked from the least recently used on. */
export class Shedding {
  readonly #held: Map<string | number, Held>;
  readonly #most: Held;

  constructor(held: Map<string | number, Held>, limit: Held) {
    this.#held = held;
    // A little below the share, so that the next writes need not look again.
    this.#most = {
      entries: limit.entries - Math.max(1, Math.floor(limit.entries / slack)),
      bytes: limit.bytes - Math.max(1, Math.floor(limit.bytes / slack)),
    };
  }

  /** Whether this entry goes. */
  takes(tenant: string | number | undefined, bytes: number): boolean {
    const held = tenant === undefined ? undefined : this.#held.get(tenant);
    if (held === undefined || (held.entries <= this.#most.entries && held.bytes <= this.#most.bytes)) return false;
    held.entries--;
    held.bytes -= bytes;
    return true;
  }
}

/** This part of a share is given up at once. */
const slack = 16;
