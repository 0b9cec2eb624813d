import assert from 'node:assert/strict';
import { table } from '../../index.js';
import { hour } from './primed.js';
import { rolledBack } from './rejecting.js';
import { name, names, rename } from './shop.js';
import { about, trap } from './trap.js';
import type { World } from './world.js';

/** What is said by hand, beside what the adapter sees. */
export const words = about('by hand', [
  trap('a table told by name ends what was read of it, and nothing else', async (w) => {
    const [ada, all, pairs] = [
      await w.prime(name, [1]),
      await w.prime(names),
      await w.prime('select value from pairs'),
    ];
    await w.bare(rename, ['Ida', 1]);
    await w.cacheOfWriter.invalidate(table('accounts'));
    await ada.changed();
    await all.changed();
    await pairs.kept();
  }),
  trap('a row told by its key ends it and lists, and leaves other rows', async (w) => {
    const [ada, bob, all] = [await w.prime(name, [1]), await w.prime(name, [2]), await w.prime(names)];
    await w.bare(rename, ['Ida', 1]);
    await w.cacheOfWriter.invalidate(table('accounts', { id: 1 }));
    await ada.changed();
    await all.changed();
    await bob.kept();
  }),
  trap(
    'a tenant told by name ends its lists, and leaves those of others',
    async (w) => {
      const sql = 'select id, name from accounts where org = ?';
      const [acme, zeta] = [await w.prime(sql, ['acme']), await w.prime(sql, ['zeta'])];
      await w.bare(rename, ['Ida', 1]);
      await w.cacheOfWriter.invalidate(table('accounts', { id: 1, tenant: 'acme' }));
      await acme.changed();
      await zeta.kept();
    },
    { rules: { tenant: 'org' } },
  ),
  trap('a value tagged by hand ends with a write that the adapter sees', async (w) => {
    let current = 1;
    const read = () =>
      w.cacheOfReader.getOrSet({
        key: 'by hand',
        tags: [table('accounts', { id: 1 })],
        ttl: hour,
        load: () => current,
      });
    assert.equal(await read(), 1);
    current = 2;
    await w.writer.write(rename, ['Bo', 2]);
    assert.equal(await read(), 1);
    await w.writer.write(rename, ['Ida', 1]);
    assert.equal(await read(), 2);
  }),
  trap('invalidate inside of a transaction happens at COMMIT', async (w) => {
    const value = tagged(w);
    assert.equal(await value.read(), 1);
    await w.writer.transaction(async (tx) => {
      await tx.read('select 1 as one');
      value.change();
      await w.cacheOfWriter.invalidate('mine');
      assert.equal(await w.beside(value.read), 1, 'not told before COMMIT');
    });
    assert.equal(await value.read(), 2);
  }),
  trap('invalidate inside of a transaction that is rolled back does not happen', async (w) => {
    const value = tagged(w);
    assert.equal(await value.read(), 1);
    value.change();
    await rolledBack(w.writer, () => w.cacheOfWriter.invalidate('mine'));
    await w.writer.transaction(async (tx) => {
      await rolledBack(tx, () => w.cacheOfWriter.invalidate('mine'));
    });
    assert.equal(await value.read(), 1);
  }),
  trap('within(handle) is inside: reads pass by, invalidate waits', async (w) => {
    const ada = await w.prime(name, [1]);
    const value = tagged(w);
    assert.equal(await value.read(), 1);
    await w.writer.transaction(async (tx) => {
      await tx.write(rename, ['Ida', 1]);
      await w.beside(() =>
        w.cacheOfWriter.within(tx.handle, async () => {
          const load = () => tx.read(name, [1]);
          assert.deepEqual(await w.cacheOfWriter.getOrSet({ key: 'within', ttl: hour, load }), [
            { id: 1, name: 'Ida' },
          ]);
          value.change();
          await w.cacheOfWriter.invalidate('mine');
        }),
      );
      assert.equal(await w.beside(value.read), 1);
      await w.beside(() => ada.kept());
    });
    assert.equal(await value.read(), 2);
    assert.equal(await w.cacheOfReader.has('within'), false, 'what was loaded inside is not stored');
    await ada.changed();
  }),
  trap('within(handle) of a transaction that is rolled back drops what was invalidated', async (w) => {
    const value = tagged(w);
    assert.equal(await value.read(), 1);
    value.change();
    await rolledBack(w.writer, (tx) =>
      w.beside(() => w.cacheOfWriter.within(tx.handle, () => w.cacheOfWriter.invalidate('mine'))),
    );
    assert.equal(await value.read(), 1);
  }),
  trap('within(something) that no client knows is a mistake of the caller', async (w) => {
    await assert.rejects(
      w.cacheOfWriter.within({}, async () => {}),
      TypeError,
    );
  }),
]);

/** A value with a tag that no statement raises. */
function tagged(w: World): { read(): Promise<number>; change(): void } {
  let current = 1;
  return {
    read: () => w.cacheOfReader.getOrSet({ key: 'tagged', tags: ['mine'], ttl: hour, load: () => current }),
    change() {
      current += 1;
    },
  };
}
