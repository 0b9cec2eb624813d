import { describe, expect, test } from 'vitest';
import { aCache, deferred, now } from '../../core/a-cache.js';
import { shop } from '../a-plan.js';
import { aClient } from './a-client.js';

const orders = 'select * from orders';
const insert = 'insert into logs (id) values (1)';
const logs = ['logs', 'logs!tenants'];

describe('the catalogue', () => {
  test('is read once, on the connection of the first statement, before that is sent', async () => {
    const { connect, catalogs } = aClient();
    const connection = connect();
    await connection.run(orders);
    await connection.run(insert);
    await connect().run(orders);
    expect(connection.sent).toEqual(['the catalogue', orders, insert]);
    expect(catalogs.count).toBe(1);
  });

  test('is read once for first statements that come together', async () => {
    const { query, catalogs, published } = aClient();
    await Promise.all([query(orders), query(insert), query('BEGIN')]);
    expect(catalogs.count).toBe(1);
    expect(published()).toEqual([logs]);
  });

  test('is not read again for a load that is not stored anyway', async () => {
    const { cache } = aCache();
    const { query, catalogs } = aClient({ cache });
    await cache.getOrSet({
      key: 'a',
      load: async () => {
        await query('select nobody_knows(1)');
        for (let i = 0; i < 5; i++) await query(orders);
      },
    });
    expect(catalogs.count).toBe(1);
  });

  test('is read before BEGIN, and never between that and the settings of the transaction', async () => {
    const { connect } = aClient();
    const connection = connect();
    for (const sql of ['BEGIN', 'SET TRANSACTION READ ONLY', orders, 'COMMIT']) await connection.run(sql);
    expect(connection.sent).toEqual(['the catalogue', 'BEGIN', 'SET TRANSACTION READ ONLY', orders, 'COMMIT']);
  });

  test('is read in a savepoint of its own, in a transaction', async () => {
    const { connect, catalogs } = aClient();
    const connection = connect();
    await connection.run('BEGIN');
    await connection.run('CREATE TABLE x (a int)');
    await connection.run(insert);
    catalogs.fail = new Error('permission denied');
    await connection.run('CREATE TABLE y (a int)');
    await connection.run(insert);
    expect(connection.sent.filter((sql) => !/CREATE|BEGIN/.test(sql))).toEqual([
      'the catalogue',
      ...['savepoint unstale_catalog', 'the catalogue', 'release savepoint unstale_catalog', insert],
      ...['savepoint unstale_catalog', 'the catalogue', 'rollback to savepoint unstale_catalog'],
      ...['release savepoint unstale_catalog', insert],
    ]);
  });

  test('that cannot be read fails nothing: writes end everything, and a second later it is tried again', async () => {
    const { cache, clock } = aCache();
    const { query, catalogs, errors } = aClient({ cache });
    await cache.getOrSet({ key: 'a', tags: [], load: () => 1 });
    catalogs.fail = new Error('permission denied');
    await query(insert);
    expect(errors).toHaveLength(1);
    expect(await cache.has('a')).toBe(false);
    await query(insert);
    expect(catalogs.count).toBe(1);
    catalogs.fail = undefined;
    await clock.advance(1001);
    await cache.getOrSet({ key: 'a', tags: [], load: () => 1 });
    await query(insert);
    expect(catalogs.count).toBe(2);
    expect(await cache.has('a')).toBe(true);
  });

  test('is not asked for in a transaction that PostgreSQL has given up', async () => {
    const { connect, catalogs, errors } = aClient();
    const connection = connect();
    await connection.run('BEGIN');
    connection.answers.set(orders, () => Promise.reject(new Error('syntax')));
    await connection.run('CREATE TABLE x (a int)');
    await connection.run('select 1');
    await connection.run(orders).catch(() => {});
    const { count } = catalogs;
    await connection.run(insert);
    expect(catalogs.count).toBe(count);
    expect(errors).toEqual([]);
  });

  test('is read anew after DDL, before the next statement that needs it', async () => {
    const { connect, catalogs, published } = aClient();
    const { run } = connect();
    await run(insert);
    const { logs } = shop;
    catalogs.tables = { ...shop, logs: { ...logs, refers: { orders: ['id', 'delete'] } } };
    await run('CREATE TABLE things (id int primary key)');
    await run('delete from orders where id = 1');
    expect(catalogs.count).toBe(2);
    expect(published().at(-1)).toContain('logs');
  });

  test('and once more when the DDL is committed, since then others see it', async () => {
    const { connect, catalogs } = aClient();
    const [one, other] = [connect(), connect()];
    await one.run('BEGIN');
    await one.run('ALTER TABLE logs ADD extra int');
    await other.run(orders);
    expect(catalogs.count).toBe(2);
    await one.run('COMMIT');
    await other.run(orders);
    expect(catalogs.count).toBe(3);
    await other.run(orders);
    expect(catalogs.count).toBe(3);
  });

  test('is read anew for a table that it does not have, and not again for the same', async () => {
    const { query, catalogs } = aClient();
    await query(orders);
    await query('select * from nowhere');
    expect(catalogs.count).toBe(2);
    await query('select a from nowhere');
    await query('select * from pg_catalog.pg_class');
    expect(catalogs.count).toBe(2);
  });

  test('is read anew by one statement when it is old, and nobody else waits for that', async () => {
    const { cache, clock } = aCache();
    const { query, catalogs } = aClient({ cache });
    await query(orders);
    await clock.advance(300_001);
    const hold = deferred<void>();
    catalogs.hold = hold.promise;
    const first = query(orders);
    expect(await now(first)).toBe('waits');
    await query(orders);
    expect(catalogs.count).toBe(2);
    hold.resolve();
    await first;
    await query(orders);
    expect(catalogs.count).toBe(2);
  });
});

describe('a setting that changes what others mean', () => {
  const given = { default: '1m' } as const;

  test.each([
    ...['SET search_path TO sales', 'SET ROLE somebody', "SET app.tenant = 'x'", 'DISCARD ALL'],
    ...["select set_config('app.tenant', 'x', false)"],
  ])('%s: nothing comes from the cache any more, and loads are not stored', async (sql) => {
    const { cache, client, connect, query } = aClient(given);
    const { run } = connect();
    const reads = () => client.read({ sql: orders, params: [] }, () => run(orders));
    await run(orders);
    await reads();
    await query(sql);
    let ran = false;
    await client.read({ sql: orders, params: [] }, async () => {
      ran = true;
      return {};
    });
    expect(ran).toBe(true);
    await cache.getOrSet({ key: 'a', load: () => run(orders) });
    expect(await cache.has('a')).toBe(false);
  });

  test.each([
    ...['SET statement_timeout = 1000', "SET application_name TO 'x'", 'SET LOCAL search_path TO sales'],
    ...["select set_config('app.tenant', 'x', true)", 'SET TRANSACTION READ ONLY'],
  ])('%s is none', async (sql) => {
    const { cache, connect, query } = aClient(given);
    await query(orders);
    await query(sql);
    await cache.getOrSet({ key: 'a', load: () => connect().run(orders) });
    expect(await cache.has('a')).toBe(true);
  });

  test.each([
    ['mysql', 'SET NAMES utf8mb4', true],
    ['mysql', 'SET @a = 1', true],
    ['mysql', "SET foreign_key_checks = 0, sql_mode = ''", false],
    ['mysql', 'USE other', false],
    ['sqlite', 'PRAGMA foreign_keys = ON', true],
    ['sqlite', 'PRAGMA main.case_sensitive_like = 1', false],
  ] as const)('%s: %s', async (dialect, sql, isHarmless) => {
    const { cache, query } = aClient({ dialect });
    await query(orders);
    await query(sql);
    await cache.getOrSet({ key: 'a', load: () => query(orders) });
    expect(await cache.has('a')).toBe(isHarmless);
  });

  test('makes writes count for the table of any schema', async () => {
    const { connect, catalogs, published } = aClient();
    catalogs.tables = { ...shop, 'sales.logs': { columns: { id: 'integer' } } };
    const { run } = connect();
    await run(insert);
    expect(published().at(-1)).toEqual(logs);
    await run('BEGIN');
    await run('SET LOCAL search_path TO sales');
    await run(insert);
    await run('COMMIT');
    expect(published().at(-1)).toEqual(expect.arrayContaining(['logs', 'sales.logs']));
    await run(insert);
    expect(published().at(-1)).toEqual(logs);
  });
});

describe('a temporary table', () => {
  test('that hides no other is nobody else’s: its writes end nothing, the rest goes on', async () => {
    const { cache, connect, published } = aClient();
    const { run } = connect();
    await run(orders);
    await run('CREATE TEMPORARY TABLE mine (id int)');
    const before = published().length;
    await run('insert into mine (id) values (1)');
    expect(published().slice(before)).toEqual([]);
    await cache.getOrSet({ key: 'a', load: () => run(orders) });
    await cache.getOrSet({ key: 'b', load: () => run('select * from mine') });
    expect([await cache.has('a'), await cache.has('b')]).toEqual([true, false]);
  });

  test('that hides another one taints the client', async () => {
    const { cache, connect, query, published } = aClient();
    const { run } = connect();
    await run(orders);
    await run('CREATE TEMPORARY TABLE logs (id int)');
    await run(insert);
    expect(published().at(-1)).toContain('logs');
    await cache.getOrSet({ key: 'a', load: () => query('select * from logs') });
    expect(await cache.has('a')).toBe(false);
  });
});
