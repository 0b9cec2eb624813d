import Knex, { type Knex as Instance } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { aShop } from './a-shop.js';

// A RETURNING that was added and refused is left out, and the statement sent again. Knex's query kept the changed text,
// so the second one was refused too, and a statement failed that had nothing wrong with it.

describe.skipIf(!inject('services').postgres)('a RETURNING that the database refuses', () => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  let bare: Instance;
  beforeAll(async () => {
    shop = await aShop('postgres');
    bare = Knex(shop.config);
  });
  afterAll(async () => {
    await bare?.destroy();
    await shop?.drop();
  });

  test('does not fail the statement that it was added to', async () => {
    const cache = createCache();
    const knex = withCache(Knex(shop.config), { cache, tenant: 'org' });
    try {
      const name = () => knex('users').where({ id: 1 }).first('name').cache('1m');
      expect(await knex('users').where({ id: 1 }).update({ name: 'Ada L.' })).toBe(1);
      expect(await name()).toEqual({ name: 'Ada L.' });
      await bare.schema.alterTable('users', (table) => table.renameColumn('org', 'team'));
      expect(await knex('users').where({ id: 1 }).update({ name: 'Countess' })).toBe(1);
      expect(await name()).toEqual({ name: 'Countess' });
    } finally {
      await knex.destroy();
      await cache.close();
    }
  });
});
