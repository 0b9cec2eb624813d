import { expect, test } from 'vitest';
import { collapse } from '../../../../src/adapter/collapse.js';

const rows = (table: string, count: number) => Array.from({ length: count }, (_, at) => `${table}#${at}`);

test('256 rows of a table are named one by one', () => {
  const tags = ['table:app.orders', ...rows('table:app.orders', 256)];
  expect(collapse(tags)).toEqual(tags);
});

test('one more, and they are all of its rows', () => {
  const tags = ['table:app.orders', ...rows('table:app.orders', 257), ...rows('table:app.users', 2), 'by hand'];
  expect(collapse(tags)).toEqual([
    ...['table:app.orders', 'table:app.orders!rows', 'table:app.users#0', 'table:app.users#1', 'by hand'],
  ]);
});

test('tenants and tags of others are no rows', () => {
  const tags = [...rows("table:app.orders@['4:a", 300), ...rows('by hand', 300)];
  expect(collapse(tags)).toEqual(tags);
});
