import assert from 'node:assert/strict';
import type { AdapterClient, AdapterRaw } from './driver.js';
import { hour } from './primed.js';
import { rolledBack } from './rejecting.js';
import { name, names, rename } from './shop.js';
import { about, definesInMysql, trap } from './trap.js';
import type { World } from './world.js';

/** A statement with its values inside, for connections that are driven by hand. */
const renamed = (to: string, id: number) => `update accounts set name = '${to}' where id = ${id}`;

/** What a savepoint changes waits for the whole transaction, and goes when it is rolled back. */
export const savepoints = about('savepoints', [
  trap('one that was released publishes nothing before the outer COMMIT', async (w) => {
    const ada = await w.prime(name, [1]);
    const all = await w.prime(names);
    await w.writer.transaction(async (tx) => {
      await tx.transaction((inner) => inner.write(rename, ['Ida', 1]));
      await w.beside(async () => {
        await ada.kept();
        await all.kept();
      });
      await tx.read('select 1 as one');
    });
    await ada.changed();
    await all.changed();
  }),
  trap('one that was rolled back takes its changes along, and no others', async (w) => {
    const [ada, bob, dan] = [await w.prime(name, [1]), await w.prime(name, [2]), await w.prime(name, [4])];
    await w.writer.transaction(async (tx) => {
      await tx.write(rename, ['Ida', 1]);
      await rolledBack(tx, (inner) => inner.write(rename, ['Bo', 2]));
      await tx.write(rename, ['Don', 4]);
    });
    await ada.changed();
    await bob.kept();
    await dan.changed();
  }),
  trap('what was read inside of one that was rolled back is not stored', async (w) => {
    await w.writer.transaction(async (tx) => {
      await rolledBack(tx, async (inner) => {
        await inner.write(rename, ['Bo', 2]);
        assert.deepEqual(await inner.read(name, [2], hour), [{ id: 2, name: 'Bo' }]);
      });
      assert.deepEqual(await tx.read(name, [2], hour), [{ id: 2, name: 'Bob' }]);
    });
    assert.deepEqual(await w.reader.read(name, [2], hour), [{ id: 2, name: 'Bob' }]);
  }),
  trap('a change of a savepoint inside of a savepoint waits for both', async (w) => {
    const [ada, bob] = [await w.prime(name, [1]), await w.prime(name, [2])];
    await w.writer.transaction(async (tx) => {
      await tx.transaction((inner) => inner.transaction((inmost) => inmost.write(rename, ['Ida', 1])));
      await rolledBack(tx, (inner) => inner.transaction((inmost) => inmost.write(rename, ['Bo', 2])));
      await w.beside(() => ada.kept());
    });
    await ada.changed();
    await bob.kept();
  }),
  trap('a rollback of the whole drops what a savepoint had released', async (w) => {
    const ada = await w.prime(name, [1]);
    await rolledBack(w.writer, (tx) => tx.transaction((inner) => inner.write(rename, ['Ida', 1])));
    await ada.kept();
  }),
]);

/** BEGIN and COMMIT as text, over one connection, as old code and libraries send them. */
export const byHand = about('BEGIN by hand', [
  trap(
    'a write counts after COMMIT',
    raw(async (w, run) => {
      const ada = await w.prime(name, [1]);
      await run('BEGIN');
      await run(renamed('Ida', 1));
      assert.deepEqual(await run('select name from accounts where id = 1'), [{ name: 'Ida' }]);
      await w.beside(() => ada.kept());
      await run('COMMIT');
      await w.beside(() => ada.changed());
    }),
    { needs: ['connection'] },
  ),
  trap(
    'a rollback leaves everything in the cache',
    raw(async (w, run) => {
      const ada = await w.prime(name, [1]);
      await run('begin');
      await run(renamed('Ida', 1));
      await run('rollback');
      await w.beside(() => ada.kept());
    }),
    { needs: ['connection'] },
  ),
  trap(
    'a savepoint that is rolled back to is there still, and its changes are not',
    raw(async (w, run) => {
      const [ada, bob, dan] = [await w.prime(name, [1]), await w.prime(name, [2]), await w.prime(name, [4])];
      await run('BEGIN');
      await run(renamed('Ida', 1));
      await run('SAVEPOINT one');
      await run(renamed('Bo', 2));
      await run('ROLLBACK TO SAVEPOINT one');
      await run(renamed('Don', 4));
      await run('RELEASE SAVEPOINT one');
      await run('COMMIT');
      await w.beside(async () => {
        await ada.changed();
        await bob.kept();
        await dan.changed();
      });
    }),
    { needs: ['connection'] },
  ),
  trap(
    'of two savepoints of one name the later one is meant',
    raw(async (w, run) => {
      const [ada, bob, dan] = [await w.prime(name, [1]), await w.prime(name, [2]), await w.prime(name, [4])];
      await run('BEGIN');
      await run('SAVEPOINT one');
      await run(renamed('Ida', 1));
      await run('SAVEPOINT one');
      await run(renamed('Bo', 2));
      await run('ROLLBACK TO one');
      await run(renamed('Don', 4));
      await run('COMMIT');
      await w.beside(async () => {
        await ada.changed();
        await bob.kept();
        await dan.changed();
      });
    }),
    { needs: ['connection'] },
  ),
  trap(
    'COMMIT AND CHAIN publishes, and begins anew',
    raw(async (w, run) => {
      const [ada, bob] = [await w.prime(name, [1]), await w.prime(name, [2])];
      await run('BEGIN');
      await run(renamed('Ida', 1));
      await run('COMMIT AND CHAIN');
      await w.beside(() => ada.changed());
      await run(renamed('Bo', 2));
      await w.beside(() => bob.kept());
      await run('ROLLBACK');
      await w.beside(() => bob.kept());
    }),
    { needs: ['connection'], not: { sqlite: 'SQLite has no AND CHAIN' } },
  ),
  trap(
    'autocommit switched off opens a transaction with each statement',
    raw(async (w, run) => {
      const [ada, bob] = [await w.prime(name, [1]), await w.prime(name, [2])];
      await run('SET autocommit = 0');
      await run(renamed('Ida', 1));
      await w.beside(() => ada.kept());
      await run('COMMIT');
      await w.beside(() => ada.changed());
      await run(renamed('Bo', 2));
      await w.beside(() => bob.kept());
      await run('SET autocommit = 1');
      await w.beside(() => bob.changed());
    }),
    { needs: ['connection'], not: { postgres: 'no SET autocommit', sqlite: 'no SET autocommit' } },
  ),
  trap(
    'DDL that commits on the way publishes what was written before it',
    raw(async (w, run) => {
      const ada = await w.prime(name, [1]);
      await run('BEGIN');
      await run(renamed('Ida', 1));
      await run('create table on_the_way (id integer)');
      await w.beside(() => ada.changed());
      await run('ROLLBACK');
      await w.beside(() => ada.right());
    }),
    {
      needs: ['connection'],
      refused: definesInMysql,
      not: { postgres: 'DDL belongs to the transaction', sqlite: 'DDL belongs to the transaction' },
    },
  ),
  trap(
    'a transaction in one text with all its statements counts',
    async (w) => {
      const [ada, bob] = [await w.prime(name, [1]), await w.prime(name, [2])];
      await w.writer.write(`BEGIN; ${renamed('Ida', 1)}; COMMIT`);
      await ada.changed();
      await w.writer.write(`BEGIN; ${renamed('Bo', 2)}; ROLLBACK`);
      await bob.unchanged();
    },
    { needs: ['several'], refused: 'under `strict`: a COMMIT among other statements in one text' },
  ),
]);

function raw(body: (w: World, run: AdapterRaw) => Promise<void>): (w: World) => Promise<void> {
  return (w) => (w.writer.connection as NonNullable<AdapterClient['connection']>)((run) => body(w, run));
}
