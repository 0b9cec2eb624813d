import { type Clock, StoreUnavailableError } from '../../src/adapter/index.js';
import type { Batch } from './batch.js';
import { unavailable } from './errors.js';
import type { Keys } from './keys.js';
import type { Node } from './node.js';
import { carryOut, type Errand, type Nodes } from './nodes.js';

/**
 * Entries on their way to Redis, many in one chunk.
 *
 * One chunk of entries at a time is on its way to a node; what comes meanwhile waits and leaves together in the next. So
 * a burst of loads is kept as fast as Redis takes it, with one place in flight, and reads find their way in between.
 * What waits is bounded, in bytes and in time.
 *
 * Nothing is tried a second time here: an entry that was not kept is a miss later. Its command may still be carried out
 * after it was given up, and does no harm then: an entry names the versions it belongs to.
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
