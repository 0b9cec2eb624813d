import { type Clock, escapeTag, StoreUnavailableError, type Version } from '../../src/adapter/index.js';
import type { Command, Reply } from './client.js';
import { unavailable } from './errors.js';
import type { Keys } from './keys.js';
import { carryOut, type Errand, type Nodes } from './nodes.js';
import { evaluate, expired, fence, forget, lift, nobody, type Script } from './scripts.js';
import { freshVersion, randomText, tagTtl } from './versions.js';

/**
 * Versions on their way to Redis: what gives tags new ones, and what fences tags, one script for each of them.
 *
 * A raise is tried once: one that failed is kept by the cache, which tries it again when the store is up. Each command
 * may still be carried out after it was given up. Of a raise that does no harm, since a version is never older, only
 * different. A late fence would: so whoever could not place all of a fence lets go of it behind its back, on the same
 * connections, and where even that does not arrive, the fence has an owner whose time runs out.
 */
export class Raises {
  readonly #options: RaiseOptions;

  constructor(options: RaiseOptions) {
    this.#options = options;
  }

  async raise(tags: readonly string[], timeout: number, owner = nobody): Promise<readonly Version[]> {
    const unique = [...new Set(tags)];
    const raised = await this.#inPortions(unique, timeout, (some, left) => this.#lift(some, owner, left));
    const versions = new Map(unique.map((tag, i) => [tag, raised[i] as Version]));
    return tags.map((tag) => versions.get(tag) as Version);
  }

  async fence(tags: readonly string[], owner: string, ms: number, timeout: number): Promise<void> {
    const unique = [...new Set(tags)];
    try {
      await this.#inPortions(unique, timeout, (some, left) => this.#place(some, owner, ms, left));
    } catch (error) {
      this.raise(unique, this.#options.timeout, owner).catch(() => {});
      throw error;
    }
  }

  async expired(tags: readonly string[]): Promise<readonly (readonly string[])[]> {
    const { timeout } = this.#options;
    const replies = await this.#inPortions(tags, timeout, (some, left) => {
      return this.#evaluate(expired, some, () => [], left);
    });
    return replies.map((reply) => {
      if (!Array.isArray(reply)) throw unavailable(reply);
      return (reply as Reply[]).map(String);
    });
  }

  /** Thousands of scripts in one chunk would keep the server from everybody else for milliseconds. */
  async #inPortions<T>(
    tags: readonly string[],
    timeout: number,
    send: (some: readonly Keyed[], left: number) => Promise<readonly T[]>,
  ): Promise<T[]> {
    const { keys, clock } = this.#options;
    const end = clock.now() + timeout;
    const all: T[] = [];
    for (let from = 0; from < tags.length; from += portion) {
      const left = from === 0 ? timeout : end - clock.now();
      if (left <= 0) throw new StoreUnavailableError(`no answer within ${timeout} ms`);
      const names = tags.slice(from, from + portion).map((tag) => escapeTag(tag));
      const some = names.map((name): Keyed => [keys.tag(name), keys.owners(name)]);
      all.push(...(await send(some, left)));
    }
    return all;
  }

  #evaluate(
    script: Script,
    tags: readonly Keyed[],
    args: () => readonly (string | number)[],
    timeout: number,
  ): Promise<Reply[]> {
    const { nodes, clock } = this.#options;
    const errands = tags.map((keyed): Errand => ({ key: keyed[0], command: evaluate(script, keyed, args()) }));
    return carryOut(nodes, errands, timeout, clock);
  }

  async #lift(tags: readonly Keyed[], owner: string, timeout: number): Promise<Version[]> {
    const { clock } = this.#options;
    const end = clock.now() + timeout;
    const left = () => Math.max(1, end - clock.now());
    const replies = await this.#evaluate(lift, tags, () => [owner, randomText(), tagTtl], timeout);
    return Promise.all(
      replies.map((reply, i) => {
        if (Buffer.isBuffer(reply)) return reply.toString('latin1');
        if (says(reply, 'OOM')) return this.#forget(tags[i] as Keyed, owner, left());
        if (isApart(reply)) return this.#replace(tags[i] as Keyed, owner, left());
        throw unavailable(reply);
      }),
    );
  }

  /**
   * A server that is full still forgets. A tag without a version gets a new one when it is read, so this ends whatever
   * the old one held, and frees a little. One that is fenced holds nothing that could be ended.
   */
  async #forget(tag: Keyed, owner: string, timeout: number): Promise<Version> {
    const [reply] = await this.#evaluate(forget, [tag], () => [owner], timeout);
    if (Buffer.isBuffer(reply)) return reply.toString('latin1');
    if (reply !== null) throw unavailable(reply);
    return freshVersion(); // one that the tag will never have: whoever keeps it finds it replaced
  }

  /**
   * While a slot moves from node to node, a script may be refused for as long as that takes, because one of its keys
   * has moved and the other, which nobody has, cannot; or it is broken off where it has just removed the last owner.
   * One key at a time always works.
   *
   * Between two steps the slot may have arrived, and somebody may have fenced the tag. So where tags are fenced at all,
   * what is set is a fenced version: it holds for nobody whoever owns the tag, and if nobody does, the first who meets
   * it finds that out and raises it.
   */
  async #replace([tag, owners]: Keyed, owner: string, timeout: number): Promise<Version> {
    const { nodes, clock, strict } = this.#options;
    const version = strict ? `f${randomText()}` : freshVersion();
    const set: Command = strict ? ['set', tag, version] : ['set', tag, version, 'PX', tagTtl];
    const errands: Errand[] = [{ key: tag, command: set }];
    if (owner !== nobody) errands.unshift({ key: owners, command: ['zrem', owners, owner] });
    const replies = await carryOut(nodes, errands, timeout, clock);
    for (const reply of replies) if (reply instanceof Error) throw unavailable(reply);
    return version;
  }

  /** All of them, or a rejection. A fence is never put together from single steps: a raise could come in between. */
  async #place(tags: readonly Keyed[], owner: string, ms: number, timeout: number): Promise<readonly never[]> {
    const { clock } = this.#options;
    const end = clock.now() + timeout;
    const lease = Math.ceil(ms);
    for (let open = tags; open.length > 0; ) {
      const left = end - clock.now();
      if (left <= 0) throw new StoreUnavailableError('slots of the cluster are changing hands');
      const replies = await this.#evaluate(fence, open, () => [owner, lease, randomText()], left);
      for (const reply of replies) if (reply !== 1 && !isMoving(reply)) throw unavailable(reply);
      open = open.filter((_, i) => replies[i] !== 1);
      if (open.length > 0) await new Promise<void>((resolve) => clock.after(moment, resolve));
    }
    return [];
  }
}

export interface RaiseOptions {
  readonly nodes: Nodes;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly timeout: number;
  /** Whether tags are fenced at all. */
  readonly strict: boolean;
}

const portion = 256;
/** Milliseconds to wait for a slot that is on its way. */
const moment = 20;

type Keyed = readonly [tag: string, owners: string];

function isMoving(reply: unknown): boolean {
  return isApart(reply) || says(reply, 'MOVED') || says(reply, 'ASK');
}

/** Its keys are on two nodes, now or since the script began. */
function isApart(reply: unknown): boolean {
  return says(reply, 'TRYAGAIN') || says(reply, 'non local key');
}

/** Older servers put the error of a command into the message of the script's. */
function says(reply: unknown, code: string): boolean {
  return reply instanceof Error && new RegExp(`\\b${code}\\b`).test(reply.message);
}
