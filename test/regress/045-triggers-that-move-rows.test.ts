import { expect, test } from 'vitest';
import { ends } from '../unit/adapter/a-plan.js';

// `writes: []` says that a trigger changes nothing but the row itself. A BEFORE trigger may change the row's tenant too:
// then the statement names one tenant, and the row goes to another.

const tables = {
  orders: { columns: { id: 'integer', org_id: 'integer', email: 'text' }, key: ['id'], triggers: ['fill_org'] },
} as const;
const rules = { tenant: 'org_id', tables: { orders: { writes: [] } } };

test.fails('of a table whose trigger may change the row no tenant is named', () => {
  expect(ends('insert into orders (id, org_id) values (7, 1)', [], { tables, rules })).toContain('orders!tenants');
});
