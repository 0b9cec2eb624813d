import Knex, { type Knex as Instance } from 'knex';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { type Cache, createCache } from '../../../src/index.js';
import { aShop } from './a-shop.js';

// A statement with a RETURNING that was added, and that failed by an error of its own, put an end to all others: from
// then on each update of a row ended the lists of every tenant.

describe.skipIf(!inject('services').postgres)('an error of a statement itself', () => {
  const role = `narrow_${process.pid}`;
  let shop: Awaited<ReturnType<typeof aShop>>;
  let bare: Instance;
  let knex: Instance;
  let cache: Cache;
  let selects: number;

  beforeAll(async () => {
    shop = await aShop('postgres');
    bare = Knex(shop.config);
    await bare.raw(`create role ${role} login password 'narrow'`);
    await bare.raw(`grant select on users, posts to ${role}`);
    await bare.raw(`grant update (name) on users to ${role}`);
  });
  afterAll(async () => {
    await bare?.raw(`drop owned by ${role}`).then(() => bare.raw(`drop role ${role}`));
    await bare?.destroy();
    await shop?.drop();
  });
  beforeEach(async () => {
    const url = new URL(shop.config.connection as string);
    url.username = role;
    url.password = 'narrow';
    cache = createCache();
    knex = withCache(Knex({ ...shop.config, connection: url.href }), { cache, tenant: 'org' });
    selects = 0;
    knex.on('query', ({ sql }) => {
      if (/^select "id"/.test(sql)) selects++;
    });
    return async () => {
      await knex.destroy();
      await cache.close();
    };
  });

  /** Whether an update of Ada, of `acme`, leaves the lists of `zeta` where they are. */
  async function sparesOthers(): Promise<boolean> {
    const list = () => knex('users').where({ org: 'zeta' }).pluck('id').cache('1m');
    await list();
    const before = selects;
    expect(await knex('users').where({ id: 1 }).update({ name: 'Ada' })).toBe(1);
    expect(await list()).toEqual([2]);
    return selects === before;
  }

  test('an update spares the lists of other tenants', async () => {
    expect(await sparesOthers()).toBe(true);
  });

  for (const [what, sql, code] of [
    ['a column that is not there', 'update users set nobody = 1 where id = 1', '42703'],
    ['a syntax error', 'update users set name = = 1 where id = 1', '42601'],
    ['a privilege that is missing', `update users set email = 'x' where id = 1`, '42501'],
  ] as const) {
    test(`${what}: alone, and in a transaction, it is told and changes nothing for the others`, async () => {
      await sparesOthers();
      await expect(knex.raw(sql)).rejects.toMatchObject({ code });
      expect(await sparesOthers()).toBe(true);
      await expect(knex.transaction((trx) => trx.raw(sql))).rejects.toMatchObject({ code });
      expect(await sparesOthers()).toBe(true);
    });
  }
});
