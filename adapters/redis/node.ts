import { type Clock, StoreUnavailableError } from '../../src/adapter/index.js';
import { type Breaker, type BreakerState, createBreaker } from './breaker.js';
import type { Address, Client, Command, Reply } from './client.js';
import type { DemotedError, LaterError, UnfitError } from './errors.js';
import { type Attempts, Link } from './link.js';
import type { Look } from './trust.js';

/**
 * One master: its connection, its breaker, and whether it is trusted.
 *
 * A call is sent only while the node is trusted, and an answer counts only if the node was trusted all the way from the
 * question to the answer. What ends trust: a lost connection, a heartbeat that was not answered, another role or
 * history; behind Sentinel also that the last look is too long ago. What brings it: a look (`trust.ts`) that began and
 * ended on one and the same connection.
 */
export class Node {
  /** As events and errors name it. */
  readonly name: string;
  /** Of a node of a Cluster. */
  readonly address: Address | undefined;
  readonly link: Link;
  /** What the last look found is kept, though it may have lapsed. */
  isHeld = false;
  readonly #host: NodeHost;
  readonly #breaker: Breaker;
  /** Counts spans of trust. */
  #span = 0;
  #look: Look | undefined;
  /** The connection of the last look. */
  #looked = 0;
  #looking = false;
  #lookAgain = false;
  /** Looks in a row that were not answered on this connection. */
  #silent = 0;
  #why: string | undefined;
  #told = false;
  #callOffRetry = () => {};
  #closed = false;

  constructor(name: string, address: Address | undefined, connect: (attempts: Attempts) => Client, host: NodeHost) {
    this.name = name;
    this.address = address;
    this.#host = host;
    this.#breaker = createBreaker({
      clock: host.clock,
      probe: () => this.check(),
      changed: (state) => host.onBreaker(this, state),
    });
    this.link = new Link(connect, {
      clock: host.clock,
      maxInFlight: host.maxInFlight,
      onReady: () => this.#connected(),
      onLost: (wasReady) => {
        this.#distrust();
        // A lost connection is often an accident that the next attempt ends; a failed attempt is an outage.
        if (!wasReady) this.#breaker.trip();
      },
      onRefused: (error) => this.#tell(error),
      onTimeout: () => this.#suspect(),
      // The server goes on after it hung: nobody has to wait for the breaker's time.
      onLate: () => this.#breaker.hint(),
    });
  }

  /** Whether it may be asked, and its answers count. */
  get trusted(): boolean {
    if (!this.isHeld) return false;
    const { until } = this.#look as Look;
    return until === Number.POSITIVE_INFINITY || this.#host.clock.now() < until;
  }

  get state(): BreakerState {
    return this.#breaker.state;
  }

  /** Sends to a trusted master and counts only what was answered by one. */
  async send(commands: readonly Command[], timeout: number): Promise<Reply[]> {
    if (!this.trusted) throw new StoreUnavailableError(this.why);
    const span = this.#span;
    const replies = await this.link.send(commands, timeout);
    if (span !== this.#span) throw new StoreUnavailableError('the connection was lost');
    for (const reply of replies) if (reply instanceof Error && reply.message.startsWith('READONLY')) this.#demoted();
    return replies;
  }

  /** Which server it is, with which history, as the last look found. */
  get runs(): string | undefined {
    return this.#look?.runs;
  }

  /** Why it is not trusted. */
  get why(): string {
    if (!this.link.ready) return `${this.name}: ${this.link.why}`;
    const lapsed = this.isHeld ? 'it has not been looked at for too long' : 'its epoch has not been read yet';
    return `${this.name}: ${this.#why ?? lapsed}`;
  }

  /** Looks at the node: at each new connection, as heartbeat, as the breaker's probe, and when there is doubt. */
  check(): void {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    if (this.#closed) return;
    if (!this.link.ready) return this.#breaker.trip();
    this.#looking = true;
    this.#lookAgain = false;
    const { generation } = this.link;
    const again = this.#looked !== 0 && this.#looked !== generation;
    this.#host.look(this, this.#look, again).then(
      (look) => this.#trustworthy(generation, look),
      (error: Error) => this.#lookFailed(generation, error),
    );
  }

  close(): void {
    this.#closed = true;
    this.#callOffRetry();
    this.#breaker.stop();
    this.#distrust();
    this.link.close();
  }

  #connected(): void {
    this.#silent = 0;
    if (this.#breaker.state === 'open') this.#breaker.hint();
    else this.check();
  }

  #trustworthy(generation: number, look: Look): void {
    this.#looking = false;
    if (this.#closed) return;
    // Answered by a connection that is gone: says nothing about the one that took its place.
    if (generation !== this.link.generation || !this.link.ready) return this.#lookNow();
    // It has lapsed, and calls were refused: who waits for the store to be up must hear of it.
    if (!this.trusted) this.#distrust();
    this.#look = look;
    this.#looked = generation;
    this.#silent = 0;
    this.#why = undefined;
    this.#told = false;
    this.#breaker.succeeded();
    this.link.settle();
    if (!this.isHeld) {
      this.isHeld = true;
      this.#span++;
      this.#host.onTrusted(this);
    }
    // A process that was stopped in the middle of a look comes back to one that has lapsed.
    if (this.#lookAgain || !this.trusted) this.check();
  }

  #lookFailed(generation: number, error: Error): void {
    this.#looking = false;
    if (this.#closed) return;
    if (generation !== this.link.generation || !this.link.ready) return this.#lookNow();
    this.#why = reasonOf(error);
    // Time-outs and lost connections are what the breaker reports. This is something that somebody has to set right.
    const { isDemoted, isUnfit, isLater } = error as Partial<DemotedError & UnfitError & LaterError>;
    if (isLater) return this.#lookLater(error as LaterError);
    if (error.cause || isDemoted || isUnfit) this.#tell(error);
    this.#distrust();
    this.#breaker.trip();
    // It has answered; another connection would bring the same answer.
    if (isUnfit) return;
    if (isDemoted) return this.#demoted(this.#why);
    // Once may be a server that hangs: it will answer on this connection when it goes on. Twice may as well be a wire
    // that was cut without a word, on which nothing will ever come.
    if (++this.#silent >= 2) this.link.reconnect(this.#why);
  }

  /** No fault of this node, and nothing for the breaker: it may be right in a moment. */
  #lookLater(error: LaterError): void {
    const { trust } = error;
    if (trust === 'lapses' && !this.trusted) this.#tell(error);
    if (trust === 'ends' || !this.trusted) this.#distrust();
    this.#callOffRetry();
    this.#callOffRetry = this.#host.clock.after(error.ms, () => this.#lookNow());
  }

  /** Once for each outage: attempts go on for ever. */
  #tell(error: Error): void {
    if (this.#told) return;
    this.#told = true;
    this.#host.onError(error);
  }

  #lookNow(): void {
    if (this.link.ready) this.check();
  }

  /** A call was not answered in time: the heartbeat is sent now rather than within a second. */
  #suspect(): void {
    this.#breaker.failed();
    if (this.#breaker.state !== 'closed') this.#distrust();
    else if (!this.#looking) this.check();
  }

  /** Sentinel, or a name that was moved, may lead to the master by now. */
  #demoted(why = 'it is a replica'): void {
    this.#distrust();
    this.link.reconnect(why);
  }

  #distrust(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#span++;
    this.#host.onDistrusted(this);
  }
}

/** What a node needs of the session it belongs to. */
export interface NodeHost {
  readonly clock: Clock;
  readonly maxInFlight: number;
  look(node: Node, before: Look | undefined, again: boolean): Promise<Look>;
  onTrusted(node: Node): void;
  onDistrusted(node: Node): void;
  onBreaker(node: Node, state: BreakerState): void;
  /** An error that nobody waits for. */
  onError(error: Error): void;
}

/** The reason alone: it becomes part of another message of the same kind. */
function reasonOf(error: Error): string {
  const message = error.cause instanceof Error ? error.cause.message : error.message;
  return message.replace(/^The store is not available: /, '').replace(/\.$/, '');
}
