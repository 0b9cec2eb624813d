import { expect, test } from 'vitest';
import { ends } from '../unit/adapter/a-plan.js';

// PostgreSQL stores the sequence's value where OVERRIDING USER VALUE stands. The row that is in its way has that key.

const upsert = (how: string) =>
  `insert into orders (id, org_id) ${how} values (5, 1) on conflict (id) do update set email = 'a'`;

test('an upsert that overrides the value of its key names no row', () => {
  expect(ends(upsert('overriding user value'))).toEqual(['orders', 'orders!rows', 'orders!tenants']);
  expect(ends(upsert('overriding system value'))).toEqual(ends(upsert('')));
});
