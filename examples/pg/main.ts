// node-postgres whose reads come from the cache and whose writes end them, on a private PostgreSQL that goes when it is
// done: `npx tsx examples/pg/main.ts`
import pg from 'pg';
import { withCache } from '../../adapters/pg/index.js'; // in your project: from 'unstale/pg'
import { createCache } from '../../src/index.js'; // in your project: from 'unstale'
import { startPostgres } from '../../test/services/postgres.js';

const postgres = await startPostgres();
const cache = createCache({ ttl: '5m' });
const pool = withCache(new pg.Pool({ connectionString: postgres.url }), { cache });

let clients = 0;
pool.on('acquire', () => clients++);
function show(what: string, value: unknown): void {
  console.log(`${what.padEnd(44)} ${clients} taken from the pool   ${JSON.stringify(value)}`);
  clients = 0;
}
const user = async (id: number) =>
  (await pool.query({ text: 'select id, name from users where id = $1', values: [id], cache: '1m' })).rows[0];

try {
  await pool.query('create table users (id integer primary key, name text)');
  await pool.query(`insert into users values (1, 'Ada'), (2, 'Bob')`);
  clients = 0;

  // 1. Say at a query how long its rows may be kept.
  show('first read', await user(1));
  show('second read', await user(1));

  // 2. Every write ends what it changes, before it resolves.
  await pool.query('update users set name = $1 where id = $2', ['Ada Lovelace', 1]);
  clients = 0;
  show('after an update', await user(1));

  // 3. Of a transaction counts what is committed.
  const client = await pool.connect();
  await client.query('begin');
  await client.query(`update users set name = 'Eve' where id = 1`);
  clients = 0;
  show('beside a transaction', await user(1));
  await client.query('commit');
  client.release();
  show('after its COMMIT', await user(1));
} finally {
  await pool.end();
  await cache.close();
  await postgres.stop();
}
