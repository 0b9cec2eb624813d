import type { Clock } from '../../src/adapter/index.js';
import type { Source } from './connection.js';
import type { Keys } from './keys.js';
import { Link } from './link.js';
import type { Nodes } from './nodes.js';

/**
 * The messages that wake those who wait for a lease: one more connection, which exists from the first wait on.
 *
 * A Cluster passes messages on to all of its nodes, so one of them is enough. Nobody depends on them: while there is no
 * connection, waits end by their time.
 */
export class Wakes {
  readonly #options: WakeOptions;
  #link: Link | undefined;
  #callOff = () => {};
  #closed = false;

  constructor(options: WakeOptions) {
    this.#options = options;
  }

  open(): void {
    if (this.#link || this.#closed) return;
    const { nodes, source, clock, keys, onWake } = this.#options;
    const node = nodes.all().find((it) => it.trusted);
    if (node === undefined) return; // the next wait tries again
    const link = new Link(() => source.connectOnce(node.address), {
      clock,
      maxInFlight: 1,
      reconnects: false,
      onReady: () => {
        link.client.subscribe(keys.wake).catch(() => this.#retry(link));
      },
      onLost: () => this.#retry(link),
    });
    link.client.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      if (channel.toString() === keys.wake) onWake(message.toString());
    });
    this.#link = link;
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
    this.#link?.close();
  }

  /** Not before a moment has passed: a server that refuses SUBSCRIBE would be asked for ever. */
  #retry(link: Link): void {
    if (this.#link !== link || this.#closed) return;
    link.close();
    this.#callOff();
    this.#callOff = this.#options.clock.after(1000, () => {
      this.#link = undefined;
    });
  }
}

export interface WakeOptions {
  readonly nodes: Nodes;
  readonly source: Source;
  readonly clock: Clock;
  readonly keys: Keys;
  onWake(key: string): void;
}
