import assert from 'node:assert/strict';
import type { AdapterClient, AdapterTransaction } from './driver.js';
import { hour } from './primed.js';
import { name, rename } from './shop.js';
import { about, trap } from './trap.js';
import type { World } from './world.js';

/** Opens a transaction that sees the database as it was at its first read, and reads. */
async function snapshot<T>(w: World, fn: (tx: AdapterTransaction) => Promise<T>): Promise<T> {
  return w.writer.transaction(async (tx) => {
    if (w.dialect === 'postgres') await tx.write('set transaction isolation level repeatable read');
    await tx.read('select code from codes');
    return fn(tx);
  });
}

/** What a transaction reads may be older than what was acknowledged before the read. */
export const isolation = about('snapshots', [
  trap('what was read through in one is not stored', async (w) => {
    await snapshot(w, async (tx) => {
      await w.beside(() => w.reader.write(rename, ['Ida', 1]));
      assert.deepEqual(await tx.read(name, [1], hour), [{ id: 1, name: 'Ada' }]);
    });
    for (const client of [w.writer, w.reader])
      assert.deepEqual(await client.read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
  }),
  trap('a load in one is not stored', async (w) => {
    const read = (from: Pick<AdapterClient, 'read'>) =>
      w.cacheOfWriter.getOrSet({ key: 'ada', ttl: hour, load: () => from.read(name, [1]) });
    await snapshot(w, async (tx) => {
      await w.beside(() => w.reader.write(rename, ['Ida', 1]));
      assert.deepEqual(await read(tx), [{ id: 1, name: 'Ada' }]);
    });
    assert.deepEqual(await read(w.writer), [{ id: 1, name: 'Ida' }]);
  }),
  trap('a load beside it that reads over its connection is not stored', async (w) => {
    // The code is outside of the transaction, and its statements are inside.
    const load = (tx: Pick<AdapterClient, 'read'>) =>
      w.beside(() => w.cacheOfWriter.getOrSet({ key: 'ada', ttl: hour, load: () => tx.read(name, [1]) }));
    await snapshot(w, async (tx) => {
      await w.beside(() => w.reader.write(rename, ['Ida', 1]));
      assert.deepEqual(await load(tx), [{ id: 1, name: 'Ada' }]);
    });
    assert.deepEqual(await load(w.writer), [{ id: 1, name: 'Ida' }]);
  }),
  trap('a load that opens one of its own gives the row of now afterwards', async (w) => {
    let meanwhile = async () => {};
    const read = () =>
      w.cacheOfReader.getOrSet({
        key: 'ada',
        ttl: hour,
        load: () =>
          w.reader.transaction(async (tx) => {
            if (w.dialect === 'postgres') await tx.write('set transaction isolation level repeatable read');
            await tx.read('select code from codes');
            await meanwhile();
            return tx.read(name, [1]);
          }),
      });
    if (w.driver.pool || w.reader !== w.writer) {
      meanwhile = async () => void (await w.beside(() => w.writer.write(rename, ['Ida', 1])));
      assert.deepEqual(await read(), [{ id: 1, name: 'Ada' }]);
      meanwhile = async () => {};
    }
    assert.deepEqual(await read(), [{ id: 1, name: 'Ida' }]);
    await w.writer.write(rename, ['Eda', 1]);
    assert.deepEqual(await read(), [{ id: 1, name: 'Eda' }]);
  }),
  trap(
    'one opened by hand is one too',
    async (w) => {
      const connection = w.writer.connection?.bind(w.writer) as NonNullable<AdapterClient['connection']>;
      const key = 'ada';
      await connection(async (run) => {
        await run(w.dialect === 'postgres' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ' : 'BEGIN');
        await run('select code from codes');
        await w.beside(() => w.reader.write(rename, ['Ida', 1]));
        const load = () => run('select id, name from accounts where id = 1');
        assert.deepEqual(await w.cacheOfWriter.getOrSet({ key, ttl: hour, load }), [{ id: 1, name: 'Ada' }]);
        await run('COMMIT');
      });
      const load = () => w.writer.read(name, [1]);
      assert.deepEqual(await w.cacheOfWriter.getOrSet({ key, ttl: hour, load }), [{ id: 1, name: 'Ida' }]);
    },
    { needs: ['connection'] },
  ),
]);
