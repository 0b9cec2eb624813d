import type { Command } from './client.js';
import type { Node } from './node.js';

/**
 * Whether somebody's connection still exists: a server closes it in the moment in which a process is killed, and knows
 * that long before any time has run out.
 *
 * Connections have numbers, which a server never gives twice while it runs. That one is missing proves little behind a
 * proxy, where a number may stand for many processes, or belong to another server; so an answer counts only if the
 * connection that asks is in it as well. What is concluded from that costs a load at most, and no value.
 *
 * Not every server knows CLIENT LIST ID (Redis 6.2 and later), and not every user may ask. Who was refused does not ask
 * again on that connection, and takes everybody for alive.
 */
export class Owners {
  readonly #timeout: number;
  readonly #connections = new WeakMap<Node, Connection>();

  /** @param timeout - for each question, milliseconds */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Asks for the number of a new connection, before anybody needs it: no load waits for that. */
  meet(node: Node): void {
    this.#connection(node);
  }

  /** The number of our own connection to `node`, as text; empty while it is not known. */
  self(node: Node): string {
    const { id } = this.#connection(node);
    return typeof id === 'string' ? id : '';
  }

  /** Whether the connection `id` to `node` is no more. False when nobody can tell. Never rejects. */
  isGone(node: Node, id: string): Promise<boolean> {
    const connection = this.#connection(node);
    const { asked } = connection;
    const known = asked.get(id);
    if (known !== undefined) return known;
    const answer = this.#ask(node, connection, id).finally(() => asked.delete(id));
    asked.set(id, answer);
    return answer;
  }

  async #ask(node: Node, connection: Connection, id: string): Promise<boolean> {
    const own = await connection.id;
    if (own === '' || own === id || connection.isRefused) return false;
    const reply = await this.#send(node, ['client', 'list', 'id', own, id]);
    if (reply instanceof Error) connection.isRefused = true;
    if (!Buffer.isBuffer(reply)) return false;
    const lines = `\n${reply}`;
    return lines.includes(`\nid=${own} `) && !lines.includes(`\nid=${id} `);
  }

  #connection(node: Node): Connection {
    const { generation } = node.link;
    const known = this.#connections.get(node);
    if (known?.generation === generation) return known;
    const made: Connection = { generation, id: '', isRefused: false, asked: new Map() };
    this.#connections.set(node, made);
    made.id = this.#send(node, ['client', 'id']).then((reply) => {
      // Only an answer of the server, also a refusal, is remembered.
      if (reply === undefined) this.#connections.delete(node);
      made.id = typeof reply === 'number' ? String(reply) : '';
      return made.id;
    });
    return made;
  }

  /** Undefined when there was no answer. */
  #send(node: Node, command: Command): Promise<unknown> {
    return node.send([command], this.#timeout).then(
      ([reply]) => reply,
      () => undefined,
    );
  }
}

interface Connection {
  readonly generation: number;
  /** Empty: it cannot be known. */
  id: string | Promise<string>;
  isRefused: boolean;
  /** On its way to the server: many who wait for one owner ask once. */
  readonly asked: Map<string, Promise<boolean>>;
}
