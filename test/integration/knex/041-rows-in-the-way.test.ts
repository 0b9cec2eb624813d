import Knex, { type Knex as Instance } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { aShop } from './a-shop.js';

// SQLite: a constraint may say ON CONFLICT REPLACE itself. Then a plain INSERT deletes rows, of other tenants too.

describe.skipIf(!inject('services').sqlite)('a constraint that replaces', () => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  let knex: Instance;
  const cache = createCache();
  beforeAll(async () => {
    shop = await aShop('sqlite');
    knex = withCache(Knex(shop.config), { cache, tenant: 'org' });
    await knex.raw('create table seats (id integer primary key, place text unique on conflict replace, org text)');
    await knex('seats').insert({ id: 1, place: 'A1', org: 'acme' });
  });
  afterAll(async () => {
    await knex?.destroy();
    await cache.close();
    await shop?.drop();
  });

  test('an INSERT ends what was read of the row that it deletes', async () => {
    const row = () => knex('seats').where({ id: 1 }).cache('1m');
    const list = () => knex('seats').where({ org: 'acme' }).pluck('id').cache('1m');
    expect([await row(), await list()]).toEqual([[{ id: 1, place: 'A1', org: 'acme' }], [1]]);
    await knex('seats').insert({ id: 2, place: 'A1', org: 'zeta' });
    expect([await row(), await list()]).toEqual([[], []]);
  });
});
