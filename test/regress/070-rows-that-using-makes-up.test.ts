import { expect, test } from 'vitest';
import { readsAfter } from '../unit/adapter/a-plan.js';
import { mysql, postgres, sqlite } from '../unit/sql/a-statement.js';

// A column that USING shares has a value where one of the tables has no row. `WHERE id = 7` was taken to say that both
// have theirs, so an INSERT of the missing one did not end the read.

const tables = {
  users: { columns: { id: 'integer', name: 'text' }, key: ['id'] },
  posts: { columns: { id: 'integer', title: 'text' }, key: ['id'] },
} as const;

test.each([
  'SELECT * FROM posts LEFT JOIN users USING (id) WHERE id = 7',
  'SELECT * FROM users RIGHT JOIN posts USING (id) WHERE id = 7',
  'SELECT * FROM posts NATURAL LEFT JOIN users WHERE id = 7',
  'SELECT * FROM posts FULL JOIN users USING (id) WHERE id = 7',
  'SELECT * FROM (SELECT * FROM posts LEFT JOIN users USING (id) WHERE id = 7) AS x',
])('the table that may have no row counts as a whole: %s', (sql) => {
  for (const dialect of [postgres, mysql, sqlite])
    expect(readsAfter([{ id: 7 }], sql, [], { dialect, tables, rules: {} })).toContain('users');
});

test('an inner join has a row of each', () => {
  const sql = 'SELECT * FROM posts JOIN users USING (id) WHERE id = 7';
  const after = readsAfter([{ id: 7 }], sql, [], { tables, rules: {} });
  expect(after).not.toContain('users');
  expect(after).not.toContain('posts');
});
