import { LRUCache } from 'lru-cache';
import type { Entry } from './entry.js';

/** So many times in a row a value may be stored and invalidated without a single hit. */
const patience = 100;
/** Then it is not stored for this long. Milliseconds. */
const rest = 10_000;
/** Keys that are watched. */
const maxKeys = 10_000;

interface Waste {
  times: number;
  restsUntil: number;
}

/**
 * Keys that are stored in vain: written more often than read. Each fill of such a key costs an encoding and a command
 * and saves nothing, so after a while it stops for a while.
 */
export class Churn {
  /** Made when the first key is watched: room for all of them is allocated at once. */
  #waste: LRUCache<string, Waste> | undefined;

  /** Why a value is not worth storing at the moment. `replaced` is the entry that it takes the place of. */
  reasonToRest(key: string, replaced: Entry | undefined, now: number): string | undefined {
    const known = this.#waste?.get(key);
    if (known !== undefined && now < known.restsUntil)
      return `it was invalidated ${patience} times in a row without a hit`;
    if (replaced === undefined) return undefined;
    if (replaced.wasUsed) this.#waste?.delete(key);
    else if (known === undefined) this.#watch(key);
    else if (++known.times >= patience) {
      known.times = 0;
      known.restsUntil = now + rest;
    }
    return undefined;
  }

  #watch(key: string): void {
    this.#waste ??= new LRUCache({ max: maxKeys });
    this.#waste.set(key, { times: 1, restsUntil: 0 });
  }
}
