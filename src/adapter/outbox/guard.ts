import { OutboxUnavailableError } from '../../core/errors.js';
import { warnOnce } from '../../core/warn.js';
import { outboxSql } from '../../index.js';
import type { Dialect } from '../../sql/index.js';
import type { Guard, Guarding } from '../guard.js';
import type { Ask } from '../types.js';
import { Relay } from './relay.js';
import { newId, statementsFor } from './statements.js';

/**
 * The outbox of `crashSafe: 'outbox'`: what a transaction has changed becomes a row beside the change, in the same
 * transaction, as its last statement. Both are there or none is, so whatever happens to this process after COMMIT,
 * somebody finds out what must be invalidated. Undefined when the cache does not want one.
 */
export function outboxGuard({ port, driver, dialect, database, tableOf, failed }: Guarding): Guard | undefined {
  const { outbox } = port;
  if (outbox === undefined) return undefined;
  const { name } = dialect;
  const says = (isUsual?: boolean) => statementsFor(name, outbox.name, tableOf('unstale_outbox', isUsual));
  const isOurs = (error: unknown) => (namesOutbox(error) ? unavailable(name, error) : error);
  const relay = new Relay(port, outbox.interval, (error) => failed(isOurs(error)));
  let leave: (() => Promise<void> | undefined) | undefined;
  const end = () => {
    const ended = leave?.();
    leave = undefined;
    return ended;
  };
  return {
    async before(ask: Ask, tags, isUsual) {
      const id = newId();
      try {
        await ask(says(isUsual).insert(id, tags));
      } catch (error) {
        throw isOurs(error);
      }
      return {
        ended(outcome, isAcknowledged) {
          if (outcome === 'committed' && isAcknowledged) relay.done(id);
        },
      };
    },
    unguarded(text) {
      warnOnce(
        `outbox:${database}:${text}`,
        `This commits by itself, so nothing can be put into the outbox before it: ${text}. If the process dies right after it, what it has changed stays in the cache until it ages.`,
      );
    },
    open() {
      if (driver.borrow !== undefined) leave ??= relay.join(driver.borrow, says);
      else
        warnOnce(
          `outbox:${database}`,
          `The client of ${database} has one connection, so this process does not empty the outbox, neither of its own rows nor of those of others. Wrap a pool, here or in another process that uses the cache '${outbox.name}'.`,
        );
    },
    rest() {
      const ended = end();
      if (ended === undefined) return undefined;
      // Nobody waits for long who closes his connections.
      let enough = () => {};
      const late = new Promise<void>((resolve) => {
        enough = port.after(patience, resolve);
      });
      return Promise.race([ended, late]).finally(() => enough());
    },
    close: () => void end(),
  };
}

const patience = 1000;

/** Whether a database complains about the table: that it is not there, is another one, or is not allowed. */
function namesOutbox(error: unknown): boolean {
  for (let [it, depth] = [error, 0]; typeof it === 'object' && it !== null && depth < 8; depth++) {
    const { message, originalMessage, driverError, cause } = it as Record<string, unknown>;
    if (/unstale_outbox/.test(`${message} ${originalMessage}`)) return true;
    it = driverError ?? cause;
  }
  return false;
}

function unavailable(dialect: Dialect['name'], cause: unknown): OutboxUnavailableError {
  return new OutboxUnavailableError(outboxSql(dialect).up, { cause });
}
