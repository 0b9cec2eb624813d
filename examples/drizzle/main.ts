// Drizzle whose reads come from the cache and whose writes end them, on a private PostgreSQL that goes when it is done:
// `npx tsx examples/drizzle/main.ts`
import { eq, relations, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { cached, withCache } from '../../adapters/drizzle/index.js'; // in your project: from 'unstale/drizzle'
import { createCache } from '../../src/index.js'; // in your project: from 'unstale'
import { startPostgres } from '../../test/services/postgres.js';

const users = pgTable('users', { id: integer().primaryKey(), org: text().notNull(), name: text().notNull() });
const orders = pgTable('orders', {
  id: integer().primaryKey(),
  org: text().notNull(),
  userId: integer('user_id').notNull(),
  total: integer().notNull(),
});
const ofUsers = relations(users, ({ many }) => ({ orders: many(orders) }));
const ofOrders = relations(orders, ({ one }) => ({
  user: one(users, { fields: [orders.userId], references: [users.id] }),
}));

const postgres = await startPostgres();
const cache = createCache({ ttl: '5m' });
const pool = new pg.Pool({ connectionString: postgres.url });
let taken = 0;
pool.on('acquire', () => taken++);
// `tenant`: the column that says whose a row is, wherever a table has it.
const db = withCache(drizzle(pool, { schema: { users, orders, ofUsers, ofOrders } }), { cache, tenant: 'org' });

function show(what: string, value: unknown): void {
  console.log(`${what.padEnd(58)} ${taken === 0 ? 'cache   ' : 'database'}   ${JSON.stringify(value)}`);
  taken = 0;
}

try {
  await db.execute('create table users (id integer primary key, org text not null, name text not null)');
  await db.execute(`create table orders (id integer primary key, org text not null,
    user_id integer not null references users on delete cascade, total integer not null)`);
  await db.insert(users).values([
    { id: 1, org: 'acme', name: 'Ada' },
    { id: 2, org: 'zeta', name: 'Bob' },
  ]);
  await db.insert(orders).values([
    { id: 1, org: 'acme', userId: 1, total: 10 },
    { id: 2, org: 'zeta', userId: 2, total: 20 },
  ]);
  taken = 0;

  // 1. Say at a query how long its rows may be kept. Nobody writes tags: they come from the statement.
  const user = (id: number) =>
    db
      .select()
      .from(users)
      .where(eq(users.id, id))
      .$withCache({ config: { ex: 60 } });
  show('first read', await user(1));
  show('second read', await user(1));

  // 2. Relations, $count and raw SQL have no `$withCache`: put `cached` around them.
  const withOrders = () =>
    cached('1m', () => db.query.users.findMany({ with: { orders: { columns: { total: true } } } }));
  await withOrders();
  taken = 0;
  show('users with their orders, again', await withOrders());

  // 3. Every write ends what it changes, before it resolves.
  await db.update(users).set({ name: 'Ada Lovelace' }).where(eq(users.id, 1));
  taken = 0;
  show('after an update', await user(1));
  await db.execute(sql`update orders set total = total + 1 where org = ${'acme'}`);
  taken = 0;
  show('after a raw update', await withOrders());

  // 4. A transaction sees its own writes, others what is committed. Rolled back, it has ended nothing.
  await user(2);
  await db
    .transaction(async (tx) => {
      await tx.delete(users).where(eq(users.id, 2));
      tx.rollback();
    })
    .catch(() => {});
  taken = 0;
  show('after a delete that was rolled back', await user(2));
  await db.transaction((tx) => tx.delete(users).where(eq(users.id, 2)));
  taken = 0;
  show('after one that was committed and cascades', await withOrders());
} finally {
  await pool.end();
  await cache.close();
  await postgres.stop();
}
