import { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { pack, unpack } from 'msgpackr';

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

interface Read {
  readonly names: readonly string[];
  resolve(found: readonly (Buffer | null)[]): void;
  reject(error: unknown): void;
}

/** The same with its values in Redis: an entry and the versions of its tags, all reads of a tick in one MGET. */
export class IdealRedis {
  readonly #redis: Redis;
  readonly #flights = new Map<string, Promise<unknown>>();
  #reads: Read[] = [];

  constructor(url: string) {
    this.#redis = new Redis(url);
  }

  get(key: string, tags: readonly string[], load: () => Promise<unknown>): Promise<unknown> {
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      flight = this.#get(key, tags, load).finally(() => this.#flights.delete(key));
      this.#flights.set(key, flight);
    }
    return flight;
  }

  invalidate(tag: string): Promise<unknown> {
    return this.#redis.incr(`ideal:t:${tag}`);
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #get(key: string, tags: readonly string[], load: () => Promise<unknown>): Promise<unknown> {
    const [entry, ...found] = await this.#read([`ideal:e:${key}`, ...tags.map((tag) => `ideal:t:${tag}`)]);
    const versions = found.map((version) => (version === null ? '' : version.toString('latin1')));
    if (entry) {
      const [value, ...from] = unpack(entry) as [unknown, ...string[]];
      if (from.every((version, at) => version === versions[at])) return value;
    }
    const value = await load();
    await this.#redis.set(`ideal:e:${key}`, pack([value, ...versions]), 'PX', 3_600_000);
    return value;
  }

  #read(names: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return new Promise((resolve, reject) => {
      if (this.#reads.push({ names, resolve, reject }) === 1) process.nextTick(() => this.#flush());
    });
  }

  #flush(): void {
    const reads = this.#reads;
    this.#reads = [];
    const places = new Map<string, number>();
    for (const { names } of reads) for (const name of names) if (!places.has(name)) places.set(name, places.size);
    this.#redis.mgetBuffer(...places.keys()).then(
      (values) => {
        for (const { names, resolve } of reads)
          resolve(names.map((name) => values[places.get(name) as number] as Buffer | null));
      },
      (error) => {
        for (const { reject } of reads) reject(error);
      },
    );
  }
}
