import { once } from 'node:events';
import pg from 'pg';
import { type Cache, createCache, table } from 'unstale';
import { cached, unwrap, type WrapOptions, withCache } from 'unstale/pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { pgDriver } from '../../contract/adapters/pg.js';
import { postgresServer } from '../../contract/adapters/postgres-server.js';
import { playAll } from '../../transparency/play.js';

const { postgres } = inject('services');

describe.skipIf(postgres === undefined)('pg', () => {
  let database: { config: pg.PoolConfig; drop(): Promise<void> };
  let bare: pg.Pool;
  let cache: Cache;
  let pool: pg.Pool;
  const cleanups: (() => unknown)[] = [];
  const sent: string[] = [];
  class Spied extends pg.Client {
    override query(...args: any[]): any {
      if (!/pg_catalog|pg_class|pg_settings/.test(args[0].text ?? args[0])) sent.push(args[0].text ?? args[0]);
      return (super.query as any)(...args);
    }
  }

  beforeAll(async () => {
    database = await (await postgresServer(postgres?.url as string)).make();
    bare = new pg.Pool(database.config);
    await bare.query('create table users (id integer primary key, name text, born interval)');
  });
  afterAll(async () => {
    await bare?.end();
    await database?.drop();
  });
  beforeEach(async () => {
    await bare.query(`truncate users; insert into users values (1, 'Ada', '1 year 2 days'), (2, 'Bob', null)`);
    cache = createCache();
    pool = aPool();
    await pool.query('select 1');
    sent.length = 0;
  });
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
    await cache.close();
  });

  function aPool(config: pg.PoolConfig = {}, options: Partial<WrapOptions> = {}): pg.Pool {
    const made = new pg.Pool({ ...database.config, max: 3, Client: Spied, ...config });
    cleanups.push(() => (made.ended ? undefined : made.end()));
    return withCache(made, { cache, ...options });
  }

  const ada = { text: 'select * from users where id = $1', values: [1], cache: '1m' as const };
  const names = (cached = true) =>
    pool.query({ text: 'select name from users order by id', ...(cached && { cache: '1m' }) }).then(({ rows }) => rows);
  const selects = () => sent.filter((sql) => /^select/.test(sql)).length;

  test('every form of a call is answered as by pg itself, from the cache too', async () => {
    const plain = new pg.Pool(database.config);
    const text = 'select id, name from users where id = $1';
    const forms = (at: pg.Pool): Promise<any>[] => [
      at.query(text, [1]),
      at.query({ text, values: [1] }),
      at.query({ text }, [1]),
      at.query({ name: 'one', text, values: [1] }),
      new Promise((resolve, reject) =>
        at.query(text, [1], (error, result) => (error ? reject(error) : resolve(result))),
      ),
      new Promise((resolve) => at.query({ text, values: [1] }, (_, result) => resolve(result))),
    ];
    const all = async (at: pg.Pool) =>
      (await Promise.all(forms(at))).map(({ rows, rowCount, command }) => [rows, rowCount, command]);
    const expected = await all(plain);
    expect(await all(pool)).toEqual(expected);
    expect(await cached('1m', () => all(pool))).toEqual(expected);
    const before = selects();
    expect(await cached('1m', () => all(pool))).toEqual(expected);
    expect(selects()).toBe(before);
    await plain.end();
  });

  test('rows as arrays, and intervals, are on a hit what they are on a miss', async () => {
    const once = { ...ada, rowMode: 'array' as const };
    const [arrays, again, objects] = [await pool.query(once), await pool.query(once), await pool.query(ada)];
    expect(again.rows).toStrictEqual(arrays.rows);
    expect(again.rows[0]).toHaveLength(3);
    expect((await pool.query(ada)).rows).toStrictEqual(objects.rows);
    expect(objects.rows[0].born.toPostgres()).toBe('2 days 1 years');
    expect((again.rows[0] as any)[2].toPostgres()).toBe('2 days 1 years');
    expect(again.fields.map(({ name }) => name)).toEqual(['id', 'name', 'born']);
    expect(selects()).toBe(2);
  });

  test('with types of its own, or rows in portions, a query is not answered from the cache', async () => {
    const types = { getTypeParser: () => (text: string) => `<${text}>` } as unknown as pg.CustomTypesConfig;
    for (let i = 0; i < 2; i++) expect((await pool.query({ ...ada, types })).rows[0].name).toBe('<Ada>');
    expect((await pool.query(ada)).rows[0].name).toBe('Ada');
    expect(selects()).toBe(3);
  });

  test('a hit takes no client; a client that is held is read through outside of transactions', async () => {
    await pool.query(ada);
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    const client = clients[0] as pg.PoolClient;
    expect((await pool.query(ada)).rows[0].name).toBe('Ada');
    expect((await client.query(ada)).rows[0].name).toBe('Ada');
    expect(selects()).toBe(1);
    await client.query('BEGIN');
    await client.query('update users set name = $1 where id = 1', ['Ida']);
    expect((await client.query(ada)).rows[0].name).toBe('Ida');
    expect((await pool.query(ada)).rows[0].name).toBe('Ada');
    await client.query('COMMIT');
    for (const one of clients) one.release();
    expect((await pool.query(ada)).rows[0].name).toBe('Ida');
  });

  test('a transaction that nobody awaited step by step sees its own writes', async () => {
    await pool.query(ada);
    const client = new pg.Client(database.config);
    await client.connect();
    client.on('error', () => {});
    cleanups.push(() => client.end());
    withCache(client, { cache });
    await client.query(ada);
    const begun = client.query('BEGIN');
    const written = client.query(`update users set name = 'Ida' where id = 1`);
    const read = client.query(ada);
    await Promise.all([begun, written]);
    expect((await read).rows[0].name).toBe('Ida');
    await client.query('ROLLBACK');
    expect((await client.query(ada)).rows[0].name).toBe('Ada');
  });

  test('within a transaction reads go past the cache, and what is invalidated waits for COMMIT', async () => {
    await cache.getOrSet({ key: 'mine', tags: ['mine'], load: () => 1 });
    const client = await pool.connect();
    await client.query('begin');
    await cache.within(client, async () => {
      await cache.invalidate('mine');
      await client.query('select 1');
    });
    expect(await cache.has('mine')).toBe(true);
    await client.query('commit');
    client.release();
    expect(await cache.has('mine')).toBe(false);
  });

  test('a callback hears of a write when its change is acknowledged, and what it throws is not caught', async () => {
    await names();
    await new Promise<void>((resolve, reject) => {
      void pool.query(`update users set name = 'Ida' where id = 1`, (error: unknown) =>
        error ? reject(error) : resolve(),
      );
    });
    expect(await names()).toEqual([{ name: 'Ida' }, { name: 'Bob' }]);
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown = once(process, 'uncaughtException');
    void pool.query('select 1', () => {
      throw new Error('of the callback');
    });
    expect(((await thrown)[0] as Error).message).toBe('of the callback');
    for (const listener of listeners) process.on('uncaughtException', listener);
  });

  test('errors are those of pg', async () => {
    await expect(pool.query('select nothing from users')).rejects.toMatchObject({ code: '42703' });
    await expect(pool.query({ ...ada, text: 'select nothing from users where id = $1' })).rejects.toMatchObject({
      code: '42703',
    });
    const client = await pool.connect();
    expect(() => client.query(null as never)).toThrow(TypeError);
    expect(() => client.query('select 1', [], 'x' as never)).toThrow(TypeError);
    client.release();
  });

  test('a query that runs itself is seen by its text', async () => {
    await names();
    const client = await pool.connect();
    const query = client.query(new pg.Query(`update users set name = 'Ida' where id = 1 returning id`));
    const rows: unknown[] = [];
    query.on('row', (row) => rows.push(row));
    await once(query, 'end');
    expect(rows).toEqual([{ id: 1 }]);
    expect(await names()).toEqual([{ name: 'Ida' }, { name: 'Bob' }]);
    const failing = client.query(new pg.Query('update nothing set x = 1'));
    const [error] = await once(failing, 'error');
    expect(error.code).toBe('42P01');
    client.release();
  });

  test('COPY FROM ends the table; a query without a text ends everything', async () => {
    await names();
    const key = 'other';
    await cache.getOrSet({ key, load: () => 1, tags: [table('others')] });
    const client = await pool.connect();
    await new Promise((resolve, reject) => {
      client.query({
        text: 'copy users (id, name) from stdin',
        submit(connection: any) {
          connection.query('copy users (id, name) from stdin');
        },
        handleCopyInResponse(connection: any) {
          connection.sendCopyFromChunk(Buffer.from('3\tCleo\n'));
          connection.endCopyFrom();
        },
        handleCommandComplete() {},
        handleReadyForQuery: resolve,
        handleError: reject,
      } as never);
    });
    expect(await names()).toHaveLength(3);
    expect(await cache.has(key)).toBe(true);
    await new Promise((resolve, reject) => {
      client.query({
        submit: (connection: any) => connection.query('delete from users where id = 3'),
        handleCommandComplete() {},
        handleReadyForQuery: resolve,
        handleError: reject,
      } as never);
    });
    expect(await cache.has(key)).toBe(false);
    expect(await names()).toHaveLength(2);
    client.release();
  });

  test('a prepared statement is known by its name', async () => {
    await names();
    const client = await pool.connect();
    const rename = { name: 'rename', text: 'update users set name = $1 where id = $2' };
    await client.query({ ...rename, values: ['Ida', 1] });
    expect((await names())[0]).toEqual({ name: 'Ida' });
    await client.query({ name: 'rename', values: ['Eda', 1] } as never);
    expect((await names())[0]).toEqual({ name: 'Eda' });
    client.release();
  });

  test('a load of somebody who waits for a client is his own', async () => {
    const one = aPool({ max: 1 });
    const load = (id: number) =>
      cache.getOrSet({
        key: ['user', id],
        load: async () => (await one.query('select name from users where id = $1', [id])).rows,
      });
    await Promise.all([load(1), load(2)]);
    await pool.query(`update users set name = 'Bo' where id = 2`);
    sent.length = 0;
    expect(await load(1)).toEqual([{ name: 'Ada' }]);
    expect(sent).toEqual([]);
    expect(await load(2)).toEqual([{ name: 'Bo' }]);
  });

  test('nothing but the pool is changed, and unwrapping gives it back', async () => {
    const { query, connect } = pg.Pool.prototype;
    const clientQuery = pg.Client.prototype.query;
    expect(withCache(pool, { cache })).toBe(pool);
    expect(() => withCache(pool, { cache, default: '1m' })).toThrow('unwrap it first');
    const client = await pool.connect();
    await client.query('begin');
    expect(unwrap(pool)).toBe(pool);
    expect(Object.keys(Object.getOwnPropertyDescriptors(pool))).not.toContain('query');
    await client.query(`update users set name = 'Ida' where id = 1`);
    await client.query('commit');
    await client.query('select 1');
    expect(Object.hasOwn(client, 'query')).toBe(false);
    client.release();
    expect([pool.query, pool.connect]).toEqual([query, connect]);
    expect(pg.Client.prototype.query).toBe(clientQuery);
    expect(() => unwrap(pool)).toThrow('Expected `pool` to be one that was wrapped by withCache');
  });

  test('what is no pool and no client is refused', async () => {
    for (const wrong of [undefined, {}, 'postgres://', { query() {}, connect() {}, end() {}, on() {} }])
      expect(() => withCache(wrong as never, { cache })).toThrow('Expected `pool` to be a Pool or a Client of pg');
    expect(() => withCache(new pg.Pool(), {} as never)).toThrow('Expected `cache`');
    const client = await pool.connect();
    expect(() => withCache(client, { cache })).toThrow('not one of its clients');
    client.release();
  });

  test('a pool that has ended gives pg’s own error, also for what is in the cache', async () => {
    await pool.query(ada);
    await pool.end();
    await expect(pool.query(ada)).rejects.toThrow('Cannot use a pool after calling end');
  });

  test('programs are answered as without a cache', { timeout: 120_000 }, async () => {
    const outcome = await playAll(await pgDriver({ url: postgres?.url as string }), { programs: 40, seed: 7 });
    expect(outcome.differences).toEqual([]);
  });
});
