import assert from 'node:assert/strict';
import { hour } from './primed.js';
import { rejection, rolledBack } from './rejecting.js';
import { name, names, rename } from './shop.js';
import { about, trap } from './trap.js';
import type { World } from './world.js';

/** What a transaction changes is nobody's business until its COMMIT has run, and everybody's from then on. */
export const transactions = about('transactions', [
  trap('a write counts after COMMIT, whatever was read beside the transaction meanwhile', async (w) => {
    const ada = await w.prime(name, [1]);
    const all = await w.prime(names);
    await w.writer.transaction(async (tx) => {
      await tx.write(rename, ['Ida', 1]);
      // Somebody who reads now gets the old row, and may store it.
      await w.beside(async () => {
        await ada.kept();
        await all.kept();
      });
    });
    await ada.changed();
    await all.changed();
  }),
  trap('a row first read between the write and COMMIT does not outlive COMMIT', async (w) => {
    const read = () => w.beside(() => w.reader.read(name, [1], hour));
    await w.writer.transaction(async (tx) => {
      await tx.write(rename, ['Ida', 1]);
      assert.deepEqual(await read(), [{ id: 1, name: 'Ada' }]);
      assert.deepEqual(await read(), [{ id: 1, name: 'Ada' }]);
    });
    assert.deepEqual(await read(), [{ id: 1, name: 'Ida' }]);
  }),
  trap('what a transaction reads of its own writes is neither stored nor taken from the cache', async (w) => {
    const ada = await w.prime(name, [1]);
    const bob = [name, [2], hour] as const;
    await rolledBack(w.writer, async (tx) => {
      await tx.write(rename, ['Ida', 1]);
      await tx.write(rename, ['Bo', 2]);
      assert.deepEqual(await tx.read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
      assert.deepEqual(await tx.read(...bob), [{ id: 2, name: 'Bo' }]);
      await w.beside(() => ada.kept());
    });
    await ada.unchanged();
    assert.deepEqual(await w.reader.read(...bob), [{ id: 2, name: 'Bob' }]);
    assert.deepEqual(await w.writer.read(...bob), [{ id: 2, name: 'Bob' }]);
  }),
  trap('a load inside of one sees its writes, and its value is not stored', async (w) => {
    const read = (from: Pick<World['reader'], 'read'>) =>
      w.cacheOfWriter.getOrSet({ key: 'ada', ttl: hour, load: () => from.read(name, [1]) });
    assert.deepEqual(await read(w.writer), [{ id: 1, name: 'Ada' }]);
    await rolledBack(w.writer, async (tx) => {
      await tx.write(rename, ['Ida', 1]);
      assert.deepEqual(await read(tx), [{ id: 1, name: 'Ida' }]);
    });
    assert.deepEqual(await read(w.writer), [{ id: 1, name: 'Ada' }]);
    await w.writer.transaction(async (tx) => {
      await tx.write(rename, ['Ida', 1]);
      assert.deepEqual(await read(tx), [{ id: 1, name: 'Ida' }]);
    });
    assert.deepEqual(await read(w.writer), [{ id: 1, name: 'Ida' }]);
  }),
  trap('one that is rolled back leaves everything in the cache', async (w) => {
    const ada = await w.prime(name, [1]);
    const all = await w.prime(names);
    await rolledBack(w.writer, (tx) => tx.write(rename, ['Ida', 1]));
    await ada.kept();
    await all.kept();
  }),
  trap('one that only reads leaves everything in the cache', async (w) => {
    const all = await w.prime(names);
    assert.equal((await w.writer.transaction((tx) => tx.read(names, [], hour))).length, 4);
    await all.kept();
  }),
  trap(
    'of two at the same time, one rolled back, the other one counts',
    two(async (w, one, other) => {
      const ada = await w.prime(name, [1]);
      const bob = await w.prime(name, [2]);
      await one.write(rename, ['Ida', 1]);
      await other.write(rename, ['Bo', 2]);
      await one.rollBack();
      await w.beside(() => ada.kept());
      await other.commit();
      await ada.kept();
      await bob.changed();
    }),
    { needs: ['two writers'] },
  ),
  trap(
    'of two at the same time, each commits what is its own',
    two(async (w, one, other) => {
      const ada = await w.prime(name, [1]);
      const bob = await w.prime(name, [2]);
      await one.write(rename, ['Ida', 1]);
      await other.write(rename, ['Bo', 2]);
      await other.commit();
      await bob.changed();
      await w.beside(() => ada.kept());
      await one.commit();
      await ada.changed();
    }),
    { needs: ['two writers'] },
  ),
  trap('an error that was caught inside leaves the cache right, whatever COMMIT made of it', async (w) => {
    const ada = await w.prime(name, [1]);
    // PostgreSQL answers this COMMIT with ROLLBACK, and not with an error; the others commit what went well.
    await w.writer
      .transaction(async (tx) => {
        await tx.write(rename, ['Ida', 1]);
        await rejection(
          tx.write('insert into accounts (id, org, name, email) values (1, ?, ?, ?)', ['acme', 'x', 'y']),
        );
      })
      .catch(() => {});
    await ada.right();
  }),
  trap('a statement that nobody awaited counts when COMMIT came before its answer', async (w) => {
    const all = await w.prime(names);
    let late: Promise<unknown> = Promise.resolve();
    await w.writer.transaction(async (tx) => {
      await tx.read('select 1 as one');
      late = tx.write(rename, ['Ida', 1]).catch(() => {});
    });
    await late;
    await all.right();
  }),
  trap('a change of more rows than anybody counts is a change of the table', async (w) => {
    const ada = await w.prime(name, [1]);
    const codes = Array.from({ length: 300 }, (_, i) => `c${i + 100}`);
    await w.bare(`insert into codes (code, value) values ${codes.map(() => '(?, 1)').join(', ')}`, codes);
    const last = await w.prime('select value from codes where code = ?', ['c399']);
    await w.writer.transaction(async (tx) => {
      // As many rows at a time as a single statement tells.
      for (let i = 0; i < codes.length; i += 100) {
        const some = codes.slice(i, i + 100);
        await tx.write(`update codes set value = 0 where code in (${some.map(() => '?').join(', ')})`, some);
      }
    });
    await last.changed();
    await ada.kept();
  }),
  trap(
    'statements given to a handle belong to its transaction',
    async (w) => {
      const ada = await w.prime(name, [1]);
      const all = await w.prime(names);
      const through = (handle: object) =>
        w.writer.using?.(handle) as NonNullable<ReturnType<NonNullable<typeof w.writer.using>>>;
      await rolledBack(w.writer, async ({ handle }) => {
        await through(handle).write(rename, ['Ida', 1]);
        assert.deepEqual(await through(handle).read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
        // Also by somebody who is outside of the callback.
        await w.beside(async () => {
          assert.deepEqual(await through(handle).read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
          await ada.kept();
        });
      });
      await ada.kept();
      await w.writer.transaction(async ({ handle }) => {
        await w.beside(() => through(handle).write(rename, ['Ida', 1]));
        await w.beside(() => ada.kept());
      });
      await ada.changed();
      await all.changed();
    },
    { needs: ['using'] },
  ),
  trap(
    'the members of a batch see each other, and count when it has committed',
    async (w) => {
      const batch = w.writer.batch?.bind(w.writer) as NonNullable<typeof w.writer.batch>;
      const ada = await w.prime(name, [1]);
      const [, inside] = await batch([
        { sql: rename, params: ['Ida', 1] },
        { sql: name, params: [1], per: hour },
      ]);
      assert.deepEqual(inside, [{ id: 1, name: 'Ida' }]);
      await ada.changed();
      const bob = await w.prime(name, [2]);
      await rejection(
        batch([
          { sql: rename, params: ['Bo', 2] },
          { sql: name, params: [2], per: hour },
          { sql: 'insert into pairs (a, b, value) values (1, 1, ?)', params: ['twice'] },
        ]),
      );
      await bob.unchanged();
    },
    { needs: ['batch'] },
  ),
]);

/** One of two transactions that are stepped through. */
interface Stepped {
  write(sql: string, params: readonly unknown[]): Promise<unknown>;
  commit(): Promise<void>;
  rollBack(): Promise<void>;
}

/** Opens two transactions of the writer's client, for a body that says which of them does what next. */
function two(body: (w: World, one: Stepped, other: Stepped) => Promise<void>): (w: World) => Promise<void> {
  return async (w) => {
    const one = await stepped(w);
    const other = await stepped(w);
    try {
      await body(w, one, other);
    } finally {
      await Promise.allSettled([one.rollBack(), other.rollBack()]);
    }
  };
}

async function stepped(w: World): Promise<Stepped> {
  let end: (error?: Error) => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  let begun: (tx: Pick<World['writer'], 'write'>) => void = () => {};
  const tx = new Promise<Pick<World['writer'], 'write'>>((resolve) => {
    begun = resolve;
  });
  const whole = w.beside(() =>
    w.writer.transaction((inside) => {
      begun(inside);
      return ended;
    }),
  );
  whole.catch(() => {});
  const open = await Promise.race([tx, whole.then(() => tx)]);
  return {
    write: (sql, params) => open.write(sql, params),
    async commit() {
      end();
      await whole;
    },
    async rollBack() {
      end(new Error('rolled back on purpose'));
      await whole.catch(() => {});
    },
  };
}
