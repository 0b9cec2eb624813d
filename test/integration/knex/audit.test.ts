import Knex, { type Knex as Instance } from 'knex';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { type Cache, type CacheEvents, createCache } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aShop } from './a-shop.js';

describe.skipIf(!inject('services').postgres)('an audited client of Knex on PostgreSQL', () => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  let other: pg.Pool;
  let cache: Cache;
  let knex: Instance;
  let mismatches: CacheEvents['mismatch'][];
  beforeAll(async () => {
    shop = await aShop('postgres');
    other = new pg.Pool({ connectionString: String(shop.config.connection), max: 1 });
    // The database may be dropped while its last connection says goodbye.
    other.on('error', () => {});
  });
  afterAll(async () => {
    await other?.end();
    await shop?.drop();
  });
  beforeEach(async () => {
    await other.query(`update users set name = 'Ada' where id = 1`);
    cache = createCache({ audit: 1, ackTimeout: 100 });
    knex = withCache(Knex(shop.config), { cache, tenant: 'org' });
    mismatches = [];
    cache.on('mismatch', (event) => void mismatches.push(event));
  });
  afterEach(async () => {
    await knex.destroy();
    await cache.close();
  });

  const ada = () => knex('users').where({ id: 1 }).first('name').cache('1h');
  const until = async (ended: () => boolean) => {
    for (let i = 0; i < 500 && !ended(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  test('tells of a write that went past the library', async () => {
    await ada();
    await other.query(`update users set name = 'Eve' where id = 1`);
    expect(await ada()).toEqual({ name: 'Ada' });
    await until(() => mismatches.length > 0);
    expect(mismatches).toMatchObject([{ by: 'audit', name: 'knex:users' }]);
    expect(mismatches[0]?.tags).toContainEqual(expect.stringMatching(/\.users#/));
    expect(JSON.stringify(mismatches)).not.toMatch(/Ada|Eve/);
    expect(cache.stats().audits).toMatchObject({ audited: 1, mismatches: 1 });
  });

  test('tells of a function that knows whose request it is, and does not say so in its key', async () => {
    let org = 'acme';
    const users = cache.withCache(async () => knex('users').where({ org }).select('name'), { name: 'users' });
    await users();
    org = 'zeta';
    expect(await users()).toEqual([{ name: 'Ada' }]);
    await until(() => mismatches.length > 0);
    expect(mismatches).toMatchObject([{ name: 'users' }]);
  });

  test('says nothing of a write that another connection commits while it compares', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let loads = 0;
    const user = () =>
      cache.getOrSet({
        key: 'ada',
        load: async () => {
          if (++loads > 1) await gate;
          return knex('users').where({ id: 1 }).first('name');
        },
      });
    await user();
    expect(await user()).toEqual({ name: 'Ada' });
    await knex('users').where({ id: 1 }).update({ name: 'Ida' });
    open();
    await until(() => cache.stats().audits.undecided > 0);
    expect(cache.stats().audits).toMatchObject({ audited: 0, mismatches: 0, undecided: 1 });
    expect(mismatches).toEqual([]);
  });

  test('says nothing of a write whose invalidation is on its way until it has looked again', async () => {
    const shared = memoryStore();
    const [store, seen] = [faultyStore(shared), faultyStore(shared)];
    const writing = createCache({ store, ackTimeout: '20s' });
    const reading = createCache({ store: seen, audit: 1, ackTimeout: '2s' });
    const [writer, reader] = [writing, reading].map((it) => withCache(Knex(shop.config), { cache: it, tenant: 'org' }));
    try {
      reading.on('mismatch', (event) => void mismatches.push(event));
      const user = () => reader!('users').where({ id: 1 }).first('name').cache('1h');
      await user();
      const raise = store.hold('raise');
      const renaming = writer!('users').where({ id: 1 }).update({ name: 'Ida' }).then();
      await raise.arrived();
      // It is committed. What is compared differs, and no tag has changed.
      expect(await user()).toEqual({ name: 'Ada' });
      // It has looked once when it asks no more.
      let [asked, quiet] = [-1, 0];
      await until(() => {
        quiet = seen.calls.length === asked ? quiet + 1 : 0;
        asked = seen.calls.length;
        return quiet > 20;
      });
      expect(reading.stats().audits.undecided).toBe(0);
      raise.release();
      await renaming;
      await until(() => Object.values(reading.stats().audits).some((count) => count > 0));
      expect(reading.stats().audits).toMatchObject({ mismatches: 0, undecided: 1 });
      expect(mismatches).toEqual([]);
    } finally {
      await Promise.all([writer?.destroy(), reader?.destroy()]);
      await Promise.all([writing.close(), reading.close()]);
    }
  });

  test('takes its own connection, and tells listeners of a hit nothing of it', async () => {
    const answers: unknown[] = [];
    await ada();
    const read = knex('users').where({ id: 1 }).first('name').cache('1h');
    read.on('query-response', (rows: unknown) => void answers.push(rows));
    expect(await read).toEqual({ name: 'Ada' });
    await until(() => cache.stats().audits.audited > 0);
    expect(answers).toEqual([]);
    expect(cache.stats().audits).toMatchObject({ audited: 1, mismatches: 0 });
  });
});
