import assert from 'node:assert/strict';
import type { AdapterBuilders, AdapterClient } from './driver.js';
import { type Spoken, upsertAccount, upsertEmail } from './shop.js';
import { about, type Trap, trap } from './trap.js';
import { rejection, type World } from './world.js';

const account = 'select id, name, org from accounts where id = ?';
const accounts = 'select id, name, org from accounts';
const acme = 'select id, name from accounts where org = ?';
const tenant = { tenant: 'org' };

/** A write and a read that it must end. */
function ends(
  name: string,
  reads: readonly (readonly [sql: string, ...params: unknown[]])[],
  write: string | Spoken<string>,
  params: readonly unknown[] = [],
  options: Parameters<typeof trap>[2] = {},
): Trap {
  return trap(
    name,
    async (w) => {
      const primed = [];
      for (const [sql, ...values] of reads) primed.push(await w.prime(sql, values));
      await w.writer.write(typeof write === 'string' ? write : write[w.dialect], params);
      for (const one of primed) await one.changed();
    },
    options,
  );
}

const newcomer = 'insert into accounts (id, org, name, email) values (?, ?, ?, ?)';

/** Every statement that changes rows ends what was read of them. */
export const writes = about('writes', [
  ends(
    'an insert ends lists and counts',
    [[accounts], ['select count(*) as n from accounts'], [acme, 'acme']],
    newcomer,
    [...[9, 'acme', 'Eve', 'eve@x']],
  ),
  ends(
    'an update by key ends its row and lists',
    [[account, 1], [accounts]],
    'update accounts set name = ? where id = ?',
    [...['Ida', 1]],
  ),
  ends(
    'an update by another column ends rows and lists',
    [[account, 1], [accounts], [acme, 'acme']],
    'update accounts set name = ? where email = ?',
    [...['Ida', 'ada@x']],
  ),
  ends(
    'an update without a condition ends every row',
    [
      [account, 1],
      [account, 4],
    ],
    'update accounts set name = upper(name)',
  ),
  ends('a delete ends its row and lists', [[account, 4], [accounts]], 'delete from accounts where id = ?', [4]),
  ends(
    'a delete without a condition ends everything',
    [['select word from words where id = ?', 1], ['select word from words']],
    'delete from words',
  ),
  ends(
    'TRUNCATE ends everything',
    [['select word from words where id = ?', 1], ['select word from words']],
    'truncate table words',
    [],
    {
      not: { sqlite: 'no TRUNCATE' },
    },
  ),
  ends(
    'TRUNCATE … CASCADE ends what refers to it',
    [['select word from words where id = ?', 1], ['select label from marks']],
    'truncate table accounts cascade',
    [],
    {
      not: { sqlite: 'no TRUNCATE', mysql: 'TRUNCATE has no CASCADE' },
    },
  ),
  ends(
    'an insert of rows of another query counts',
    [['select word from words']],
    'insert into words (id, note_id, word) select id + 10, id, body from notes',
  ),
  ends('an update with a join counts', [[account, 1]], {
    postgres: `update accounts set name = n.body from notes n where n.account_id = accounts.id and n.id = 4`,
    mysql: `update accounts join notes n on n.account_id = accounts.id set accounts.name = n.body where n.id = 4`,
    sqlite: `update accounts set name = n.body from notes n where n.account_id = accounts.id and n.id = 4`,
  }),
  ends(
    'an update of two tables counts for both',
    [
      [account, 1],
      ['select body from notes where id = ?', 1],
    ],
    `update accounts a, notes n
    set a.name = 'x', n.body = 'x' where n.account_id = a.id and a.id = 1`,
    [],
    {
      not: { postgres: 'an UPDATE has one target', sqlite: 'an UPDATE has one target' },
    },
  ),
  ends('a delete with a join counts', [['select word from words where id = ?', 2]], {
    postgres: `delete from words using notes n where n.id = note_id and n.body = 'three'`,
    mysql: `delete words from words join notes n on n.id = words.note_id where n.body = 'three'`,
    sqlite: `delete from words where note_id in (select id from notes where body = 'three')`,
  }),
  ends(
    'a delete of two tables counts for both',
    [['select word from words'], ['select label from marks']],
    `delete words, marks from words, marks
    where words.id = 1 and marks.id = 3`,
    [],
    {
      not: { postgres: 'a DELETE has one target', sqlite: 'a DELETE has one target' },
    },
  ),
  ends(
    'MERGE counts',
    [[account, 1], [accounts]],
    `merge into accounts a using notes n on n.account_id = a.id and n.id = 4
    when matched then update set name = n.body`,
    [],
    { needs: ['merge'] },
  ),
  ends(
    'REPLACE counts for the row that it takes the place of, and for its children',
    [
      [account, 3],
      [accounts],
      ['select account_id from marks where id = ?', 2],
      ['select body from notes where id = ?', 3],
    ],
    `replace into accounts (id, org, name, email)
    values (9, 'acme', 'Eve', 'cleo@x')`,
    [],
    { not: { postgres: 'no REPLACE' } },
  ),
  ends(
    'a RETURNING that was asked for is a write',
    [[account, 1], [accounts]],
    `update accounts set name = 'Ida' where id = 1 returning id, name`,
    [],
    {
      needs: ['returning'],
    },
  ),
  trap(
    'a RETURNING that was asked for gives its rows, and nothing else',
    async (w) => {
      const { rows } = await w.writer.write(`update accounts set name = 'Ida' where id = 1 returning id, name`);
      assert.deepEqual(rows, [{ id: 1, name: 'Ida' }]);
    },
    { needs: ['returning'], rules: tenant },
  ),
  trap(
    'what an update gives back does not show that anything was added to it',
    async (w) => {
      const sql = 'update accounts set name = ? where id = ?';
      const { rows, count } = await w.writer.write(sql, ['Ida', 1]);
      assert.deepEqual(rows, []);
      assert.ok(count === undefined || count === 1, `count was ${count}`);
      const none = await w.writer.write(sql, ['Ida', 77]);
      assert.ok(none.count === undefined || none.count === 0, `count was ${none.count}`);
    },
    { rules: tenant },
  ),
  trap(
    'a write hidden in a SELECT runs each time, and counts',
    async (w) => {
      const words = await w.prime('select word from words');
      const sql = `with added as (insert into words (id, note_id, word) select max(id) + 1, 1, 'again' from words returning id)
      select id from added`;
      for (let i = 0; i < 3; i++) await w.writer.read(sql, [], '1h');
      await words.changed();
      assert.deepEqual(await w.bare(`select count(*) as n from words where word = 'again'`), [{ n: '3' }]);
    },
    { not: { mysql: 'no writing CTE', sqlite: 'no writing CTE' } },
  ),
  trap(
    'two statements in one text both count',
    async (w) => {
      const [ada, word] = [await w.prime(account, [1]), await w.prime('select word from words')];
      await w.writer.write(`update accounts set name = 'Ida' where id = 1; delete from words where id = 1`);
      await ada.changed();
      await word.changed();
    },
    { needs: ['several'] },
  ),
  trap(
    'an UPDATE … RETURNING that is streamed counts',
    async (w) => {
      const [ada, all] = [await w.prime(account, [1]), await w.prime(accounts)];
      const stream = w.writer.stream?.bind(w.writer) as NonNullable<AdapterClient['stream']>;
      const ids: unknown[] = [];
      for await (const row of stream('update accounts set name = upper(name) returning id')) ids.push(row.id);
      assert.equal(ids.length, 4);
      await ada.changed();
      await all.changed();
    },
    { needs: ['stream', 'returning'] },
  ),
  trap('a statement with quotes, comments and capitals in odd places is read as the database does', async (w) => {
    const all = await w.prime(accounts);
    const quoted = w.dialect === 'mysql' ? '`accounts`' : '"accounts"';
    await w.writer.write(
      `/* update notes */ UpDate ${quoted} -- set body\n SET name = 'it''s; delete from words' WHERE ID = 1`,
    );
    await all.changed();
  }),
]);

/** What is inserted, or changed when it is there already. */
export const upserts = about('upserts', [
  trap(
    'one of a row that is there ends it',
    both(
      async (w) => {
        await w.writer.write(upsertAccount[w.dialect], [1, 'acme', 'Ida', 'ada@x']);
      },
      [account, 1],
      [accounts],
      [acme, 'acme'],
    ),
    { rules: tenant },
  ),
  trap(
    'one of a row that is not there ends lists and the answer that there is none',
    both(
      async (w) => {
        await w.writer.write(upsertAccount[w.dialect], [9, 'acme', 'Eve', 'eve@x']);
      },
      [account, 9],
      [accounts],
      [acme, 'acme'],
    ),
    { rules: tenant },
  ),
  trap(
    'one that meets a row by another unique key ends that row, whoever has it',
    both(
      async (w) => {
        // Says 9 and acme; changes row 3, of zeta.
        await w.writer.write(upsertEmail[w.dialect], [9, 'acme', 'Cleopatra', 'cleo@x']);
      },
      [account, 3],
      [accounts],
      [acme, 'zeta'],
    ),
    { rules: tenant },
  ),
  trap('INSERT that ignores what is there leaves it in the cache, or loads the same again', async (w) => {
    const ada = await w.prime(account, [1]);
    const into = { postgres: 'insert into', mysql: 'insert ignore into', sqlite: 'insert or ignore into' };
    const end = w.dialect === 'postgres' ? ' on conflict do nothing' : '';
    const sql = `${into[w.dialect]} accounts (id, org, name, email) values (?, ?, ?, ?)${end}`;
    await w.writer.write(sql, [1, 'acme', 'Ida', 'ida@x']);
    await ada.unchanged();
    const eve = await w.prime(account, [9]);
    await w.writer.write(sql, [9, 'acme', 'Eve', 'eve@x']);
    await eve.changed();
  }),
]);

function both(
  act: (w: World) => Promise<void>,
  ...reads: readonly (readonly [sql: string, ...params: unknown[]])[]
): (w: World) => Promise<void> {
  return async (w) => {
    const primed = [];
    for (const [sql, ...params] of reads) primed.push(await w.prime(sql, params));
    await act(w);
    for (const one of primed) await one.changed();
  };
}

/** What the database changes by itself when a row goes or gets another key. */
export const cascades = about('foreign keys', [
  ends(
    'ON DELETE CASCADE ends the children',
    [['select body from notes where id = ?', 1], ['select body from notes']],
    'delete from accounts where id = 1',
  ),
  ends(
    'ON DELETE CASCADE ends the children of children',
    [['select word from words where id = ?', 1], ['select word from words']],
    'delete from accounts where id = 1',
  ),
  ends(
    'ON DELETE SET NULL ends the children',
    [
      ['select account_id from marks where id = ?', 1],
      ['select id from marks where account_id = ?', 1],
    ],
    'delete from accounts where id = 1',
  ),
  ends(
    'ON UPDATE CASCADE ends the children',
    [
      ['select account_id from marks where id = ?', 2],
      ['select id from marks where account_id = ?', 3],
    ],
    'update accounts set id = 33 where id = 3',
    [],
    { given: ['delete from notes where account_id = 3'] },
  ),
  trap('an update of other columns leaves the children in the cache', async (w) => {
    const notes = await w.prime('select body from notes');
    await w.writer.write('update accounts set name = ? where id = ?', ['Ida', 1]);
    await notes.kept();
  }),
]);

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
