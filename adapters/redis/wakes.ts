import type { Clock } from '../../src/adapter/index.js';
import type { Source } from './connection.js';
import { sayDenied } from './denied.js';
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
  #listening: Promise<void> | undefined;
  #callOff = () => {};
  #closed = false;

  constructor(options: WakeOptions) {
    this.#options = options;
  }

  /** Resolves when messages come, or when it is clear that none will for now. */
  listen(): Promise<void> {
    this.#listening ??= this.#open();
    return this.#listening;
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
    this.#link?.close();
  }

  #open(): Promise<void> {
    const { nodes, source, clock, keys, onWake } = this.#options;
    const node = nodes.all().find((it) => it.trusted);
    return new Promise((resolve) => {
      // Not again before a moment has passed: a server that refuses SUBSCRIBE would be asked for ever.
      const giveUp = () => {
        resolve();
        if (this.#closed || this.#link !== link) return;
        link?.close();
        this.#callOff();
        this.#callOff = clock.after(retry, () => {
          this.#link = undefined;
          this.#listening = undefined;
        });
      };
      const link =
        node &&
        new Link(() => source.connectOnce(node.address), {
          clock,
          maxInFlight: 1,
          reconnects: false,
          onReady: () =>
            void link?.client.subscribe(keys.wake).then(
              () => resolve(),
              (error: Error) => {
                sayDenied(error);
                giveUp();
              },
            ),
          onLost: giveUp,
        });
      link?.client.on('messageBuffer', (_channel: Buffer, message: Buffer) => onWake(message.toString()));
      this.#link = link;
      if (link === undefined || this.#closed) giveUp();
    });
  }
}

const retry = 1000;

export interface WakeOptions {
  readonly nodes: Nodes;
  readonly source: Source;
  readonly clock: Clock;
  readonly keys: Keys;
  onWake(key: string): void;
}
