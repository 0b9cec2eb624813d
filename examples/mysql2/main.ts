// mysql2 whose reads come from the cache and whose writes end them, on a private MariaDB that goes when it is done:
// `npx tsx examples/mysql2/main.ts`
import mysql from 'mysql2/promise';
import { withCache } from '../../adapters/mysql2/index.js'; // in your project: from 'unstale/mysql2'
import { createCache } from '../../src/index.js'; // in your project: from 'unstale'
import { startMysql } from '../../test/services/mysql.js';

const server = await startMysql();
const setup = await mysql.createConnection(server.url);
await setup.query('create database app');
await setup.end();

const { hostname: host, port, username: user } = new URL(server.url);
const cache = createCache({ ttl: '5m' });
const pool = withCache(mysql.createPool({ host, port: Number(port), user, database: 'app' }), { cache });

let taken = 0;
pool.on('acquire', () => taken++);
function show(what: string, value: unknown): void {
  console.log(`${what.padEnd(44)} ${taken} taken from the pool   ${JSON.stringify(value)}`);
  taken = 0;
}
const nameOf = async (id: number) =>
  (await pool.query({ sql: 'select id, name from users where id = ?', values: [id], cache: '1m' }))[0];

try {
  await pool.query('create table users (id integer primary key, name varchar(50))');
  await pool.query(`insert into users values (1, 'Ada'), (2, 'Bob')`);
  taken = 0;

  // 1. Say at a query how long its rows may be kept.
  show('first read', await nameOf(1));
  show('second read', await nameOf(1));

  // 2. Every write ends what it changes, before it resolves.
  await pool.execute('update users set name = ? where id = ?', ['Ada Lovelace', 1]);
  taken = 0;
  show('after an update', await nameOf(1));

  // 3. Of a transaction counts what is committed.
  const connection = await pool.getConnection();
  await connection.beginTransaction();
  await connection.query(`update users set name = 'Eve' where id = 1`);
  taken = 0;
  show('beside a transaction', await nameOf(1));
  await connection.commit();
  connection.release();
  show('after its COMMIT', await nameOf(1));
} finally {
  await pool.end();
  await cache.close();
  await server.stop();
}
