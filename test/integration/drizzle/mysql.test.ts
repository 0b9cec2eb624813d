import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { datetime, int, mysqlTable, varchar } from 'drizzle-orm/mysql-core';
import { drizzle } from 'drizzle-orm/mysql2';
import callbacks from 'mysql2';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { cached, withCache } from '../../../adapters/drizzle/index.js';
import { createCache } from '../../../src/index.js';

const server = inject('services').mysql;
const users = mysqlTable('users', {
  id: int().primaryKey().autoincrement(),
  name: varchar({ length: 50 }).notNull(),
  born: datetime({ mode: 'date' }),
});

describe.skipIf(!server)('drizzle on MySQL', () => {
  const database = `drizzle_${randomUUID().slice(0, 8)}`;
  const { hostname: host, port, username: user } = new URL(server?.url ?? 'mysql://localhost');
  const config = { host, port: Number(port), user, database };
  const cache = createCache({ ttl: '1h' });
  let pool: mysql.Pool;
  let acquired = 0;
  beforeAll(async () => {
    const admin = await mysql.createConnection(server!.url);
    await admin.query(`create database ${database}`);
    await admin.end();
    pool = mysql.createPool({ ...config, connectionLimit: 2 });
    pool.on('acquire', () => acquired++);
    await pool.query(
      'create table users (id int primary key auto_increment, name varchar(50) not null, born datetime)',
    );
  });
  beforeEach(async () => {
    await pool.query('truncate users');
    await pool.query(`insert into users (name, born) values ('Ada', '1815-12-10 10:00:00'), ('Bob', null)`);
  });
  afterAll(async () => {
    await pool.query(`drop database ${database}`);
    await pool.end();
    await cache.close();
  });

  test('reads come from the cache as they came from the database, without a connection', async () => {
    const db = withCache(drizzle(pool), { cache });
    const read = () => db.select().from(users).orderBy(users.id).$withCache();
    const bare = await drizzle(pool).select().from(users).orderBy(users.id);
    expect(await read()).toEqual(bare);
    const before = acquired;
    expect(await read()).toEqual(bare);
    expect(acquired).toBe(before);
    expect(await db.insert(users).values({ name: 'Cleo' }).$returningId()).toEqual([{ id: 3 }]);
    expect(await read()).toHaveLength(3);
  });

  test('execute gives rows and columns, and the header of a write', async () => {
    const db = withCache(drizzle(pool), { cache });
    const read = () => cached('1h', () => db.execute('select id, name from users order by id'));
    const [rows, fields] = (await read()) as any;
    const [again, same] = (await read()) as any;
    expect(again).toEqual([...rows].map((row) => ({ ...row })));
    expect(same.map(({ name }: any) => name)).toEqual(fields.map(({ name }: any) => name));
    const [header] = await db.update(users).set({ name: 'Ida' }).where(eq(users.id, 1));
    expect(header.affectedRows).toBe(1);
    expect(((await read()) as any)[0][0].name).toBe('Ida');
  });

  test('an iterator takes its rows as they come, and a load that does depends on them', async () => {
    const db = withCache(drizzle(pool), { cache });
    const load = async () => {
      const names: string[] = [];
      for await (const row of db.select().from(users).orderBy(users.id).iterator()) names.push(row.name);
      return names;
    };
    const read = () => cache.getOrSet({ key: 'names', load });
    expect(await read()).toEqual(['Ada', 'Bob']);
    const before = acquired;
    expect(await read()).toEqual(['Ada', 'Bob']);
    expect(acquired).toBe(before);
    await db.update(users).set({ name: 'Ida' }).where(eq(users.id, 1));
    expect(await read()).toEqual(['Ida', 'Bob']);
    const wrong = async () => {
      for await (const _ of db
        .select()
        .from(mysqlTable('nowhere', { id: int() }))
        .iterator());
    };
    await expect(wrong()).rejects.toThrow('nowhere');
    for (let i = 0; i < 3; i++) for await (const _ of db.select().from(users).iterator()) break;
    // Their connections went back.
    for (let i = 0; i < 3; i++) expect(await load()).toEqual(['Ida', 'Bob']);
  });

  test('transactions with settings are seen; those of one connection, too', async () => {
    const connection = callbacks.createConnection(config);
    for (const given of [pool, connection]) {
      const db = withCache(drizzle(given as mysql.Pool), { cache });
      const read = () => db.select().from(users).where(eq(users.id, 1)).$withCache();
      const set = (name: string) =>
        db.transaction(
          async (tx) => {
            await tx.update(users).set({ name }).where(eq(users.id, 1));
            return (await tx.select().from(users).where(eq(users.id, 1)).$withCache())[0]?.name;
          },
          { isolationLevel: 'read committed', accessMode: 'read write' },
        );
      await read();
      expect(await set('Ida')).toBe('Ida');
      expect((await read())[0]?.name).toBe('Ida');
      const before = acquired;
      expect((await read())[0]?.name).toBe('Ida');
      expect(acquired).toBe(before);
      expect(await set('Ada')).toBe('Ada');
      expect((await read())[0]?.name).toBe('Ada');
    }
    connection.end();
  });
});
