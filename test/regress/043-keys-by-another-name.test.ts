import { expect, test } from 'vitest';
import { ends } from '../unit/adapter/a-plan.js';

// `rowid` is another name of an integer primary key in SQLite. A foreign key that carries on updates of the key carries
// on this one, and the children's tags were not raised.

const tables = {
  orders: { columns: { id: 'integer', org_id: 'integer' }, key: ['id'] },
  lines: { columns: { id: 'integer', order_id: 'integer' }, key: ['id'], refers: { orders: ['id', 'update'] } },
} as const;

test.each(['rowid', '_rowid_', 'oid', 'ROWID'])('SET %s is followed to the children', (name) => {
  const ended = ends(`update orders set ${name} = 9 where id = 7`, [], { dialect: { name: 'sqlite' }, tables });
  expect(ended).toEqual(expect.arrayContaining(['orders!rows', 'lines', 'lines!rows']));
});

test('a column of that name is a column', () => {
  const own = { ...tables, orders: { ...tables.orders, columns: { ...tables.orders.columns, oid: 'text' } } } as const;
  expect(ends('update orders set oid = 9 where id = 7', [], { tables: own })).not.toContain('lines');
});
