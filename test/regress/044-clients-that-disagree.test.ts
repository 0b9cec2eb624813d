import { expect, test } from 'vitest';
import { aClient } from '../unit/adapter/kit/a-client.js';
import { aCache } from '../unit/core/a-cache.js';

// Both sides of a tag are made by the rules of a client. Two clients of one cache and one database that were given
// other rules do not hear of each other's writes: neither is told, and a load is served stale.

const select = 'select id from orders where org_id = 1';

test.fails('a column that only one of two clients ignores is not missed by the other', async () => {
  const { cache } = aCache();
  const careful = aClient({ cache });
  const careless = aClient({ cache, tables: { orders: { ignoreColumns: ['seen'] } } });
  let loads = 0;
  const load = async () => {
    loads++;
    return (await careful.query('select seen from orders')).rows;
  };
  await careful.query(select);
  await cache.getOrSet({ key: 'seen', load });
  await careless.query('update orders set seen = 1 where id = 7');
  await cache.getOrSet({ key: 'seen', load });
  expect(loads).toBe(2);
});

test.fails('a write by one grain ends what was read by another', async () => {
  const { cache } = aCache();
  const byOrg = aClient({ cache, tenant: 'org_id' });
  const byState = aClient({ cache, tenant: 'state' });
  let loads = 0;
  const load = async () => {
    loads++;
    return (await byOrg.query(select)).rows;
  };
  await byOrg.query(select);
  await cache.getOrSet({ key: 'orders', load });
  await byState.query("update orders set email = 'x' where state = 'open'");
  await cache.getOrSet({ key: 'orders', load });
  expect(loads).toBe(2);
});
