import { type Clock, escapeTag, StoreUnavailableError, type Version } from '../../src/adapter/index.js';
import type { Batch } from './batch.js';
import type { Command } from './client.js';
import { unavailable } from './errors.js';
import type { Keys } from './keys.js';
import type { Node } from './node.js';
import { carryOut, type Errand, type Nodes } from './nodes.js';
import { evaluate, lift, nobody } from './scripts.js';
import { freshVersion, randomText, tagTtl } from './versions.js';

/**
 * What is changed in Redis: entries, many in one chunk, and versions, one script for each tag.
 *
 * One chunk of entries at a time is on its way to a node; what comes meanwhile waits and leaves together in the next. So
 * a burst of loads is kept as fast as Redis takes it, with one place in flight, and reads find their way in between.
 * What waits is bounded, in bytes and in time.
 *
 * Nothing is tried a second time here. An entry that was not kept is a miss later; a raise that failed is kept by the
 * cache, which tries it again when the store is up. Each command may still be carried out after it was given up, and
 * none does harm then: an entry names the versions it belongs to, and a version is never older, only different.
 */
export class Writes {
  readonly #options: WriteOptions;
  /** What waits for a node, for as long as something is on its way to it. */
  readonly #lines = new Map<Node | undefined, Pending[]>();
  #bytes = 0;

  constructor(options: WriteOptions) {
    this.#options = options;
  }

  write(key: string, bytes: Uint8Array, ms: number): Promise<void> {
    const { maxEntryBytes, maxQueuedBytes, keys, clock, timeout } = this.#options;
    if (bytes.length > maxEntryBytes)
      return Promise.reject(
        new StoreUnavailableError(`an entry of ${bytes.length} bytes is larger than \`maxEntryBytes\``),
      );
    // Redis is slower than the loads. What they bring is better dropped than piled up.
    if (this.#bytes + bytes.length > maxQueuedBytes)
      return Promise.reject(new StoreUnavailableError(`${this.#bytes} bytes are on their way to it already`));
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const name = keys.entry(key);
    this.#bytes += bytes.length;
    return new Promise((resolve, reject) => {
      this.#lineFor(name).push({
        key,
        errand: { key: name, command: ['set', name, buffer, 'PX', Math.max(1, Math.ceil(ms))] },
        bytes: bytes.length,
        until: clock.now() + patience * timeout,
        settle: (error) => {
          this.#bytes -= bytes.length;
          if (error) reject(error);
          else resolve();
        },
      });
    });
  }

  remove(key: string): void {
    const name = this.#options.keys.entry(key);
    void this.#options.batch.send({ key: name, command: ['unlink', name] });
  }

  async raise(tags: readonly string[], timeout: number): Promise<readonly Version[]> {
    const { keys, clock } = this.#options;
    const end = clock.now() + timeout;
    const versions = new Map<string, Version>();
    const unique = [...new Set(tags)];
    // In portions: thousands of scripts in one chunk would keep the server from everybody else for milliseconds.
    for (let from = 0; from < unique.length; from += portion) {
      const left = from === 0 ? timeout : end - clock.now();
      if (left <= 0) throw new StoreUnavailableError(`no answer within ${timeout} ms`);
      const some = unique.slice(from, from + portion);
      const names = some.map((tag) => escapeTag(tag));
      const raised = await this.#lift(
        names.map((name) => [keys.tag(name), keys.owners(name)]),
        left,
      );
      for (let i = 0; i < some.length; i++) versions.set(some[i] as string, raised[i] as Version);
    }
    return tags.map((tag) => versions.get(tag) as Version);
  }

  async #lift(tags: readonly Keyed[], timeout: number): Promise<Version[]> {
    const { nodes, clock } = this.#options;
    const began = clock.now();
    const left = () => Math.max(1, timeout - (clock.now() - began));
    const errands = tags.map(([tag, owners]): Errand => {
      return { key: tag, command: evaluate(lift, [tag, owners], [nobody, randomText(), tagTtl]) };
    });
    const replies = await carryOut(nodes, errands, timeout, clock);
    return Promise.all(
      replies.map((reply, i) => {
        if (Buffer.isBuffer(reply)) return reply.toString('latin1');
        if (says(reply, 'OOM')) return this.#forget(tags[i] as Keyed, left());
        if (says(reply, 'TRYAGAIN')) return this.#replace(tags[i] as Keyed, left());
        throw unavailable(reply);
      }),
    );
  }

  /**
   * A server that is full still forgets. A tag without a version gets a new one when it is read, so this ends whatever
   * the old one held, and frees a little.
   */
  async #forget([tag]: Keyed, timeout: number): Promise<Version> {
    const { nodes, clock } = this.#options;
    const [reply] = await carryOut(nodes, [{ key: tag, command: ['unlink', tag] }], timeout, clock);
    if (typeof reply !== 'number') throw unavailable(reply);
    return freshVersion(); // one that the tag will never have: whoever keeps it finds it replaced
  }

  /**
   * While a slot moves from node to node, a script may be refused for as long as that takes, because one of its keys
   * has moved and the other, which nobody has, cannot. One key at a time always works. Between the two steps nobody can
   * fence the tag: that would be a script on the same two keys.
   */
  async #replace([tag, owners]: Keyed, timeout: number): Promise<Version> {
    const { nodes, clock } = this.#options;
    const [owned] = await carryOut(nodes, [{ key: owners, command: ['exists', owners] }], timeout, clock);
    if (typeof owned !== 'number') throw unavailable(owned);
    const version = owned > 0 ? `f${randomText()}` : freshVersion();
    const command: Command = owned > 0 ? ['set', tag, version] : ['set', tag, version, 'PX', tagTtl];
    const [reply] = await carryOut(nodes, [{ key: tag, command }], timeout, clock);
    if (!Buffer.isBuffer(reply)) throw unavailable(reply);
    return version;
  }

  /** Where an entry waits for the node that its key lies on. */
  #lineFor(name: string): Pending[] {
    const node = this.#options.nodes.of(name);
    const known = this.#lines.get(node);
    if (known !== undefined) return known;
    const line: Pending[] = [];
    this.#lines.set(node, line);
    process.nextTick(async () => {
      while (line.length > 0) await this.#sendSome(line);
      this.#lines.delete(node);
    });
    return line;
  }

  /** Sends what stands first, as much as makes a chunk. Never rejects. */
  async #sendSome(line: Pending[]): Promise<void> {
    const { nodes, clock, timeout, handBack } = this.#options;
    const now = clock.now();
    const errands: Errand[] = [];
    const places: number[] = [];
    const some = line.splice(0, chunkOf(line));
    for (const { key, errand, until } of some) {
      if (until <= now) {
        places.push(-1);
        continue;
      }
      places.push(errands.length);
      errands.push(errand);
      const release = handBack(key);
      if (release !== undefined) errands.push(release);
    }
    const replies = errands.length > 0 ? await carryOut(nodes, errands, timeout, clock) : [];
    some.forEach(({ settle }, i) => {
      const place = places[i] as number;
      const reply = place < 0 ? new StoreUnavailableError('it is slower than the loads') : replies[place];
      settle(reply instanceof Error ? unavailable(reply) : undefined);
    });
  }
}

export interface WriteOptions {
  readonly nodes: Nodes;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly timeout: number;
  readonly batch: Batch;
  readonly maxEntryBytes: number;
  /** Of entries that were handed over and not confirmed. */
  readonly maxQueuedBytes: number;
  /** What gives back the lease of a key that has one here. */
  handBack(key: string): Errand | undefined;
}

/** An entry that waits for its turn. */
interface Pending {
  readonly key: string;
  readonly errand: Errand;
  readonly bytes: number;
  /** From then on it is not sent any more. */
  readonly until: number;
  settle(error: Error | undefined): void;
}

/** How many of those who stand first go together; a large one goes alone. */
function chunkOf(line: readonly Pending[]): number {
  let bytes = 0;
  let count = 0;
  for (const pending of line) {
    bytes += pending.bytes;
    if (count > 0 && (bytes > chunkBytes || count >= chunkEntries)) break;
    count++;
  }
  return count;
}

/** A chunk: what a server takes in a few milliseconds. */
const chunkBytes = 1024 * 1024;
const chunkEntries = 1000;
/** Time-outs that an entry waits for its turn. */
const patience = 20;

const portion = 256;

type Keyed = readonly [tag: string, owners: string];

/** Older servers put the error of a command into the message of the script's. */
function says(reply: unknown, code: string): boolean {
  return reply instanceof Error && new RegExp(`\\b${code}\\b`).test(reply.message);
}
