import { describe, expect, test } from 'vitest';
import { shop } from '../a-plan.js';
import { aClient } from './a-client.js';

const orders = 'select * from orders';
const insert = 'insert into logs (id) values (1)';
const logs = ['logs', 'logs!tenants'];

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
