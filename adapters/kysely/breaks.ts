import type { EventEmitter } from 'node:events';
import type { DatabaseConnection } from 'kysely';

/**
 * A client of node-postgres whose connection breaks while it is taken, and nobody listens to it, ends the process. Kysely
 * listens to none and shows nobody which it has taken. But a statement that sends itself, as a cursor does, is handed the
 * wire beneath the client: this one sends nothing, and sees to it that what the wire tells throws at nobody.
 *
 * @returns ends it
 */
export async function survivesBreaks(connection: DatabaseConnection): Promise<() => void> {
  let wire: EventEmitter | undefined;
  const probe = {
    rows: [],
    submit(given: EventEmitter): Error {
      wire = given;
      return new Error('There is nothing to send.');
    },
    handleError() {},
  };
  await connection.executeQuery({ sql: probe, parameters: [] } as never);
  if (wire === undefined) return () => {};
  const on = wire;
  const { emit } = on;
  on.emit = (...args) => {
    try {
      return emit.apply(on, args);
    } catch {
      // Its statements have been told, and the pool drops it when it is given back.
      return true;
    }
  };
  return () => {
    on.emit = emit;
  };
}
