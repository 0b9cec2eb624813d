import type { Unit } from '../core/port.js';
import { Connection, type Session } from './session.js';
import type { Shared } from './shared.js';

/**
 * The connections of a client, and what stands for the transactions on them. A driver gives its users a handle (a `trx`,
 * a query runner) that may outlive its transaction, and a pool gives the connection behind it to somebody else then: so a
 * handle is bound to the transaction, not to the connection alone.
 */
export class Sessions<R> {
  readonly #shared: Shared<R>;
  readonly #sessions = new WeakMap<object, Connection<R>>();
  readonly #bound = new WeakMap<object, { session: Connection<R>; transaction: object | undefined }>();

  constructor(shared: Shared<R>) {
    this.#shared = shared;
  }

  /** Of one physical connection; always the same one. */
  of(connection: object): Session<R> {
    let session = this.#sessions.get(connection);
    if (session === undefined) {
      session = new Connection(this.#shared, connection);
      this.#sessions.set(connection, session);
    }
    return session;
  }

  bind(handle: object, session: Session<R>): void {
    const connection = session as Connection<R>;
    this.#bound.set(handle, { session: connection, transaction: connection.transaction });
  }

  /** The transaction that a handle stands for, or that is open on a connection. */
  unitOf(handle: object): Unit | undefined {
    const of = this.#bound.get(handle);
    if (of === undefined) return this.#sessions.get(this.#shared.driver.connectionOf?.(handle) ?? handle)?.unit;
    // The connection may have gone to somebody else since.
    const isOver = of.transaction !== undefined && of.session.transaction !== of.transaction;
    return isOver ? undefined : of.session.unit;
  }
}
