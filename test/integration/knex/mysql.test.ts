import Knex, { type Knex as Instance } from 'knex';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { aShop } from './a-shop.js';

describe.skipIf(!inject('services').mysql)('Knex on MySQL', () => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  let knex: Instance;
  let sent: string[] = [];
  const cache = createCache();
  beforeAll(async () => {
    shop = await aShop('mysql');
    knex = withCache(Knex(shop.config), { cache });
    knex.on('query', ({ sql }) => sent.push(sql));
  });
  beforeEach(() => void (sent = []));
  afterAll(async () => {
    await knex?.destroy();
    await cache.close();
    await shop?.drop();
  });
  const selects = () => sent.filter((sql) => /^select/.test(sql));

  test('values of every type are the same on a miss and a hit', async () => {
    await knex.raw(`create table kinds (id integer primary key, doc json, bytes varbinary(9), at datetime(3), day date,
      time time, sum decimal(9, 2), big bigint, spot point, bits bit(4), yes boolean, none text, pick enum('a', 'b'))`);
    await knex.raw(`insert into kinds values (1, '{"a": [1, null]}', x'ff00', '2026-01-02 03:04:05.678', '2026-01-02',
      '03:04:05', 12.50, 9007199254740993, point(1, 2), b'101', true, null, 'a')`);
    const read = () => knex('kinds').where({ id: 1 }).first().cache('1m');
    const [miss, hit, bare] = [await read(), await read(), await knex('kinds').where({ id: 1 }).first()];
    expect(selects()).toHaveLength(2);
    expect(hit).toStrictEqual(miss);
    expect(hit).toStrictEqual(bare);
    expect(hit).toMatchObject({ bytes: Buffer.from([255, 0]), sum: '12.50', spot: { x: 1, y: 2 } });
  });

  test('a raw hit has the rows, and the names and types of the fields', async () => {
    const read = () => knex.raw('select id, name from users where id = ?', [1]).cache('1m');
    const [[, fields], hit] = [await knex.raw('select id, name from users where id = 1'), (await read(), await read())];
    expect(selects()).toHaveLength(2);
    const told = (list: any[]) => list.map(({ name, columnType, flags }) => ({ name, columnType, flags }));
    expect(hit[0]).toEqual([{ id: 1, name: 'Ada' }]);
    expect(told(hit[1])).toEqual(told(fields));
  });

  test('rows in other shapes are not mixed up', async () => {
    const nested = () => knex('users').where({ id: 1 }).select('id').options({ nestTables: true }).cache('1m');
    const plain = () => knex('users').where({ id: 1 }).select('id').cache('1m');
    for (let i = 0; i < 2; i++) {
      expect(await plain()).toEqual([{ id: 1 }]);
      expect(await nested()).toEqual([{ users: { id: 1 } }]);
    }
  });

  test('instances that want dates as texts have entries of their own', async () => {
    const connection = { uri: String(shop.config.connection), dateStrings: true };
    const texts = withCache(Knex({ ...shop.config, connection }), { cache });
    const read = async (it: Instance) => (await it.raw(`select max(at) as at from kinds`).cache('1m'))[0][0].at;
    for (let i = 0; i < 2; i++) {
      expect(await read(knex)).toBeInstanceOf(Date);
      expect(await read(texts)).toBe('2026-01-02 03:04:05.678');
    }
    await texts.destroy();
  });

  test('lists as parameters, which the driver spreads, are read as what they are', async () => {
    const names = (ids: number[]) => knex.raw('select name from users where id in (?) order by id', [ids]).cache('1m');
    for (let i = 0; i < 2; i++) expect((await names([1, 2]))[0]).toEqual([{ name: 'Ada' }, { name: 'Bob' }]);
    expect((await names([2]))[0]).toEqual([{ name: 'Bob' }]);
    expect(selects()).toHaveLength(2);
    await knex('users').where({ id: 2 }).update({ name: 'Bobby' });
    expect((await names([2]))[0]).toEqual([{ name: 'Bobby' }]);
    expect((await names([1, 2]))[0]).toEqual([{ name: 'Ada' }, { name: 'Bobby' }]);
  });

  test('DDL in a transaction commits it, and what was written before is ended', async () => {
    const name = async () => (await knex('users').where({ id: 1 }).first().cache('1m')).name;
    await name();
    const logged: string[] = [];
    knex.client.logger.warn = (message: string) => void logged.push(message);
    await knex
      .transaction(async (trx) => {
        await trx('users').where({ id: 1 }).update({ name: 'Ada L.' });
        await trx.schema.createTable('implicit', (table) => void table.integer('id'));
        throw new Error('too late');
      })
      .catch(() => {});
    expect(await name()).toBe('Ada L.');
  });
});
