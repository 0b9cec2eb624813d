import { escapeTag, type StoreRead, StoreUnavailableError } from '../../src/adapter/index.js';
import type { Value } from './client.js';
import { type CreateOptions, createVersions } from './create.js';
import { unavailable } from './errors.js';
import type { Keys } from './keys.js';
import { mget } from './mget.js';
import type { Node } from './node.js';
import { carryOut, type Errand } from './nodes.js';

/**
 * All reads of a tick in one round trip.
 *
 * Reads are collected until the tick ends, then each key is asked for once: by one MGET on a single server, by GETs in
 * one chunk for each node of a Cluster, where MGET must not touch two slots. Once something is written nothing is added
 * to it: a read that joined a question on its way could get an answer from before its own beginning, and with it a
 * version that was replaced, and confirmed to be replaced, before it began.
 *
 * A tag without a version gets one (`create.ts`), in a second round trip: so
 * a tag that was evicted or flushed comes back with a version that never existed, and no entry holds under it.
 */
export class Reads {
  readonly #options: ReadOptions;
  #batch: Batch | undefined;
  /** Running average of what an entry has, in bytes. */
  #entryBytes = 512;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  read(key: string | undefined, tags: readonly string[]): Promise<StoreRead> {
    this.#batch ??= this.#begin();
    const { entries, tags: known, asks } = this.#batch;
    const at = new Array<number>(tags.length);
    for (let i = 0; i < at.length; i++) at[i] = place(known, tags[i] as string);
    const entry = key === undefined ? -1 : place(entries, key);
    return new Promise((resolve, reject) => asks.push({ entry, at, resolve, reject }));
  }

  #begin(): Batch {
    const batch: Batch = { entries: new Map(), tags: new Map(), asks: [] };
    process.nextTick(() => {
      this.#batch = undefined;
      this.#carry(batch).catch((error) => {
        for (const { reject } of batch.asks) reject(error);
      });
    });
    return batch;
  }

  async #carry({ entries, tags, asks }: Batch): Promise<void> {
    const { clock, keys, timeout, watch } = this.#options;
    const epoch = this.#options.epoch();
    if (epoch === undefined) throw new StoreUnavailableError(this.#options.why());
    const sentAt = clock.now();
    const wanted: string[] = [];
    for (const hash of entries.keys()) wanted.push(keys.entry(hash));
    for (const tag of tags.keys()) {
      const name = keys.tag(escapeTag(tag));
      watch?.note(name, tag);
      wanted.push(name);
    }
    const first = entries.size;
    const found = await this.#fetch(wanted, first, timeout);
    await this.#create(found, tags.keys(), first, timeout);
    // A loss was noticed between the question and the answer: nobody can say to which of the two epochs it belongs.
    if (this.#options.epoch() !== epoch) throw new StoreUnavailableError('its epoch has just changed');
    const { values, watched } = found;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (!Buffer.isBuffer(value)) continue;
      if (i < first) this.#entryBytes += (value.length - this.#entryBytes) / 16;
      else values[i] = value.toString('latin1');
    }
    for (const ask of asks) answer(ask, { values, watched, first, epoch, sentAt });
  }

  async #fetch(keys: readonly string[], first: number, timeout: number): Promise<Found> {
    const { watch, clock } = this.#options;
    if (watch === undefined) return { values: await this.#ask(keys, first, timeout), watched: undefined };
    const end = clock.now() + timeout;
    const found: Found = { values: new Array(keys.length), watched: new Set() };
    // Tags on the connection that reports their changes, entries beside it on the ordinary one: two commands, but the
    // time of one.
    const ordinary: number[] = [];
    const tracked = new Map<Tracker, number[]>();
    for (let i = 0; i < keys.length; i++) {
      const tracker = i < first ? undefined : watch.trackerOf(keys[i] as string);
      const lane = tracker === undefined ? ordinary : tracked.get(tracker);
      if (lane) lane.push(i);
      else tracked.set(tracker as Tracker, [i]);
    }
    const put = (lane: readonly number[], values: readonly Value[], watched: boolean) => {
      for (let n = 0; n < lane.length; n++) {
        const i = lane[n] as number;
        found.values[i] = values[n] as Value;
        if (watched) found.watched?.add(i);
      }
    };
    const names = (lane: readonly number[]) => lane.map((i) => keys[i] as string);
    const lanes = [...tracked].map(async ([tracker, lane]) => {
      const values = await tracker.get(names(lane), timeout);
      if (!values.some((value) => value instanceof Error)) return put(lane, values, true);
      // MOVED, or a pair that was just lost. The ordinary connection may still answer; it just watches nothing. If the
      // whole server hangs it does not, and nobody waits for it as long again.
      put(lane, await this.#ask(names(lane), 0, Math.max(timeout / 10, end - clock.now())), false);
    });
    const entries = ordinary.filter((i) => i < first).length;
    const rest = this.#ask(names(ordinary), entries, timeout).then((values) => put(ordinary, values, false));
    await Promise.all([...lanes, rest]);
    return found;
  }

  /** The values of `keys`, of which the first `entries` are those of entries; errors are values. */
  async #ask(keys: readonly string[], entries: number, timeout: number): Promise<Value[]> {
    const { nodes, clock, strict, keys: own } = this.#options;
    if (keys.length === 0) return [];
    if (nodes.cluster) {
      const errands = keys.map((key): Errand => ({ key, command: ['get', key] }));
      return (await carryOut(nodes, errands, timeout, clock)) as Value[];
    }
    const bytesOf = (n: number) => (n < entries ? this.#entryBytes : versionBytes);
    const witness = strict ? { key: own.epoch, epoch: this.#options.epoch() } : undefined;
    // The one node of a single server.
    return mget(nodes.all()[0] as Node, keys, bytesOf, timeout, witness);
  }

  /** Gives versions to the tags that have none. */
  async #create({ values, watched }: Found, tags: Iterable<string>, first: number, timeout: number): Promise<void> {
    const missing: number[] = [];
    for (let i = first; i < values.length; i++) if (values[i] === null) missing.push(i);
    if (missing.length === 0) return;
    const { keys, watch } = this.#options;
    const names = [...tags].map((tag) => escapeTag(tag));
    const unseen = missing.map((i) => {
      const name = names[i - first] as string;
      return { tag: keys.tag(name), owners: keys.owners(name) };
    });
    const versions = await createVersions(this.#options, unseen, timeout);
    missing.forEach((i, n) => {
      values[i] = versions[n] as Value;
    });
    // The SET has told the tracker that the tag changed, and used up its watch. Only another GET sets it again.
    if (watch) for (const i of missing) watched?.delete(i);
  }
}

export interface ReadOptions extends CreateOptions {
  readonly keys: Keys;
  readonly timeout: number;
  epoch(): string | undefined;
  /** Why there is no epoch. */
  why(): string;
  /** Undefined at `maxStale` 0. */
  readonly watch: Watcher | undefined;
}

/** Where tags are read so that their changes are reported. */
export interface Watcher {
  note(key: string, tag: string): void;
  /** Undefined: the key's node is not watched at the moment. */
  trackerOf(key: string): Tracker | undefined;
}

export interface Tracker {
  /** Never rejects: an error is a value. */
  get(keys: readonly string[], timeout: number): Promise<Value[]>;
}

const versionBytes = 24;

interface Batch {
  readonly entries: Map<string, number>;
  readonly tags: Map<string, number>;
  readonly asks: Ask[];
}

interface Ask {
  /** Index of the entry, or -1. */
  readonly entry: number;
  readonly at: readonly number[];
  resolve(read: StoreRead): void;
  reject(error: Error): void;
}

interface Found {
  readonly values: Value[];
  /** Indexes of the values whose changes are going to be reported; undefined: of none. */
  readonly watched: Set<number> | undefined;
}

function place(among: Map<string, number>, name: string): number {
  let index = among.get(name);
  if (index === undefined) {
    index = among.size;
    among.set(name, index);
  }
  return index;
}

function answer(
  ask: Ask,
  { values, watched, first, epoch, sentAt }: Found & { first: number; epoch: string; sentAt: number },
) {
  const entry = ask.entry < 0 ? null : values[ask.entry];
  const versions = new Array<string>(ask.at.length);
  let isWatched = watched !== undefined;
  for (let i = 0; i < versions.length; i++) {
    const at = first + (ask.at[i] as number);
    const version = values[at];
    if (typeof version !== 'string') return ask.reject(unavailable(version));
    versions[i] = version;
    if (isWatched && !watched?.has(at)) isWatched = false;
  }
  if (entry instanceof Error) return ask.reject(unavailable(entry));
  ask.resolve({ entry: (entry as Buffer | null) ?? undefined, versions, epoch, sentAt, watched: isWatched });
}
