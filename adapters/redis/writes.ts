import { type Clock, escapeTag, StoreUnavailableError, type Version } from '../../src/adapter/index.js';
import type { Command } from './client.js';
import { unavailable } from './errors.js';
import type { Keys } from './keys.js';
import { carryOut, type Errand, type Nodes } from './nodes.js';
import { evaluate, lift, nobody } from './scripts.js';
import { freshVersion, randomText, tagTtl } from './versions.js';

/**
 * What is changed in Redis: entries, all of a tick in one chunk, and versions, one script for each tag.
 *
 * Nothing is tried a second time here. An entry that was not kept is a miss later; a raise that failed is kept by the
 * cache, which tries it again when the store is up. Each command may still be carried out after it was given up, and
 * none does harm then: an entry names the versions it belongs to, and a version is never older, only different.
 */
export class Writes {
  readonly #options: WriteOptions;
  #pending: Pending[] | undefined;
  #bytes = 0;

  constructor(options: WriteOptions) {
    this.#options = options;
  }

  write(key: string, bytes: Uint8Array, ms: number): Promise<void> {
    const { maxEntryBytes, maxQueuedBytes, keys } = this.#options;
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
      this.#queue({
        errand: { key: name, command: ['set', name, buffer, 'PX', Math.max(1, Math.ceil(ms))] },
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
    this.#queue({ errand: { key: name, command: ['unlink', name] }, settle() {} });
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

  #queue(pending: Pending): void {
    if (this.#pending) return void this.#pending.push(pending);
    const batch = [pending];
    this.#pending = batch;
    process.nextTick(async () => {
      this.#pending = undefined;
      const { nodes, clock, timeout } = this.#options;
      const replies = await carryOut(
        nodes,
        batch.map(({ errand }) => errand),
        timeout,
        clock,
      );
      batch.forEach(({ settle }, i) => {
        const reply = replies[i];
        settle(reply instanceof Error ? unavailable(reply) : undefined);
      });
    });
  }
}

export interface WriteOptions {
  readonly nodes: Nodes;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly timeout: number;
  readonly maxEntryBytes: number;
  /** Of entries that were sent and not confirmed. */
  readonly maxQueuedBytes: number;
}

interface Pending {
  readonly errand: Errand;
  settle(error: Error | undefined): void;
}

const portion = 256;

type Keyed = readonly [tag: string, owners: string];

/** Older servers put the error of a command into the message of the script's. */
function says(reply: unknown, code: string): boolean {
  return reply instanceof Error && new RegExp(`\\b${code}\\b`).test(reply.message);
}
