import Knex, { type Knex as Instance } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { type Cache, createCache } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';

// A name that means another table than on a new connection: what was written there has to end what was read from there.

const { postgres } = inject('services');

describe.skipIf(postgres === undefined)(
  'with a table of one name in two schemas (skipped where there is no PostgreSQL)',
  () => {
    const name = `names_${process.pid}`;
    let url: string;
    let admin: Instance;
    let outside: Instance;
    let caches: [Cache, Cache];
    let writer: Instance;
    let reader: Instance;

    beforeAll(async () => {
      admin = Knex({ client: 'pg', connection: postgres?.url as string, pool: { min: 0, max: 1 } });
      await admin.raw(`create database ${name}`);
      const at = new URL(postgres?.url as string);
      at.pathname = `/${name}`;
      url = at.href;
      outside = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } });
      await outside.raw('create schema tenant');
      for (const schema of ['public', 'tenant'])
        await outside.raw(`
        create table ${schema}.customers (id int primary key);
        create table ${schema}.orders (id int primary key, customer int references ${schema}.customers, sum int)`);
    });
    afterAll(async () => {
      await outside?.destroy();
      await admin?.raw(`drop database if exists ${name} with (force)`);
      await admin?.destroy();
    });
    beforeEach(async () => {
      for (const schema of ['public', 'tenant'])
        await outside.raw(`
        truncate ${schema}.customers cascade;
        insert into ${schema}.customers values (1);
        insert into ${schema}.orders values (1, 1, 0)`);
      const store = memoryStore();
      caches = [createCache({ name, store }), createCache({ name, store })];
      const open = (cache: Cache) =>
        withCache(Knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } }), { cache });
      [writer, reader] = caches.map(open) as [Instance, Instance];
      await writer('orders').first();
    });
    afterEach(async () => {
      await Promise.all([writer.destroy(), reader.destroy()]);
      await Promise.all(caches.map((cache) => cache.close()));
    });

    const read = (table: string) =>
      caches[1].read({
        key: ['sum', table],
        ttl: '1h',
        load: async () => (await reader(table).where({ id: 1 }).first())?.sum ?? 'none',
      });

    /** By turns on one connection. */
    async function say(...texts: string[]): Promise<void> {
      const connection = await writer.client.acquireConnection();
      try {
        for (const text of texts) await writer.raw(text).connection(connection);
      } finally {
        await writer.client.releaseConnection(connection);
      }
    }

    const update = 'update orders set sum = 7 where id = 1';
    test.each([
      ['in the text of the write', [`set search_path = tenant; ${update}`], 7],
      ['in the text that begins the transaction', ['begin; set local search_path = tenant', update, 'commit'], 7],
      ['in the transaction', ['begin', 'set local search_path = tenant', update, 'commit'], 7],
      [
        'before all rows go, and those that refer to them',
        ['begin', 'set local search_path = tenant', 'truncate customers cascade', 'commit'],
        'none',
      ],
    ])('a path that is set %s', async (_, texts, now) => {
      for (let i = 0; i < 2; i++) await read('tenant.orders');
      expect((await read('tenant.orders')).source).toBe('near');
      await say(...texts);
      expect((await read('tenant.orders')).value).toBe(now);
    });

    test('a schema that comes before the others from now on, for those who were there before', async () => {
      const { rows } = await outside.raw('select current_user as me');
      const own = `"${rows[0].me}"`;
      try {
        await writer.raw(`create schema ${own}`);
        await writer.raw(`create table ${own}.orders (id int primary key, sum int)`);
        await outside.raw(`insert into ${own}.orders values (1, 100)`);
        for (let i = 0; i < 2; i++) expect((await read('orders')).value).toBe(100);
        await writer('orders').where({ id: 1 }).update({ sum: 101 });
        expect((await read('orders')).value).toBe(101);
      } finally {
        await outside.raw(`drop schema if exists ${own} cascade`);
      }
    });
  },
);
