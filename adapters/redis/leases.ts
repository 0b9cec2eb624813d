import { type Clock, type Lease, StoreUnavailableError } from '../../src/adapter/index.js';
import type { Batch } from './batch.js';
import { unavailable } from './errors.js';
import type { Keys } from './keys.js';
import type { Node } from './node.js';
import { carryOut, type Errand, type Nodes } from './nodes.js';
import { Owners } from './owners.js';
import { evaluate, keep, release, renew } from './scripts.js';
import { randomLength, randomText } from './versions.js';

/**
 * One load at a time across processes: a key that only one can create, and that goes away by itself when its owner
 * dies.
 *
 * A lease is a courtesy to the database, not a lock: nothing depends on its being held by one process only. Still it is
 * given back by its owner alone. A release that comes late, from a process that was paused until its lease had ended,
 * must not end the lease of the next one.
 *
 * In Redis a lease lives for a second and is prolonged while its owner does, so that the others do not wait for
 * somebody whose machine is gone. Who was killed is noticed sooner: a lease names the connection that it was asked for
 * on, and who waits and finds that this one is closed gives it back in the owner's place (`owners.ts`). An owner who
 * renews it himself says how long it lives without him.
 *
 * It is given back together with the entry that its owner writes, in the same chunk and behind it: so who waits finds the
 * entry, and does not wait a trip longer. Only where there is no entry does the release go by itself.
 *
 * Who waits is woken by a message. Messages can be lost, so every wait also ends after its time.
 */
export class Leases {
  readonly #options: LeaseOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** By key: of two owners in this session the first has lost it. */
  readonly #held = new Map<string, Held>();
  /** On their way to Redis. */
  readonly #releasing = new Set<Promise<unknown>>();
  readonly #owners: Owners;
  #callOffRenewal: (() => void) | undefined;
  #closed = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#owners = new Owners(options.timeout);
  }

  /** A node is trusted from now on, maybe on a new connection. */
  meet(node: Node): void {
    this.#owners.meet(node);
  }

  async lease(key: string, ms: number): Promise<Lease | undefined> {
    const { keys, clock, batch, nodes } = this.#options;
    const name = keys.lease(key);
    const owner = randomText();
    const node = nodes.of(name);
    const id = node === undefined ? '' : this.#owners.self(node);
    const command = ['set', name, owner + id, 'PX', Math.max(1, Math.min(life, Math.ceil(ms))), 'NX'] as const;
    const reply = await batch.send({ key: name, command });
    if (reply === null) return undefined;
    if (!Buffer.isBuffer(reply)) throw unavailable(reply);
    if (this.#closed) throw new StoreUnavailableError('this session was closed');
    const held: Held = { key, name, owner, until: clock.now() + ms, isFirm: false };
    this.#held.set(key, held);
    this.#renewLater();
    return { release: () => void this.#release(held), renew: (again) => this.#prolong(held, again) };
  }

  /** From here on its owner renews it himself, and hears whether that has worked. */
  async #prolong(held: Held, ms: number): Promise<boolean> {
    const { clock, batch } = this.#options;
    if (this.#closed) throw new StoreUnavailableError('this session was closed');
    if (this.#held.get(held.key) !== held) return false;
    held.isFirm = true;
    held.until = clock.now() + ms;
    const command = evaluate(keep, [held.name], [held.owner, Math.max(1, Math.ceil(ms))]);
    const reply = await batch.send({ key: held.name, command });
    if (reply === 1) return true;
    if (reply !== 0) throw unavailable(reply);
    if (this.#held.get(held.key) === held) this.#held.delete(held.key);
    return false;
  }

  /** The command that gives back the lease of `key`, if it is held here: for whoever sends it with something else. */
  handBack(key: string): Errand | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    this.#held.delete(key);
    const { keys } = this.#options;
    return { key: held.name, command: evaluate(release, [held.name], [held.owner, keys.wake, held.key]) };
  }

  released(key: string, ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    void this.#check(key);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const wake = () => {
        callOff();
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        resolve();
      };
      const callOff = this.#options.clock.after(ms, wake);
      waiting.add(wake);
    });
  }

  /**
   * The lease may have been given back before its message could be heard. Now that it can, one look settles that. And who
   * has it may be gone: then there will be no message.
   */
  async #check(key: string): Promise<void> {
    const { keys, batch, listen, nodes } = this.#options;
    await listen();
    if (!this.#waiting.has(key)) return;
    const name = keys.lease(key);
    const reply = await batch.send({ key: name, command: ['get', name] });
    if (reply === null) return this.woken(key);
    const node = nodes.of(name);
    if (!Buffer.isBuffer(reply) || node === undefined) return;
    const held = reply.toString();
    const id = held.slice(randomLength);
    if (id === '' || !(await this.#owners.isGone(node, id)) || this.#closed) return;
    // By its whole text: an owner who lives after all, and has renewed it himself, keeps it.
    await batch.send({ key: name, command: evaluate(release, [name], [held, keys.wake, key]) });
    this.woken(key);
  }

  /** A message came: the lease of `key` was given back. */
  woken(key: string): void {
    for (const wake of [...(this.#waiting.get(key) ?? [])]) wake();
  }

  /** Gives everything back, as far as Redis can be reached. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOffRenewal?.();
    for (const key of [...this.#waiting.keys()]) this.woken(key);
    const own = [...this.#held.values()].filter((held) => !held.isFirm);
    await Promise.all([...own.map((held) => this.#release(held)), ...this.#releasing]);
  }

  async #release(held: Held): Promise<void> {
    if (this.#held.get(held.key) !== held) return;
    const sent = this.#options.batch.send(this.handBack(held.key) as Errand);
    this.#releasing.add(sent);
    await sent;
    this.#releasing.delete(sent);
  }

  #renewLater(): void {
    if (this.#callOffRenewal !== undefined || this.#closed) return;
    this.#callOffRenewal = this.#options.clock.after(life / 3, () => {
      this.#callOffRenewal = undefined;
      this.#renew();
    });
  }

  #renew(): void {
    const { nodes, clock, timeout } = this.#options;
    const now = clock.now();
    for (const [key, { until }] of this.#held) if (until <= now) this.#held.delete(key);
    if (this.#held.size === 0) return;
    const own = [...this.#held.values()].filter(({ isFirm }) => !isFirm);
    const errands = own.map(({ name, owner, until }) => ({
      key: name,
      command: evaluate(renew, [name], [owner, Math.max(1, Math.min(life, Math.ceil(until - now)))]),
    }));
    if (errands.length > 0) void carryOut(nodes, errands, timeout, clock);
    this.#renewLater();
  }
}

interface Held {
  readonly key: string;
  readonly name: string;
  /** What its text begins with; the number of the connection follows. */
  readonly owner: string;
  /** The end that its owner asked for. */
  until: number;
  /** Its owner renews it. */
  isFirm: boolean;
}

/** Milliseconds that a lease outlives its owner at most. */
const life = 1000;

export interface LeaseOptions {
  readonly nodes: Nodes;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly timeout: number;
  readonly batch: Batch;
  /** Somebody waits: resolves when messages of the wake-up channel are heard. Never rejects. */
  listen(): Promise<void>;
}
