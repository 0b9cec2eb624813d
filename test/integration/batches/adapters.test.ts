import { eq, inArray } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { Kysely, PostgresDialect } from 'kysely';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { DataSource, EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import * as forDrizzle from '../../../adapters/drizzle/index.js';
import * as forKysely from '../../../adapters/kysely/index.js';
import * as forMysql2 from '../../../adapters/mysql2/index.js';
import * as forPg from '../../../adapters/pg/index.js';
import * as forTypeorm from '../../../adapters/typeorm/index.js';
import { createCache } from '../../../src/index.js';
import { aBlog, type Response } from './a-blog.js';

// Every adapter's own way to say the same. What a batch is, is tested with Knex.

const tables = { responses: { grain: 'post_id' } };
type Rows = (id: number) => Promise<{ text: string | null }[]>;

/** A hundred values are one query, then none; a write ends its own. */
async function shows(rows: Rows, insert: (post: number) => Promise<unknown>, sent: () => number) {
  const all = () => Promise.all(Array.from({ length: 100 }, (_, i) => rows(i + 1)));
  sent();
  const first = await all();
  expect(sent()).toBe(1);
  expect(first.map(({ length }) => length)).toEqual([...new Array(99).fill(2), 0]);
  expect(await all()).toEqual(first);
  expect(sent()).toBe(0);
  await insert(100);
  expect(sent()).toBe(0);
  expect((await all())[99]?.map((row) => row.text)).toEqual(['new']);
  expect(sent()).toBe(1);
  await rows(1);
  expect(sent()).toBe(0);
}

describe.skipIf(!inject('services').postgres)('batches on PostgreSQL', () => {
  let blog: Awaited<ReturnType<typeof aBlog>>;
  const caches: ReturnType<typeof createCache>[] = [];
  const aCache = () => {
    const cache = createCache({ ttl: '1h' });
    caches.push(cache);
    return cache;
  };
  /** A pool that counts what it is asked about responses. */
  const aPool = () => {
    const pool = new pg.Pool({ connectionString: blog.url, max: 3 });
    let count = 0;
    pool.on('connect', (client) => {
      const { query } = client;
      (client as any).query = function counted(this: unknown, ...args: any[]) {
        const sql = typeof args[0] === 'string' ? args[0] : args[0]?.text;
        if (/^select .*responses/.test(sql)) count++;
        return (query as any).apply(client, args);
      };
    });
    return { pool, sent: () => [count, (count = 0)][0] as number };
  };
  beforeAll(async () => {
    blog = await aBlog(100);
  });
  afterAll(async () => {
    for (const cache of caches) await cache.close();
    await blog?.drop();
  });
  const tidy = (pool: pg.Pool) => pool.query("delete from responses where text = 'new'");

  test('by pg', async () => {
    const { pool, sent } = aPool();
    forPg.withCache(pool, { cache: aCache(), tables });
    const rows = forPg.batchBy<Response>(
      pool,
      (ids) => ({ text: 'select * from responses where post_id = any($1) order by id', values: [ids] }),
      'post_id',
    );
    await shows(rows, (id) => pool.query("insert into responses (post_id, text) values ($1, 'new')", [id]), sent);
    const one = forPg.batchBy<Response>(
      pool,
      (ids) => ({ text: 'select * from responses where id = any($1)', values: [ids] }),
      'id',
      { many: false },
    );
    expect([(await one(1))?.post_id, await one(9999)]).toEqual([1, null]);
    await tidy(pool);
    forPg.unwrap(pool);
    expect(() => forPg.batchBy(pool, () => ({ text: '', values: [] }), 'id')).toThrow('`pool` to be of what withCache');
    expect(() => forPg.batchBy(pool, 'select' as never, 'id')).toThrow('`query`');
    await pool.end();
  });

  test('by Kysely', async () => {
    const { pool, sent } = aPool();
    const dialect = forKysely.withCache(new PostgresDialect({ pool }), { cache: aCache(), database: 'blog', tables });
    const db = new Kysely<{ responses: { id: number; post_id: number; text: string } }>({ dialect });
    const rowsOf = (from: typeof db) =>
      forKysely.batchBy(
        from,
        (ids) => from.selectFrom('responses').select(['post_id', 'text']).where('post_id', 'in', ids).orderBy('id'),
        'post_id',
      );
    const insert = (from: typeof db, post_id: number) =>
      from
        .insertInto('responses')
        .values({ post_id, text: 'new' } as never)
        .execute();
    await shows(rowsOf(db), (id) => insert(db, id), sent);
    const trial = db.transaction().execute(async (trx) => {
      await insert(trx, 1);
      const inside = rowsOf(trx);
      sent();
      expect((await Promise.all([inside(1), inside(2)])).map(({ length }) => length)).toEqual([3, 2]);
      expect(sent()).toBe(1);
      throw new Error('no');
    });
    await expect(trial).rejects.toThrow('no');
    expect(await rowsOf(db)(1)).toHaveLength(2);
    await tidy(pool);
    const bare = new Kysely<any>({ dialect: forKysely.unwrap(dialect) });
    await expect(
      forKysely.batchBy(bare, (ids) => bare.selectFrom('r').selectAll().where('a', 'in', ids), 'a')(1),
    ).rejects.toThrow('`db` to be of what withCache');
    expect(() => forKysely.batchBy(db, 'select' as never, 'a' as never)).toThrow('`query`');
    await db.destroy();
  });

  test('by Drizzle', async () => {
    const { pool, sent } = aPool();
    const responses = pgTable('responses', { id: integer(), postId: integer('post_id'), text: text() });
    const db = forDrizzle.withCache(drizzle(pool), { cache: aCache(), tables });
    const rows = forDrizzle.batchBy(
      db,
      (ids) => db.select().from(responses).where(inArray(responses.postId, ids)).orderBy(responses.id),
      'postId',
    );
    await shows(rows, (postId) => db.execute(`insert into responses (post_id, text) values (${postId}, 'new')`), sent);
    const joined = forDrizzle.batchBy(
      db,
      (ids) => db.select({ id: responses.id }).from(responses).where(inArray(responses.id, ids)),
      'id',
      { many: false },
    );
    expect([await joined(1), await joined(9999)]).toEqual([{ id: 1 }, null]);
    await db.delete(responses).where(eq(responses.text, 'new'));
    await db.transaction(async (tx) => {
      expect(() => forDrizzle.batchBy(tx, () => tx.select().from(responses), 'id')).toThrow('not one of its trans');
    });
    expect(() => forDrizzle.batchBy(db, 'select' as never, 'id' as never)).toThrow('`query`');
    forDrizzle.unwrap(db);
    expect(() => forDrizzle.batchBy(db, () => db.select().from(responses), 'id')).toThrow('of what withCache');
    await pool.end();
  });

  test('by TypeORM', async () => {
    class Reply {
      id!: number;
      postId!: number;
      text!: string;
      get shout() {
        return this.text.toUpperCase();
      }
    }
    const entity = new EntitySchema<Reply>({
      ...{ name: 'Reply', tableName: 'responses', target: Reply },
      columns: {
        id: { type: 'int', primary: true, generated: 'increment' },
        postId: { type: 'int', name: 'post_id' },
        text: { type: 'varchar' },
      },
    });
    let count = 0;
    const logQuery = (sql: string) => void (count += /^select .*responses/i.test(sql) ? 1 : 0);
    const silent = () => {};
    const logger = { logQuery, logQueryError: silent, logQuerySlow: silent };
    const ds = new DataSource({
      ...{ type: 'postgres', url: blog.url, entities: [entity], poolSize: 3, logging: true },
      logger: { ...logger, logSchemaBuild: silent, logMigration: silent, log: silent },
    });
    await forTypeorm.withCache(ds, { cache: aCache(), tables }).initialize();
    const replies = ds.getRepository(Reply);
    const rows = forTypeorm.batchBy(replies, 'postId');
    const insert = (postId: number) => replies.insert({ postId, text: 'new' });
    await shows(rows, insert, () => [count, (count = 0)][0] as number);
    expect((await rows(1)).map((reply) => reply instanceof Reply && reply.shout)).toEqual(['YES', 'NO']);
    const one = forTypeorm.batchBy(replies, 'id', { many: false });
    expect([(await one(1))?.postId, await one(9999)]).toEqual([1, null]);
    const trial = ds.transaction(async (manager) => {
      await manager.insert(Reply, { postId: 1, text: 'new' });
      const inside = forTypeorm.batchBy(manager.getRepository(Reply), 'postId');
      count = 0;
      expect((await Promise.all([inside(1), inside(2)])).map(({ length }) => length)).toEqual([3, 2]);
      expect(count).toBe(1);
      throw new Error('no');
    });
    await expect(trial).rejects.toThrow('no');
    expect(await rows(1)).toHaveLength(2);
    await replies.delete({ text: 'new' });
    expect(() => forTypeorm.batchBy(replies, 'no' as never)).toThrow('`column` to be a column of Reply');
    expect(() => forTypeorm.batchBy({} as never, 'id' as never)).toThrow('`repository`');
    forTypeorm.unwrap(ds);
    expect(() => forTypeorm.batchBy(replies, 'id')).toThrow('of what withCache');
    await ds.destroy();
  });
});

test.skipIf(!inject('services').mysql)('batches on MySQL, by mysql2', async () => {
  const url = new URL(inject('services').mysql?.url as string);
  const name = `batches_${process.pid}`;
  const admin = await mysql.createConnection(url.href);
  await admin.query(`create database ${name}`);
  url.pathname = `/${name}`;
  const cache = createCache({ ttl: '1h' });
  const pool = forMysql2.withCache(mysql.createPool(url.href), { cache, tables });
  await pool.query('create table responses (id int primary key auto_increment, post_id bigint, text varchar(20))');
  const values = Array.from({ length: 99 }, (_, i) => [i + 1, 'yes']);
  await pool.query('insert into responses (post_id, text) values ?', [[...values, ...values]]);
  let count = 0;
  const rows = forMysql2.batchBy<Response>(
    pool,
    (ids) => {
      if (ids[0] !== null) count++;
      return { sql: 'select * from responses where post_id in (?) order by id', values: [ids] };
    },
    'post_id',
  );
  const insert = (id: number) => pool.query("insert into responses (post_id, text) values (?, 'new')", [id]);
  await shows(rows, insert, () => [count, (count = 0)][0] as number);
  expect(() => forMysql2.batchBy(pool, 'select' as never, 'id')).toThrow('`query`');
  forMysql2.unwrap(pool);
  expect(() => forMysql2.batchBy(pool, () => ({ sql: '', values: [] }), 'id')).toThrow('of what withCache has wrapped');
  await pool.end();
  await admin.query(`drop database ${name}`);
  await admin.end();
  await cache.close();
});
