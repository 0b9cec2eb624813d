import { randomBytes } from 'node:crypto';
import type { Guarding } from '../guard.js';
import type { Ask } from '../types.js';
import type { Witness } from './witness.js';
import { wordsOf } from './words.js';

/**
 * MySQL and MariaDB tell nobody what became of a transaction, but everybody that a row is locked. So each writing
 * transaction inserts a row of its own: whoever wants to lock it and may not knows that it is open; committed or rolled
 * back, it is over. Who looks without regard to locks sees the rows of all that are open.
 */
export function byRow(tableOf: Guarding['tableOf']): Witness {
  const table = (isUsual?: boolean) => tableOf('unstale_fence', isUsual);
  const areOver = (ask: Ask, names: readonly string[]) =>
    isFree(ask, names, `select id from ${table()} where id in (${list(names)}) for update nowait`);
  return {
    kind: 'row',
    async sign(ask, isUsual) {
      const id = randomBytes(16).toString('hex');
      await ask(`insert into ${table(isUsual)} (id) values (x'${id}')`);
      return id;
    },
    // It comes from the store, which anybody may have written to.
    isOver: async (borrow, name) => (isName.test(name) ? borrow((ask) => areOver(ask, [name])) : undefined),
    async quiet(borrow, pause) {
      const names = await borrow(async (ask) => {
        await ask('set transaction isolation level read uncommitted');
        const rows = await ask(`select lower(hex(id)) as id from ${table()}`);
        return rows.map(({ id }) => String(id));
      });
      while (!(await borrow((ask) => areOver(ask, names)))) await pause();
    },
    async forget(borrow, names) {
      await borrow((ask) => ask(`delete from ${table()} where id in (${list(names)})`));
    },
  };
}

async function isFree(ask: Ask, names: readonly string[], lock: string): Promise<boolean> {
  if (names.length === 0) return true;
  try {
    await ask(lock);
    return true;
  } catch (error) {
    if (locked.test(wordsOf(error))) return false;
    throw error;
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => `x'${name}'`).join(', ');
}

const isName = /^[\da-f]{32}$/;
/** Of MySQL and of MariaDB. */
const locked = /NOWAIT is set|Lock wait timeout exceeded/;
