// Kysely whose reads come from the cache and whose writes end them, on a private PostgreSQL that goes when it is done:
// `npx tsx examples/kysely/main.ts`
import { type Generated, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { cached, withCache, within } from '../../adapters/kysely/index.js'; // in your project: from 'unstale/kysely'
import { createCache } from '../../src/index.js'; // in your project: from 'unstale'
import { startPostgres } from '../../test/services/postgres.js';

interface Tables {
  users: { id: Generated<number>; name: string };
}
const postgres = await startPostgres();
const cache = createCache({ ttl: '5m' });
const pool = new pg.Pool({ connectionString: postgres.url });
const db = new Kysely<Tables>({ dialect: withCache(new PostgresDialect({ pool }), { cache, database: 'app' }) });

let taken = 0;
pool.on('acquire', () => taken++);
function show(what: string, value: unknown): void {
  console.log(`${what.padEnd(44)} ${taken} taken from the pool   ${JSON.stringify(value)}`);
  taken = 0;
}
const user = (id: number) =>
  cached('1m', () => db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst());

try {
  await sql`create table users (id serial primary key, name text)`.execute(db);
  await db
    .insertInto('users')
    .values([{ name: 'Ada' }, { name: 'Bob' }])
    .execute();
  taken = 0;

  // 1. What runs inside of `cached` may come from the cache.
  show('first read', await user(1));
  show('second read', await user(1));

  // 2. Every write ends what it changes, before it resolves.
  await db.updateTable('users').set({ name: 'Ada Lovelace' }).where('id', '=', 1).execute();
  taken = 0;
  show('after an update', await user(1));

  // 3. Of a transaction counts what is committed; with `within` that holds for what is invalidated by hand, too.
  await db.transaction().execute((trx) =>
    within(trx, async () => {
      await trx.updateTable('users').set({ name: 'Eve' }).where('id', '=', 1).execute();
      await cache.invalidate('report');
    }),
  );
  taken = 0;
  show('after a transaction', await user(1));
} finally {
  await db.destroy();
  await cache.close();
  await postgres.stop();
}
