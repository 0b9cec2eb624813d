import { expect, test } from 'vitest';
import { createFeed, feedSql, listen, poll } from '../../../src/feed/index.js';
import { createCache } from '../../../src/index.js';

test.each([
  [
    () => feedSql({ dialect: 'oracle' as never, tables: 'all' }),
    "Expected `dialect` to be 'postgres', 'mysql' or 'sqlite', got \"oracle\"",
  ],
  [() => feedSql({ dialect: 'mysql', tables: 'all' }), 'Expected `tables` to be an object'],
  [
    () => feedSql({ dialect: 'sqlite', tables: { orders: {} } }),
    'Expected `tables.orders.id` to be the columns of the primary key',
  ],
  [() => feedSql({ dialect: 'postgres', tables: {} }), "Expected `tables` to be 'all' or an object"],
  [
    () => feedSql({ dialect: 'postgres', tables: 'all', channel: "x'; drop" }),
    'Expected `channel` to be a lower-case name',
  ],
  [() => listen({ connect: {} as never }), 'Expected `connect` to be a function that makes a client'],
  [() => listen({ connect: () => ({}) as never, heartbeat: 0 }), 'Expected `heartbeat` to be more than 0'],
  [() => poll({ query: 'select' as never }), 'Expected `query` to be a function that runs a statement'],
  [
    () => createFeed({ cache: createCache(), source: {} as never, tables: ['x'] }),
    'Expected `source` to be listen({ … }) or poll({ … })',
  ],
  [
    () => createFeed({ cache: createCache(), source: poll({ query: async () => [] }), tables: [] }),
    "Expected `tables` to be a list such as ['orders']",
  ],
  [() => createFeed({ cache: createCache(), tabels: [] } as never), 'Expected an option of createFeed'],
])('wrong options of a feed are named: %#', (make, message) => {
  expect(make).toThrow(message);
});

test('names with quotes stay names', () => {
  const { up } = feedSql({ dialect: 'postgres', tables: { 'sales."x\'': { tenant: "o'rg" } } });
  expect(up).toContain(`'"sales"."""x''"'::regclass`);
  expect(up).toContain("'o''rg' as tenant");
  expect(feedSql({ dialect: 'mysql', tables: { 'a`b': { id: 'i`d' } } }).up).toContain('on `a``b` for each row');
});
