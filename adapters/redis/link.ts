import { type Clock, StoreUnavailableError } from '../../src/adapter/index.js';
import type { Client, Command, Reply } from './client.js';
import { sayDenied } from './denied.js';

/**
 * One connection, which reconnects for ever unless it was made not to, and on which nothing waits for ever.
 *
 * ioredis is used for what it is good at: connecting, TLS, Sentinel, the protocol. What decides about waiting is here:
 * a call is refused at once while there is no connection, it is never queued for a later one and never sent again, and
 * after its time-out it rejects although the command may still be carried out.
 *
 * It does not know what the server is: whether a fresh connection may be trusted is for `trust.ts` to say.
 */
export class Link {
  readonly client: Client;
  /** Counts connections: two equal readings mean the same socket. */
  generation = 0;
  ready = false;
  readonly #events: LinkEvents;
  readonly #clock: Clock;
  readonly #maxInFlight: number;
  readonly #flights = new Set<Flight>();
  readonly #attempts: Attempts;
  #inFlight = 0;
  #sweepAt = Number.POSITIVE_INFINITY;
  #callOffSweep = () => {};
  #callOffWatchdog = () => {};
  #closed = false;
  #lastError = 'not connected yet';

  readonly #reconnects: boolean;

  constructor(make: (attempts: Attempts) => Client, { clock, maxInFlight, reconnects = true, ...events }: LinkOptions) {
    this.#attempts = { count: 0 };
    this.#reconnects = reconnects;
    this.client = make(this.#attempts);
    this.#clock = clock;
    this.#maxInFlight = maxInFlight;
    this.#events = events;
    // Before anything can happen: an `error` event without a listener ends the process.
    this.client.on('error', (error: Error) => {
      this.#lastError = error.message.replace(/\.+$/, '');
      // Nobody waits for the handshake; a wrong password would go unheard.
      if (error.name === 'ReplyError') this.#events.onRefused?.(plain(error));
    });
    this.client.on('connecting', () => this.#watch());
    this.client.on('ready', () => this.#opened());
    this.client.on('close', () => this.#lost());
    this.client.on('end', () => this.#ended());
    this.client.connect().catch(() => {}); // `close` follows, or has been
  }

  /**
   * Sends `commands` in one chunk and resolves with their answers, in order; an error that the server answered is a
   * value. Rejects with `StoreUnavailableError` when the answers have not come after `timeout` ms.
   *
   * @param urgent - whether it may exceed `maxInFlight`: a look at the server must not fail because there is much to do
   */
  send(commands: readonly Command[], timeout: number, urgent = false): Promise<Reply[]> {
    if (!this.ready) return Promise.reject(new StoreUnavailableError(this.why));
    if (this.#inFlight >= this.#maxInFlight && !urgent)
      return Promise.reject(new StoreUnavailableError(`${this.#inFlight} requests are waiting for it already`));
    return new Promise((resolve, reject) => {
      const flight: Flight = {
        deadline: Number.POSITIVE_INFINITY,
        timeout,
        left: commands.length,
        replies: new Array(commands.length),
        resolve,
        reject,
      };
      this.#flights.add(flight);
      this.#inFlight++;
      // Written one by one, each command would be a system call and a packet.
      const socket = commands.length > 1 ? this.client.stream : undefined;
      socket?.cork();
      for (let i = 0; i < commands.length; i++) {
        this.client.callBuffer(...(commands[i] as Command)).then(
          (reply) => this.#answered(flight, i, reply as Reply),
          (error: Error) => this.#failed(flight, i, error),
        );
      }
      socket?.uncork();
      // Only now: what thousands of commands take to be written is not the server's time.
      flight.deadline = this.#clock.now() + timeout;
      this.#sweepBy(flight.deadline);
    });
  }

  /** Why there is no connection. */
  get why(): string {
    return this.#closed ? 'this session was closed' : this.#lastError;
  }

  /** The server is what we want it to be: the next loss may be followed by a quick attempt again. */
  settle(): void {
    this.#attempts.count = 0;
  }

  /** Drops the socket and makes a new one. */
  reconnect(why: string): void {
    if (this.#closed) return;
    this.#lastError = why;
    this.client.disconnect(true);
    // A server that hangs would not answer our end of stream with its own.
    this.client.stream?.destroy();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lost();
    this.client.disconnect();
    this.client.stream?.destroy();
  }

  #opened(): void {
    this.#callOffWatchdog();
    if (this.#closed) return;
    this.ready = true;
    this.generation++;
    this.#events.onReady();
  }

  #lost(): void {
    this.#callOffWatchdog();
    this.#callOffSweep();
    this.#sweepAt = Number.POSITIVE_INFINITY;
    const wasReady = this.ready;
    this.ready = false;
    if (wasReady) this.#lastError = 'the connection was lost';
    for (const flight of this.#flights) flight.reject(new StoreUnavailableError(this.why));
    this.#flights.clear();
    if (!this.#closed) this.#events.onLost(wasReady);
  }

  /** ioredis gives up when its connector fails, whatever the retry strategy says: Sentinel interrupted, TLS refused. */
  #ended(): void {
    if (this.#closed || !this.#reconnects) return;
    this.#callOffWatchdog();
    this.#callOffWatchdog = this.#clock.after(500, () => this.client.connect().catch(() => {}));
  }

  /** A server that accepts connections and then says nothing would keep the handshake waiting for ever. */
  #watch(): void {
    this.#callOffWatchdog();
    this.#callOffWatchdog = this.#clock.after(handshakeTimeout, () =>
      this.reconnect('it accepts connections, but does not answer'),
    );
  }

  #answered(flight: Flight, i: number, reply: Reply): void {
    flight.replies[i] = reply;
    if (--flight.left > 0) return;
    this.#inFlight--;
    if (this.#flights.delete(flight)) flight.resolve(flight.replies);
    else this.#events.onLate?.();
  }

  #failed(flight: Flight, i: number, error: Error): void {
    if (error.name === 'ReplyError') {
      sayDenied(error);
      return this.#answered(flight, i, plain(error));
    }
    if (--flight.left === 0) this.#inFlight--;
    if (this.#flights.delete(flight))
      flight.reject(new StoreUnavailableError(`the connection was lost (${error.message})`));
  }

  #sweepBy(deadline: number): void {
    if (deadline >= this.#sweepAt) return;
    this.#callOffSweep();
    this.#sweepAt = deadline;
    // A process that was busy for longer than the time-out finds the timer due before it has looked at its sockets.
    this.#callOffSweep = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () =>
      this.#sweepWhenQuiet(this.#clock.now()),
    );
  }

  /**
   * The answers may be there: they get a turn of the event loop to be read, and another one for as long as each brings
   * something. What falls due meanwhile has to wait for the next sweep, since its own answer had no turn yet.
   */
  #sweepWhenQuiet(due: number): void {
    const { generation } = this;
    const read = this.client.stream?.bytesRead;
    setImmediate(() => {
      if (generation !== this.generation || read === this.client.stream?.bytesRead) this.#sweep(due);
      else this.#sweepWhenQuiet(due);
    });
  }

  #sweep(now: number): void {
    this.#sweepAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const flight of [...this.#flights]) {
      if (flight.deadline > now) {
        next = Math.min(next, flight.deadline);
        continue;
      }
      this.#flights.delete(flight);
      flight.reject(new StoreUnavailableError(`no answer within ${flight.timeout} ms`));
      this.#events.onTimeout?.();
    }
    if (next < Number.POSITIVE_INFINITY) this.#sweepBy(next);
  }
}

/** How many attempts to connect have failed in a row: for the backoff. */
export interface Attempts {
  count: number;
}

export interface LinkOptions extends LinkEvents {
  readonly clock: Clock;
  /** So many calls of `send` may be without an answer, those that timed out included. */
  readonly maxInFlight: number;
  /** @defaultValue true */
  readonly reconnects?: boolean;
}

interface LinkEvents {
  onReady(): void;
  /** The connection ended; `wasReady` is false when it never came about. */
  onLost(wasReady: boolean): void;
  /** The server answered the handshake with an error. */
  onRefused?(error: Error): void;
  onTimeout?(): void;
  /** An answer came that nobody waits for any more. */
  onLate?(): void;
}

interface Flight {
  deadline: number;
  readonly timeout: number;
  readonly replies: Reply[];
  left: number;
  resolve(replies: Reply[]): void;
  reject(error: Error): void;
}

/** Milliseconds from the first packet to a connection that can be used, TLS and a look-up by Sentinel included. */
const handshakeTimeout = 3000;

/** ioredis puts the command with all its arguments on its errors: passwords, keys and values, in somebody's log. */
function plain(error: Error): Error {
  const copy = new Error(error.message);
  copy.name = 'ReplyError';
  return copy;
}
