import { expect, test } from 'vitest';
import { ends } from '../unit/adapter/a-plan.js';

// A BEFORE trigger may change the row's tenant: then the statement names one tenant, and the row goes to another. Who
// declares such a trigger names its own table.

const tables = {
  orders: { columns: { id: 'integer', org_id: 'integer', email: 'text' }, key: ['id'], triggers: ['fill_org'] },
} as const;
const rules = { tenant: 'org_id', tables: { orders: { writes: ['orders'] } } };

test('of a table whose trigger is said to change its rows no tenant is named', () => {
  expect(ends('insert into orders (id, org_id) values (7, 1)', [], { tables, rules })).toContain('orders!tenants');
});
