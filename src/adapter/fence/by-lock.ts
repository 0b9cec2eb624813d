import type { Borrow, Witness } from './witness.js';
import { wordsOf } from './words.js';

/** SQLite has one writer at a time: who gets the right to write knows that nobody else is in the middle of it. */
export const byLock: Witness = {
  kind: 'lock',
  sign: async () => 'the writer',
  isOver: isFree,
  async quiet(borrow, pause) {
    while (!(await isFree(borrow))) await pause();
  },
};

function isFree(borrow: Borrow): Promise<boolean> {
  return borrow(async (ask) => {
    // Drivers wait for the lock with the whole process, for seconds.
    const [before] = await ask('pragma busy_timeout');
    await ask('pragma busy_timeout = 0');
    try {
      await ask('begin immediate');
      await ask('rollback');
      return true;
    } catch (error) {
      if (/database (table )?is locked|SQLITE_BUSY/.test(wordsOf(error))) return false;
      throw error;
    } finally {
      await ask(`pragma busy_timeout = ${Number(before?.timeout ?? 0)}`);
    }
  });
}
