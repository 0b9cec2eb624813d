import { once } from 'node:events';
import mysql from 'mysql2';
import { type Cache, createCache } from 'unstale';
import { cached, unwrap, type WrapOptions, withCache } from 'unstale/mysql2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { mysqlServer } from '../../contract/adapters/mysql-server.js';
import { mysql2Driver, spyOn } from '../../contract/adapters/mysql2.js';
import { playAll } from '../../transparency/play.js';

const services = inject('services');

describe.skipIf(services.mysql === undefined)('mysql2', () => {
  let database: { config: mysql.PoolOptions; drop(): Promise<void> };
  let bare: ReturnType<mysql.Pool['promise']>;
  let cache: Cache;
  let core: mysql.Pool;
  let pool: ReturnType<mysql.Pool['promise']>;
  let spy: Parameters<typeof spyOn>[1];
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    database = await (await mysqlServer(services.mysql?.url as string)).make();
    bare = mysql.createPool(database.config).promise();
    await bare.query('create table users (id integer primary key, name varchar(50))');
  });
  afterAll(async () => {
    await bare?.end();
    await database?.drop();
  });
  beforeEach(async () => {
    await bare.query('delete from users');
    await bare.query(`insert into users values (1, 'Ada'), (2, 'Bob')`);
    cache = createCache();
    core = aPool();
    pool = core.promise();
    await pool.query('select 1');
    spy.sent.length = 0;
  });
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
    await cache.close();
  });

  function aPool(config: mysql.PoolOptions = {}, options: Partial<WrapOptions> = {}): mysql.Pool {
    const made = mysql.createPool({ ...database.config, connectionLimit: 3, ...config });
    spy = { sent: [], hooks: [] };
    spyOn(made, spy);
    cleanups.push(() => new Promise<void>((resolve) => made.end(() => resolve())));
    return withCache(made, { cache, ...options });
  }

  const ada = { sql: 'select * from users where id = ?', values: [1], cache: '1m' as const };
  const nameOfAda = async (options: object = {}) => {
    const [rows] = await pool.query<any[]>({ ...ada, ...options });
    return rows[0].name ?? rows[0].users.name;
  };
  const selects = () => spy.sent.filter((sql) => /^select/.test(sql)).length;

  test('query and execute, callbacks and promises, are answered as by mysql2 itself', async () => {
    const text = 'select id, name from users where id = ?';
    const plain = mysql.createPool(database.config);
    const all = async (at: mysql.Pool) => {
      const promised = at.promise();
      const called = (how: 'query' | 'execute') =>
        new Promise((resolve, reject) => {
          (at as any)[how](text, [1], (error: unknown, rows: unknown) => (error ? reject(error) : resolve(rows)));
        });
      return [
        (await promised.query(text, [1]))[0],
        (await promised.query({ sql: text, values: [1] }))[0],
        (await promised.query({ sql: text }, [1]))[0],
        (await promised.execute(text, [1]))[0],
        (await promised.query({ sql: text, values: [1], rowsAsArray: true }))[0],
        (await promised.query({ sql: text, values: [1], nestTables: true }))[0],
        (await promised.query({ sql: text, values: [1], nestTables: '_' }))[0],
        (
          await promised.query({ sql: text.replace('?', ':id'), values: { id: 1 }, namedPlaceholders: true } as never)
        )[0],
        (await promised.query('select name from ?? where id in (?)', ['users', [1, 2]]))[0],
        (await promised.query(text, 1))[0],
        await called('query'),
        await called('execute'),
      ];
    };
    const expected = await all(plain);
    expect(await all(core)).toEqual(expected);
    expect(await cached('1m', () => all(core))).toEqual(expected);
    const before = selects();
    expect(await cached('1m', () => all(core))).toEqual(expected);
    expect(selects()).toBe(before);
    await pool.query('update ?? set ? where id = ?', ['users', { name: 'Ida' }, 1]);
    expect(JSON.stringify(await cached('1m', () => all(core)))).toBe(JSON.stringify(expected).replaceAll('Ada', 'Ida'));
    await new Promise<void>((resolve) => plain.end(() => resolve()));
  });

  test('a hit takes no connection', async () => {
    await nameOfAda();
    const held = await Promise.all([pool.getConnection(), pool.getConnection(), pool.getConnection()]);
    expect(await nameOfAda()).toBe('Ada');
    expect(selects()).toBe(1);
    for (const one of held) one.release();
  });

  test('methods of transactions, and the handle of each kind of connection', async () => {
    await cache.getOrSet({ key: 'mine', tags: ['mine'], load: () => 1 });
    await nameOfAda();
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    await connection.execute('update users set name = ? where id = ?', ['Ida', 1]);
    expect((await connection.query<any[]>(ada))[0][0].name).toBe('Ida');
    await cache.within(connection, () => cache.invalidate('mine'));
    await cache.within((connection as any).connection, async () => {});
    expect(await nameOfAda()).toBe('Ada');
    expect(await cache.has('mine')).toBe(true);
    await connection.commit();
    expect(await cache.has('mine')).toBe(false);
    expect(await nameOfAda()).toBe('Ida');
    await connection.beginTransaction();
    await connection.query(`update users set name = 'Eda' where id = 1`);
    await connection.rollback();
    expect(await nameOfAda()).toBe('Ida');
    expect(selects()).toBe(3);
    connection.release();
  });

  test('a prepared statement, and a stream, end what they change', async () => {
    await nameOfAda();
    const connection = await pool.getConnection();
    const statement = await connection.prepare('update users set name = ? where id = ?');
    await statement.execute(['Ida', 1]);
    expect(await nameOfAda()).toBe('Ida');
    await statement.close();
    connection.release();
    const command = core.query(`update users set name = 'Eda' where id = 1`);
    await once(command, 'end');
    expect(await nameOfAda()).toBe('Eda');
    const names: string[] = [];
    for await (const row of core.query('select name from users order by id').stream()) names.push((row as any).name);
    expect(names).toEqual(['Eda', 'Bob']);
  });

  test('what was asked for without waiting is sent in order, end() too', async () => {
    const connection = mysql.createConnection(database.config);
    withCache(connection, { cache });
    const done: string[] = [];
    await new Promise<void>((resolve) => {
      connection.query('begin');
      connection.execute(`update users set name = 'Ida' where id = 1`, () => done.push('update'));
      connection.query(ada as never, (_: unknown, [row]: any) => done.push(row.name));
      connection.query('commit', () => done.push('commit'));
      // mysql2 itself calls this back before the last statement is.
      connection.end(() => setImmediate(resolve));
    });
    expect(done).toEqual(['update', 'Ida', 'commit']);
    expect(await nameOfAda()).toBe('Ida');
  });

  test('errors are those of mysql2, told once, and the connection goes back', async () => {
    for (let i = 0; i < 5; i++) {
      await expect(pool.query('select nothing from users')).rejects.toMatchObject({ code: 'ER_BAD_FIELD_ERROR' });
      await expect(pool.execute('select nothing from users')).rejects.toMatchObject({ code: 'ER_BAD_FIELD_ERROR' });
      await expect(pool.query({ sql: 'select nothing from users', cache: '1m' })).rejects.toMatchObject({
        code: 'ER_BAD_FIELD_ERROR',
      });
    }
    let calls = 0;
    core.execute('select nothing from users', () => calls++);
    await nameOfAda();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
  });

  test('a write whose connection is destroyed meanwhile counts', async () => {
    await nameOfAda();
    const connection = await pool.getConnection();
    connection.query(`update users set name = 'Ida' where id = 1`).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.destroy();
    expect(await nameOfAda()).toBe('Ida');
  });

  test('a reset takes the transaction back, and another user ends caching', async () => {
    await nameOfAda();
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    await connection.query(`update users set name = 'Ida' where id = 1`);
    await (connection as any).reset();
    expect(await nameOfAda()).toBe('Ada');
    expect(selects()).toBe(1);
    await connection.changeUser({ user: database.config.user as string, database: database.config.database as string });
    await nameOfAda();
    expect(selects()).toBe(2);
    connection.release();
  });

  test('nothing but the pool is changed, and unwrapping gives it back', async () => {
    expect(withCache(pool, { cache })).toBe(pool);
    expect(() => withCache(core, { cache, default: '1m' })).toThrow('unwrap it first');
    expect(unwrap(pool)).toBe(pool);
    for (const name of ['query', 'execute', 'getConnection', 'end']) expect(Object.hasOwn(core, name)).toBe(false);
    await nameOfAda();
    await nameOfAda();
    expect(selects()).toBe(2);
    expect(() => unwrap(pool)).toThrow('Expected `pool` to be one that was wrapped by withCache');
    for (const wrong of [undefined, {}, mysql.createPoolCluster()])
      expect(() => withCache(wrong as never, { cache })).toThrow(
        'Expected `pool` to be a pool or a connection of mysql2',
      );
    const nowhere = mysql.createPool({});
    expect(() => withCache(nowhere, { cache })).toThrow('Expected the option `database`');
    nowhere.end();
  });

  test('programs are answered as without a cache', { timeout: 120_000 }, async () => {
    const driver = await mysql2Driver({ url: services.mysql?.url as string });
    expect((await playAll(driver, { programs: 40, seed: 7 })).differences).toEqual([]);
  });
});
