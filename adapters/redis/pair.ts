import { type Clock, StoreUnavailableError } from '../../src/adapter/index.js';
import type { Command, Reply, Value } from './client.js';
import type { Source } from './connection.js';
import type { Keys } from './keys.js';
import { Link } from './link.js';
import type { Node } from './node.js';
import type { Nodes } from './nodes.js';
import type { Tracker } from './reads.js';
import { hidden, identity } from './trust.js';

/**
 * Two connections to one master: tags are read on the one, and the server reports on the other when a tag that was
 * read has changed (CLIENT TRACKING with REDIRECT).
 *
 * The server promises little: it forgets what was read when the reading connection ends, and drops what it has to say
 * when the listening one is not there, both without a word. So the two live and die together, and a pair never
 * reconnects: the next one starts from nothing. And silence is no proof that nothing has changed. Every Δ/2 both are
 * asked for a PONG. The listener's comes after every message that was sent before it; the reader's shows that the
 * server still knows what was read. Only both together prove the time up to when they were asked: one alone was seen
 * to be wrong, in the model and on Redis.
 *
 * RESP2, since there the messages travel on a channel that ioredis hands out; on RESP3 ioredis 6 drops them.
 */
export class Pair implements Tracker {
  /** Reads may go here. */
  ready = false;
  /** Every change before this moment has been reported. */
  provenAt = Number.NEGATIVE_INFINITY;
  readonly #options: PairOptions;
  readonly #listener: Link;
  readonly #reader: Link;
  readonly #opened: Promise<unknown>;
  #probe: { readonly key: string; arrived(): void } | undefined;
  #callOff = () => {};
  #over = false;

  constructor(options: PairOptions) {
    this.#options = options;
    const { source, node, clock, maxInFlight } = options;
    const opened: Promise<void>[] = [];
    const open = () => {
      let isReady = () => {};
      opened.push(new Promise((resolve) => (isReady = resolve)));
      return new Link(() => source.connectOnce(node.address), {
        clock,
        maxInFlight,
        reconnects: false,
        onReady: isReady,
        onLost: () => this.#end('the connection was lost'),
        onTimeout: () => this.#end('no answer'),
      });
    };
    this.#listener = open();
    this.#reader = open();
    this.#opened = Promise.all(opened);
    this.#listener.client.on('messageBuffer', (_channel: Buffer, message: Buffer[] | null) => this.#heard(message));
    // A server that accepts and says nothing: all of the handshake has to be over by then.
    this.#callOff = clock.after(handshakeTimeout, () => this.#end('the handshake took too long'));
    this.#shakeHands().catch((error: Error) => this.#end(error.message, error instanceof RefusedError));
  }

  async get(keys: readonly string[], timeout: number): Promise<Value[]> {
    const { nodes } = this.#options;
    const commands: Command[] = nodes.cluster ? keys.map((key) => ['get', key]) : [['mget', ...keys]];
    try {
      const replies = await this.#reader.send(commands, timeout);
      if (nodes.cluster) return replies as Value[];
      return Array.isArray(replies[0]) ? (replies[0] as Value[]) : keys.map(() => replies[0] as Value);
    } catch (error) {
      return keys.map(() => error as Error);
    }
  }

  close(): void {
    this.#over = true;
    this.ready = false;
    this.#callOff();
    this.#listener.close();
    this.#reader.close();
  }

  async #shakeHands(): Promise<void> {
    const { node, source, patience: timeout } = this.#options;
    await this.#opened;
    const listener = this.#listener;
    const reader = this.#reader;
    const [id] = await listener.send([['client', 'id']], timeout);
    if (typeof id !== 'number') throw new RefusedError('CLIENT ID');
    // Before the reader asks for tracking: what is sent to a connection that does not listen yet is dropped.
    await listener.client.subscribe(channel).catch(() => Promise.reject(new RefusedError('SUBSCRIBE')));
    const [server, replication, tracking] = await reader.send(
      [
        ['info', 'server'],
        ['info', 'replication'],
        ['client', 'tracking', 'on', 'redirect', id],
      ],
      timeout,
    );
    if (tracking instanceof Error) throw new RefusedError('CLIENT TRACKING');
    // By way of Sentinel or a name each connection can have got to another server.
    const runs = identity(server, replication);
    if (runs !== node.runs || (runs === hidden && source.sentinels && !isSame(reader, node.link)))
      throw new StoreUnavailableError('it is not the server that is trusted');
    // The proof has a time of its own, and that it does not come is an answer.
    this.#callOff();
    await this.#prove();
    if (this.#over || !node.trusted) throw new StoreUnavailableError('its node is not trusted any more');
    this.ready = true;
    this.#options.onReady();
    this.#barrier();
  }

  /** Once, for real: a change of something that was read has to be heard. Proxies accept all of it and pass on nothing. */
  async #prove(): Promise<void> {
    const { node, nodes, keys, patience: timeout, clock } = this.#options;
    let n = Math.floor(Math.random() * 1e9);
    while (nodes.of(keys.probe(n)) !== node) n++;
    const key = keys.probe(n);
    await new Promise<void>((resolve, reject) => {
      const callOff = clock.after(2 * timeout, () => reject(new RefusedError('its messages')));
      const arrived = () => {
        callOff();
        resolve();
      };
      this.#probe = { key, arrived };
      this.#reader
        .send(
          [
            ['get', key],
            ['set', key, '', 'PX', 1000],
          ],
          timeout,
        )
        .then(undefined, reject);
    });
    this.#probe = undefined;
  }

  #barrier(): void {
    const { clock, maxStale, patience, onProven } = this.#options;
    const at = clock.now();
    const wait = Math.max(patience, maxStale);
    const ping: Command[] = [['ping']];
    Promise.all([this.#listener.send(ping, wait), this.#reader.send(ping, wait)]).then(
      (replies: Reply[][]) => {
        if (this.#over) return;
        if (replies.flat().some((reply) => reply instanceof Error)) return this.#end('it refuses PING');
        this.provenAt = at;
        onProven();
        const next = Math.max(minInterval, at + maxStale / 2 - clock.now());
        this.#callOff = clock.after(next, () => this.#barrier());
      },
      (error: Error) => this.#end(error.message),
    );
  }

  #heard(keys: readonly Buffer[] | Buffer | null): void {
    if (this.#over) return;
    // Everything is gone (FLUSHALL), or a message that nobody can read, which may be about anything.
    if (!Array.isArray(keys)) return this.#options.onChanged(undefined);
    for (const key of keys.map(String)) {
      if (key === this.#probe?.key) this.#probe.arrived();
      else if (this.ready) this.#options.onChanged(key);
    }
  }

  #end(why: string, refused = false): void {
    if (this.#over) return;
    const wasReady = this.ready;
    this.close();
    this.#options.onEnd({ why, refused, wasReady });
  }
}

export interface PairOptions {
  readonly source: Source;
  readonly node: Node;
  readonly nodes: Nodes;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Milliseconds that a step of the handshake, or a PONG, may take. */
  readonly patience: number;
  readonly maxStale: number;
  readonly maxInFlight: number;
  onReady(): void;
  /** `provenAt` has moved. */
  onProven(): void;
  /** Undefined: any of them. */
  onChanged(key: string | undefined): void;
  onEnd(end: PairEnd): void;
}

export interface PairEnd {
  readonly why: string;
  /** The server does not do this, so there is no use in trying again. */
  readonly refused: boolean;
  /** Whether anybody can have read here. */
  readonly wasReady: boolean;
}

/** Whether both connections end at one address. */
function isSame({ client: { stream: a } }: Link, { client: { stream: b } }: Link): boolean {
  return a !== undefined && a.remoteAddress === b?.remoteAddress && a.remotePort === b?.remotePort;
}

class RefusedError extends Error {}

const channel = '__redis__:invalidate';
const handshakeTimeout = 2000;
const minInterval = 5;
