import assert from 'node:assert/strict';
import { cached } from '../../adapter/index.js';
import { hour } from './primed.js';
import { name, names, rename } from './shop.js';
import { about, trap } from './trap.js';
import type { World } from './world.js';

/** Who says what is kept, and for how long: the call, what is around it, the rules of its tables, or nobody. */
export const wishes = about('reading', [
  trap('nothing is answered from the cache that nobody asked to be', async (w) => {
    await w.reader.read(names, [], hour);
    const before = w.count(names);
    await w.reader.read(names);
    await w.reader.read(names, [], false);
    assert.equal(w.count(names) - before, 2);
  }),
  trap(
    'a rule of a table says for how long, and another one that it is never cached',
    async (w) => {
      await w.settle();
      for (let round = 0; round < 2; round++) await w.reader.read(names);
      assert.equal(w.count(names), 1);
      const pairs = 'select value from pairs';
      for (let round = 0; round < 2; round++) await w.reader.read(pairs);
      assert.equal(w.count(pairs), 2);
      const both = 'select a.name, p.value from accounts a join pairs p on p.a = a.id';
      for (let round = 0; round < 2; round++) await w.reader.read(both);
      assert.equal(w.count(both), 2, 'a read of both');
      await w.writer.write(rename, ['Ida', 1]);
      assert.equal((await w.reader.read(name, [1]))[0]?.name, 'Ida');
    },
    { rules: { default: '1m', tables: { accounts: { ttl: hour }, pairs: { cache: false } } } },
  ),
  trap(
    'a default covers every read that can be cached',
    async (w) => {
      await w.settle();
      for (let round = 0; round < 2; round++) await w.reader.read(names);
      assert.equal(w.count(names), 1);
      for (let round = 0; round < 2; round++) await w.reader.read(names, [], false);
      assert.equal(w.count(names), 3);
      const all = await w.prime(names);
      await w.writer.write(rename, ['Ida', 1]);
      await all.changed();
      await w.writer.transaction(async (tx) => {
        await tx.write(rename, ['Eda', 1]);
        assert.equal((await tx.read(name, [1]))[0]?.name, 'Eda');
      });
      await all.changed();
    },
    { rules: { default: hour } },
  ),
  trap('cached(…) covers the reads inside of it, and nothing else', async (w) => {
    const read = () => cached(hour, () => w.reader.read(names));
    for (let round = 0; round < 2; round++) await read();
    assert.equal(w.count(names), 1);
    await w.reader.read(names);
    assert.equal(w.count(names), 2);
    await w.writer.write(rename, ['Ida', 1]);
    assert.ok((await read()).some((row) => row.name === 'Ida'));
    await w.writer.transaction(async (tx) => {
      await tx.write(rename, ['Eda', 1]);
      assert.ok((await cached(hour, () => tx.read(names))).some((row) => row.name === 'Eda'));
    });
    assert.ok((await read()).some((row) => row.name === 'Eda'));
  }),
]);

/** Where the promise ends, said by tests so that nobody takes it for wider than it is. */
export const limits = about('limits', [
  trap('a write that no wrapped client saw is served old until its time is over, or somebody tells', async (w) => {
    const short: Parameters<World['reader']['read']> = [name, [1], '400ms'];
    const long: Parameters<World['reader']['read']> = [names, [], hour];
    await w.reader.read(...short);
    await w.reader.read(...long);
    await w.bare(rename, ['Ida', 1]);
    assert.equal((await w.reader.read(...long)).find((row) => row.id === 1)?.name, 'Ada');
    await new Promise((resolve) => setTimeout(resolve, 450));
    assert.deepEqual(await w.reader.read(...short), [{ id: 1, name: 'Ida' }]);
  }),
]);
