import { randomUUID } from 'node:crypto';
import { FenceUnavailableError } from '../../core/errors.js';
import { fenceSql } from '../../index.js';
import type { Dialect } from '../../sql/index.js';
import type { Guard, Guarding } from '../guard.js';
import type { Ask } from '../types.js';
import { byLock } from './by-lock.js';
import { byNumber, lease } from './by-number.js';
import { byRow } from './by-row.js';
import { Upkeep } from './upkeep.js';
import type { Witness } from './witness.js';
import { wordsOf } from './words.js';

/**
 * The fence of `strict: true`. The last thing before a COMMIT shuts its tags for every reader, in the name of the
 * transaction, and they are opened again with its invalidation. So there is no moment at which the new rows can be seen
 * and an entry made of the old ones counts. Who can no longer open them need not: by the name that the database has given
 * the transaction, it tells everybody when that is over.
 *
 * @throws TypeError when nobody could be asked while a transaction is open
 */
export function fenceGuard({ port, driver, dialect, database, tableOf, failed }: Guarding): Guard | undefined {
  if (!port.safety.strict) return undefined;
  const { borrow } = driver;
  if (borrow === undefined)
    throw new TypeError(
      `Expected a client with a pool of connections beside \`strict: true\`, got one connection to ${database}: while a transaction is open on it, nobody could ask the database whether it is`,
    );
  const witness = witnesses[dialect.name](tableOf);
  const upkeep = new Upkeep(port, witness.forget && ((names) => witness.forget!(borrow, names)), failed);
  const refuses = port.safety.onFenceUnavailable === 'refuse';

  /** @throws FenceUnavailableError unless it may be committed all the same */
  const unfenced = (tags: readonly string[], why: string, cause?: unknown) => {
    if (refuses) throw new FenceUnavailableError(tags, why, cause === undefined ? {} : { cause });
    port.emit('unfenced', { tags, reason: why });
  };
  const sign = async (ask: Ask, tags: readonly string[], isUsual?: boolean) => {
    try {
      return await witness.sign(ask, isUsual);
    } catch (cause) {
      // What it refuses once it refuses always; and PostgreSQL would not commit any more.
      throw new FenceUnavailableError(tags, `the database has not given the transaction a name (${help(cause)})`, {
        cause,
      });
    }
  };
  return {
    async before(ask, tags, isUsual) {
      const name = await sign(ask, tags, isUsual);
      const owner = [randomUUID(), witness.kind, database, name].join('|');
      try {
        await port.fence(tags, owner, lease);
      } catch (cause) {
        unfenced(tags, 'the store has not confirmed the fence', cause);
      }
      return {
        owner,
        ended(outcome) {
          port.fenceEnded(owner, outcome !== 'unknown');
          if (outcome !== 'unknown') upkeep.forget(name);
        },
      };
    },
    unguarded(text) {
      unfenced([], `nothing can be put before the COMMIT of what this changes: ${text}`);
    },
    async isOver(owner) {
      const [, kind, ...rest] = owner.split('|');
      const name = rest.pop();
      if (kind !== witness.kind || rest.join('|') !== database || name === undefined) return undefined;
      try {
        const isOver = await witness.isOver(borrow, name);
        if (isOver) upkeep.forget(name);
        return isOver;
      } catch {
        // It does not answer. Whoever meets the fence asks again.
        return undefined;
      }
    },
    quiet: () => witness.quiet(borrow, upkeep.pauses()),
    open: () => upkeep.open(),
    rest: () => upkeep.rest(),
    close: () => void upkeep.rest(),
  };
}

const witnesses: Record<Dialect['name'], (tableOf: Guarding['tableOf']) => Witness> = {
  postgres: () => byNumber,
  mysql: byRow,
  sqlite: () => byLock,
};

function help(cause: unknown): string {
  const words = cause instanceof Error ? cause.message : String(cause);
  return /unstale_fence/.test(wordsOf(cause))
    ? `${words}; migrate it by fenceSql('mysql').up:\n${fenceSql('mysql').up}`
    : words;
}
