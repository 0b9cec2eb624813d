import type { Clients } from './clients.js';
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import { notConnected } from './not-connected.js';
import { warnOnce } from './warn.js';

/**
 * Strict, after a store may have lost something: a fence may be among it, and behind that fence a transaction that is
 * still going to commit. Nobody can tell which tags it would have shut. So in a new epoch, also in the first that this
 * process sees, nothing counts until every database has said that no transaction is left that was open when the epoch had
 * begun. Whatever is fenced after that is fenced in this epoch, and seen.
 */
export class Quarantine {
  readonly #clock: Clock;
  readonly #clients: Clients;
  readonly #events: Events;
  readonly #name: string;
  /** The epoch that nothing from before is to be feared in; for the clients of that moment. */
  #over: string | undefined;
  /** The one that is being asked about. */
  #asked: string | undefined;
  #clientsAsked = 0;
  /** Grows with each question: an answer to an older one says nothing. */
  #questions = 0;
  /** Why a database did not answer the last time. */
  #said: string | undefined;
  #stop = () => {};

  constructor(parts: { name: string; clock: Clock; clients: Clients; events: Events }) {
    this.#name = parts.name;
    this.#clock = parts.clock;
    this.#clients = parts.clients;
    this.#events = parts.events;
  }

  /** Whether what is read in this epoch counts. If it does not yet, the databases are asked. */
  isOver(epoch: string): boolean {
    // Of a client that is new, nobody knows what its database has under way.
    if (epoch !== this.#asked || this.#clients.generation !== this.#clientsAsked) this.#ask(epoch);
    return epoch === this.#over;
  }

  close(): void {
    this.#questions++;
    this.#stop();
  }

  #ask(epoch: string): void {
    this.#over = undefined;
    this.#asked = epoch;
    this.#clientsAsked = this.#clients.generation;
    const question = ++this.#questions;
    this.#stop();
    const quiet = this.#clients.quiet();
    if (quiet === undefined) this.#over = epoch;
    else void this.#await(epoch, quiet, question);
  }

  async #await(epoch: string, quiet: Promise<void>, question: number): Promise<void> {
    this.#stop = this.#clock.after(patience, () =>
      warnOnce(
        `quarantine:${this.#name}`,
        `The store of cache '${this.#name}' is new to this process, or has lost something. Nothing is served or stored until every transaction has ended that was open then and writes, and that takes longer than ${patience / 1000} s.`,
      ),
    );
    try {
      await quiet;
      if (question !== this.#questions) return;
      this.#stop();
      this.#said = undefined;
      this.#over = epoch;
    } catch (error) {
      if (question !== this.#questions) return;
      this.#stop();
      this.#tell(error);
      const pause = error === notConnected ? connectsWithin : retryEvery;
      this.#stop = this.#clock.after(pause, () => this.#ask(epoch));
    }
  }

  /** Once for each cause. */
  #tell(error: unknown): void {
    const cause = String(error);
    if (error === notConnected || cause === this.#said) return;
    this.#said = cause;
    this.#events.emit('error', { error });
  }
}

/** Of asking a database that did not answer. Milliseconds. */
const retryEvery = 1000;
/** Of looking whether a client is connected by now that connects with its first statement. */
const connectsWithin = 100;
/** Milliseconds after which somebody is told. */
const patience = 30_000;
