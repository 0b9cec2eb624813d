import { expect, test } from 'vitest';
import { aClient } from '../unit/adapter/kit/a-client.js';
import { aCache } from '../unit/core/a-cache.js';

// Both sides of a tag are made by the rules of a client. Two clients of one cache and one database that were given
// other rules would not hear of each other's writes, and loads would be served stale.

test.each([
  [{}, { tables: { orders: { ignoreColumns: ['seen'] } } }],
  [{ tenant: 'org_id' }, { tenant: 'state' }],
  [{ tenant: 'org_id' }, { tenant: 'org_id', tables: { orders: { grain: 'state' } } }],
])('clients of one database that make other tags are refused: %j beside %j', (some, others) => {
  const { cache } = aCache();
  aClient({ cache, ...some });
  expect(() => aClient({ cache, ...others })).toThrow(/to be the same in all clients of the database/);
});

test('clients that differ in what they keep, and for how long, are not', () => {
  const { cache } = aCache();
  aClient({ cache, tenant: 'org_id', tables: { orders: { ttl: '1m' } } });
  aClient({ cache, tenant: 'org_id', tables: { orders: { cache: false } } });
});
