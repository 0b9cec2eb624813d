import type { Parts } from '../../core/parts.js';
import { hashKey } from '../../values/index.js';

/**
 * What processes tell each other about a warmer, through the store: when its last cycle began and whether it has ended, so
 * that who takes over keeps the rhythm; which keys it keeps warm, so that the others know what to watch for; and who of
 * them has seen a read. Times are those of the store, or of the calendar for `cron`.
 *
 * All of this is advice. What is lost or late makes a cycle come early, or a value end by age that somebody still reads.
 * Without a store there is nobody to tell.
 */
export interface Cycle {
  /** Who ran it. */
  readonly owner: string;
  /** When it began. */
  readonly began: number;
  /** The time of its schedule that it was for. */
  readonly fire: number | undefined;
  readonly ended: boolean;
  readonly keys: readonly string[];
}

export class Record {
  readonly #parts: Parts;
  readonly #name: string;
  readonly #lasts: number;

  /** @param lasts - milliseconds for which what is told is remembered */
  constructor(parts: Parts, name: string, lasts: number) {
    this.#parts = parts;
    this.#name = name;
    this.#lasts = Math.min(longest, lasts);
  }

  /** The name of the lease in the store. */
  get leaseKey(): string {
    return this.#hash('lease');
  }

  /** The last cycle that anybody began. */
  async last(): Promise<Cycle | undefined> {
    const bytes = await this.#read(this.#hash('cycle'));
    if (bytes === undefined) return undefined;
    try {
      const { owner, began, fire, ended, keys } = JSON.parse(Buffer.from(bytes).toString());
      const isCycle =
        typeof owner === 'string' &&
        typeof began === 'number' &&
        (fire === undefined || typeof fire === 'number') &&
        typeof ended === 'boolean' &&
        Array.isArray(keys) &&
        keys.every((key) => typeof key === 'string');
      return isCycle ? { owner, began, fire, ended, keys } : undefined;
    } catch {
      return undefined;
    }
  }

  async tell(cycle: Cycle): Promise<void> {
    // Beyond what an entry may hold, nobody else watches for reads.
    let room = this.#parts.session.maxEntryBytes / 2;
    const keys = cycle.keys.filter((key) => {
      room -= Buffer.byteLength(key) + 16;
      return room > 0;
    });
    await this.#write(this.#hash('cycle'), Buffer.from(JSON.stringify({ ...cycle, keys })));
  }

  /** Somebody here has read the entry of `key`. */
  async tellRead(key: string): Promise<void> {
    const now = Buffer.alloc(8);
    now.writeDoubleLE(this.#parts.session.now());
    await this.#write(this.#hash('read', key), now);
  }

  /** When somebody has last told of a read of `key`. */
  async toldRead(key: string): Promise<number> {
    const bytes = await this.#read(this.#hash('read', key));
    return bytes?.byteLength === 8 ? Buffer.from(bytes).readDoubleLE() : Number.NEGATIVE_INFINITY;
  }

  #hash(what: string, key = ''): string {
    // No text of a key starts with a quote and a `w`.
    return hashKey(`"w${what}:${this.#name.length}:${this.#name}${key}`);
  }

  async #read(hash: string): Promise<Uint8Array | undefined> {
    if (!this.#parts.shared) return undefined;
    return this.#parts.session.read(hash, []).then(
      ({ entry }) => entry,
      () => undefined,
    );
  }

  async #write(hash: string, bytes: Uint8Array): Promise<void> {
    if (this.#parts.shared && !this.#parts.closed)
      await this.#parts.session.write(hash, bytes, this.#lasts).catch(() => undefined);
  }
}

/** The store forgets what nobody wrote for so long. Milliseconds: 30 days. */
const longest = 30 * 86_400_000;
