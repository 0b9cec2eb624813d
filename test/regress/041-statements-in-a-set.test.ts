import { expect, test } from 'vitest';
import { ends, plan } from '../unit/adapter/a-plan.js';

// MariaDB runs what stands behind FOR. It was read as a setting, and ended nothing.

const mysql = { dialect: { name: 'mysql' } } as const;

test.each([
  "update orders set email = 'a' where id = 7",
  'delete from orders where id = 7',
  'insert into orders (id, org_id) values (7, 1)',
])('SET STATEMENT … FOR %s ends what it changes', (statement) => {
  expect(ends(`set statement max_statement_time = 1 for ${statement}`, [], mysql)).toEqual(['*']);
});

test('a query in a SET STATEMENT is not kept', () => {
  expect(plan('set statement max_statement_time = 1 for select * from orders', mysql).uncacheable).toBeDefined();
});
