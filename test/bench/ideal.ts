import { LRUCache } from 'lru-cache';

/**
 * The least that a cache can do which has tags and refuses what was invalidated, written for these benchmarks: no
 * product, a floor. It has no errors, no options, no statistics and no copies.
 */
interface Cell {
  version: number;
}
interface Entry {
  readonly answer: Promise<unknown>;
  readonly until: number;
  readonly cells: readonly Cell[];
  readonly versions: readonly number[];
}

export class IdealMemory {
  readonly #entries = new LRUCache<string, Entry>({ max: 10_000 });
  readonly #cells = new Map<string, Cell>();
  readonly #flights = new Map<string, Promise<unknown>>();
  #now = Date.now();
  readonly #ticking = setInterval(() => {
    this.#now = Date.now();
  }, 10).unref();

  get(key: string, tags: readonly string[], load: () => Promise<unknown>): Promise<unknown> {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now < entry.until && holds(entry)
      ? entry.answer
      : (this.#flights.get(key) ?? this.#load(key, tags, load));
  }

  invalidate(tag: string): void {
    this.#cell(tag).version++;
  }

  close(): void {
    clearInterval(this.#ticking);
  }

  #load(key: string, tags: readonly string[], load: () => Promise<unknown>): Promise<unknown> {
    const cells = tags.map((tag) => this.#cell(tag));
    const versions = cells.map(({ version }) => version);
    const flight = load().then(
      (value) => {
        this.#flights.delete(key);
        this.#entries.set(key, { answer: Promise.resolve(value), until: this.#now + 3_600_000, cells, versions });
        return value;
      },
      (error) => {
        this.#flights.delete(key);
        throw error;
      },
    );
    this.#flights.set(key, flight);
    return flight;
  }

  #cell(tag: string): Cell {
    let cell = this.#cells.get(tag);
    if (cell === undefined) {
      cell = { version: 0 };
      this.#cells.set(tag, cell);
    }
    return cell;
  }
}

function holds({ cells, versions }: Entry): boolean {
  for (let at = 0; at < cells.length; at++) if ((cells[at] as Cell).version !== versions[at]) return false;
  return true;
}
