import Knex, { type Knex as Instance } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { aShop } from './a-shop.js';

// A MySQL server without strict mode cuts a text that is too long. The tenant in the statement was another one than that
// of the row, whose lists were not ended.

describe.skipIf(!inject('services').mysql)('a server without strict mode', () => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  let knex: Instance;
  const cache = createCache();
  beforeAll(async () => {
    shop = await aShop('mysql');
    // As the server's own configuration would say it.
    const afterCreate = (it: any, done: (error: unknown) => void) => it.query("set sql_mode = ''", done);
    knex = withCache(Knex({ ...shop.config, pool: { ...shop.config.pool, afterCreate } }), { cache, tenant: 'org' });
  });
  afterAll(async () => {
    await knex?.destroy();
    await cache.close();
    await shop?.drop();
  });

  test('an INSERT ends the lists of the tenant that is stored', async () => {
    const org = 'a'.repeat(20);
    const list = () => knex('users').where({ org }).pluck('id').cache('1m');
    expect(await list()).toEqual([]);
    await knex('users').insert({ id: 9, email: 'x', name: 'X', org: `${org}bc` });
    expect(await list()).toEqual([9]);
  });
});
