import { ends } from './parts.js';
import { about, trap } from './trap.js';

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
