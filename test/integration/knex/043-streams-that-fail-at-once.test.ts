import Knex from 'knex';
import { describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { aShop } from './a-shop.js';

// Where a stream cannot even be begun (on PostgreSQL without pg-query-stream), Knex throws, and emits that on the stream.
// A wrapped instance rejected instead, which nobody listens to: who read the stream waited forever.

describe.skipIf(!inject('services').postgres)('a stream that cannot be begun', () => {
  test('says so', async () => {
    const shop = await aShop('postgres');
    const cache = createCache();
    const knex = withCache(Knex(shop.config), { cache });
    (knex.client as any)._stream = () => {
      throw new Error('no streams here');
    };
    try {
      const read = async () => {
        for await (const row of knex('users').stream()) expect(row).toBeUndefined();
      };
      await expect(read()).rejects.toThrow('no streams here');
    } finally {
      await knex.destroy();
      await cache.close();
      await shop.drop();
    }
  });
});
