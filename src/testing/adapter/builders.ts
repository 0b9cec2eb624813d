import assert from 'node:assert/strict';
import type { AdapterBuilders, AdapterClient } from './driver.js';
import { rejection } from './rejecting.js';
import { account } from './shop.js';
import { about, trap } from './trap.js';

const accounts = 'select id, name, org from accounts';
const tenant = { tenant: 'org' };

/** The client's own builders, repositories or whatever makes its SQL. */
export const builders = about('builders', [
  trap(
    'insert, update, upsert and remove end what they change',
    async (w) => {
      const make = w.writer.builders as AdapterBuilders;
      let [row, list] = [await w.prime(account, [1]), await w.prime(accounts)];
      await make.update('accounts', { id: 1 }, { name: 'Ida' });
      await row.changed();
      await list.changed();
      [row, list] = [await w.prime(account, [9]), await w.prime(accounts)];
      await make.insert('accounts', { id: 9, org: 'acme', name: 'Eve', email: 'eve@x' });
      await row.changed();
      await list.changed();
      [row, list] = [await w.prime(account, [9]), await w.prime(accounts)];
      await make.upsert('accounts', { id: 9, org: 'acme', name: 'Eva', email: 'eve@x' }, ['id']);
      await row.changed();
      await list.changed();
      [row, list] = [await w.prime(account, [9]), await w.prime(accounts)];
      await make.remove('accounts', { id: 9 });
      await row.changed();
      await list.changed();
      list = await w.prime(accounts);
      await make.insert('accounts', [
        { id: 11, org: 'acme', name: 'Eve', email: 'eve@x' },
        { id: 12, org: 'zeta', name: 'Fay', email: 'fay@x' },
      ]);
      await list.changed();
    },
    { needs: ['builders'] },
  ),
  trap(
    'find is answered from the cache, and ends with its row',
    async (w) => {
      const { find } = w.reader.builders as AdapterBuilders;
      const sent = () => w.reader.sent().length;
      const [first] = await find('accounts', { id: 1 }, '1h');
      assert.equal(first?.name, 'Ada');
      const before = sent();
      assert.deepEqual(await find('accounts', { id: 1 }, '1h'), [first]);
      assert.equal(sent(), before, 'the second find reached the database');
      await (w.writer.builders as AdapterBuilders).update('accounts', { id: 1 }, { name: 'Ida' });
      assert.equal((await find('accounts', { id: 1 }, '1h'))[0]?.name, 'Ida');
      await (w.writer.builders as AdapterBuilders).remove('accounts', { id: 1 });
      assert.deepEqual(await find('accounts', { id: 1 }, '1h'), []);
    },
    { needs: ['builders'] },
  ),
  trap(
    'find and update by key leave other rows and other tenants in the cache',
    async (w) => {
      const { find } = w.reader.builders as AdapterBuilders;
      const bob = () => find('accounts', { id: 2 }, '1h');
      const zeta = () => find('accounts', { org: 'zeta' }, '1h');
      assert.equal((await bob()).length, 1);
      assert.equal((await zeta()).length, 2);
      await (w.writer.builders as AdapterBuilders).update('accounts', { id: 1, org: 'acme' }, { name: 'Ida' });
      await (w.writer.builders as AdapterBuilders).insert('accounts', {
        id: 9,
        org: 'acme',
        name: 'Eve',
        email: 'eve@x',
      });
      const before = w.reader.sent().length;
      assert.equal((await bob()).length, 1);
      assert.equal((await zeta()).length, 2);
      assert.equal(w.reader.sent().length, before);
    },
    { needs: ['builders'], rules: tenant },
  ),
  trap(
    'those of a transaction belong to it',
    async (w) => {
      const ada = await w.prime(account, [1]);
      await rejection(
        w.writer.transaction(async (tx) => {
          const { find, update } = tx.builders as AdapterBuilders;
          await update('accounts', { id: 1 }, { name: 'Ida' });
          assert.equal((await find('accounts', { id: 1 }, '1h'))[0]?.name, 'Ida');
          await w.beside(() => ada.kept());
          throw new Error('rolled back on purpose');
        }),
      );
      await ada.kept();
      await w.writer.transaction((tx) =>
        (tx.builders as AdapterBuilders).update('accounts', { id: 1 }, { name: 'Ida' }),
      );
      await ada.changed();
    },
    { needs: ['builders'] },
  ),
  trap(
    'save finds out what changed by the row of now, not by a cached one',
    async (w) => {
      const save = w.writer.save?.bind(w.writer) as NonNullable<AdapterClient['save']>;
      await save('accounts', 1, () => {}, '1h');
      // Somebody whom the cache does not know of.
      await w.bare('update accounts set name = ? where id = ?', ['Ida', 1]);
      await save('accounts', 1, (row) => Object.assign(row, { name: 'Ada' }), '1h');
      assert.deepEqual(await w.bare('select name from accounts where id = 1'), [{ name: 'Ada' }]);
    },
    { needs: ['save'] },
  ),
]);
