import { type Clock, type Lease, StoreUnavailableError } from '../../src/adapter/index.js';
import { unavailable } from './errors.js';
import type { Keys } from './keys.js';
import { carryOut, type Nodes } from './nodes.js';
import { evaluate, release } from './scripts.js';
import { randomText } from './versions.js';

/**
 * One load at a time across processes: a key that only one can create, and that goes away by itself when its owner
 * dies.
 *
 * A lease is a courtesy to the database, not a lock: nothing depends on its being held by one process only. Still it is
 * given back by its owner alone. A release that comes late, from a process that was paused until its lease had ended,
 * must not end the lease of the next one.
 *
 * Who waits is woken by a message. Messages can be lost, so every wait also ends after its time.
 */
export class Leases {
  readonly #options: LeaseOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  #closed = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  async lease(key: string, ms: number): Promise<Lease | undefined> {
    const { nodes, keys, clock, timeout } = this.#options;
    const name = keys.lease(key);
    const owner = randomText();
    const command = ['set', name, owner, 'PX', Math.max(1, Math.ceil(ms)), 'NX'] as const;
    const [reply] = await carryOut(nodes, [{ key: name, command }], timeout, clock);
    if (reply === null) return undefined;
    if (!Buffer.isBuffer(reply)) throw unavailable(reply);
    if (this.#closed) throw new StoreUnavailableError('this session was closed');
    return {
      release: () => {
        if (this.#closed) return;
        const errand = { key: name, command: evaluate(release, [name], [owner, keys.wake, key]) };
        void carryOut(nodes, [errand], timeout, clock); // never rejects; a lease that is not given back runs out
      },
    };
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

  /** The lease may have been given back before its message could be heard. Now that it can, one look settles that. */
  async #check(key: string): Promise<void> {
    const { nodes, keys, clock, timeout, listen } = this.#options;
    await listen();
    if (!this.#waiting.has(key)) return;
    const name = keys.lease(key);
    const [reply] = await carryOut(nodes, [{ key: name, command: ['exists', name] }], timeout, clock);
    if (reply === 0) this.woken(key);
  }

  /** A message came: the lease of `key` was given back. */
  woken(key: string): void {
    for (const wake of [...(this.#waiting.get(key) ?? [])]) wake();
  }

  close(): void {
    this.#closed = true;
    for (const key of [...this.#waiting.keys()]) this.woken(key);
  }
}

export interface LeaseOptions {
  readonly nodes: Nodes;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly timeout: number;
  /** Somebody waits: resolves when messages of the wake-up channel are heard. Never rejects. */
  listen(): Promise<void>;
}
