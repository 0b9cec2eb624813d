import assert from 'node:assert/strict';
import type { AdapterClient } from './driver.js';
import { ends } from './parts.js';
import { account, newcomer } from './shop.js';
import { about, trap } from './trap.js';

const accounts = 'select id, name, org from accounts';
const acme = 'select id, name from accounts where org = ?';
const tenant = { tenant: 'org' };

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
      refused: { mysql: 'under `strict`: TRUNCATE of MySQL commits by itself' },
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
      const [added] = await w.bare(`select count(*) as n from words where word = 'again'`);
      assert.equal(Number(added?.n), 3);
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
    { needs: ['stream', 'returning'], refused: 'under `strict`: a stream that writes' },
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
