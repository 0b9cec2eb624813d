import { describe, expect, test } from 'vitest';
import { Catalogue } from '../../../../src/adapter/catalogue.js';
import { Statements } from '../../../../src/adapter/statements.js';
import { aCache, deferred, now } from '../../core/a-cache.js';
import { aCatalog } from '../a-catalog.js';
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

  test('that was first read behind SET LOCAL is read anew for others, also for those who wait for it', async () => {
    const { cache, clock } = aCache();
    const { connect, query, catalogs, errors } = aClient({ cache });
    const { run } = connect();
    catalogs.fail = new Error('permission denied');
    for (const sql of ['BEGIN', 'SET LOCAL search_path TO sales']) await run(sql);
    catalogs.fail = undefined;
    await clock.advance(1001);
    const hold = deferred<void>();
    catalogs.hold = hold.promise;
    const [inside, outside] = [run(insert), query(orders)];
    hold.resolve();
    await Promise.all([inside, outside]);
    expect(catalogs.count).toBe(3);
    await run(insert);
    await query(insert);
    expect(catalogs.count).toBe(3);
    expect(errors).toHaveLength(1);
  });

  test('that was read behind SET LOCAL is nobody else’s, also when it cannot be read again', async () => {
    const { cache, clock } = aCache();
    const { connect, query, catalogs, published } = aClient({ cache });
    const { run } = connect();
    catalogs.fail = new Error('permission denied');
    for (const sql of ['BEGIN', 'SET LOCAL search_path TO sales']) await run(sql);
    catalogs.fail = undefined;
    await clock.advance(1001);
    await run(insert);
    catalogs.fail = new Error('permission denied');
    await query(insert);
    expect(published().at(-1)).not.toEqual(logs);
    catalogs.fail = undefined;
    await clock.advance(1001);
    await query(insert);
    expect(published().at(-1)).toEqual(logs);
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

  test.each([true, false])(
    'of a quarantine is asked for once by loads that come together: usual %s',
    async (isUsual) => {
      const dialect = { name: 'postgres' } as const;
      let versions = 0;
      const catalogue = new Catalogue({
        ...{ dialect, database: 'app', functions: {}, now: () => 0, failed() {} },
        version: async () => `f${++versions}`,
        load: async () => aCatalog(dialect, shop),
      });
      const known = new Statements(dialect).of(orders);
      const asking = { ask: async () => [], isInTransaction: false, isAborted: false, isLoading: true, isUsual };
      await catalogue.await(known, asking);
      await Promise.all(Array.from({ length: 300 }, () => catalogue.await(known, asking)));
      expect(versions).toBe(2);
    },
  );
});
