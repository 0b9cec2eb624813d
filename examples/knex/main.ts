// Knex whose reads come from the cache and whose writes end them, on a private PostgreSQL that goes when it is done:
// `npx tsx examples/knex/main.ts`
import Knex from 'knex';
import { withCache } from '../../adapters/knex/index.js'; // in your project: from 'unstale/knex'
import { createCache } from '../../src/index.js'; // in your project: from 'unstale'
import { startPostgres } from '../../test/services/postgres.js';

const postgres = await startPostgres();
const cache = createCache({ ttl: '5m' });
// `tenant`: the column that says whose a row is, wherever a table has it.
const knex = withCache(Knex({ client: 'pg', connection: postgres.url }), { cache, tenant: 'org' });

let queries = 0;
knex.on('query', () => queries++);
function show(what: string, value: unknown): void {
  const count = queries === 1 ? '1 statement ' : `${queries} statements`;
  console.log(`${what.padEnd(58)} ${count}   ${JSON.stringify(value)}`);
  queries = 0;
}

try {
  await knex.schema.createTable('users', (table) => {
    table.increments('id');
    table.string('org');
    table.string('name');
  });
  await knex.schema.createTable('orders', (table) => {
    table.increments('id');
    table.string('org');
    table.integer('user_id').references('users.id').onDelete('cascade');
    table.integer('total');
  });
  await knex('users').insert([
    { org: 'acme', name: 'Ada' },
    { org: 'zeta', name: 'Bob' },
  ]);
  await knex('orders').insert([
    { org: 'acme', user_id: 1, total: 10 },
    { org: 'zeta', user_id: 2, total: 20 },
  ]);
  queries = 0;

  // 1. Say at a query how long its rows may be kept. Nobody writes tags: they come from the statement.
  const user = (id: number) => knex('users').where({ id }).first().cache('1m');
  const orders = (org: string) => knex('orders').where({ org }).orderBy('id').pluck('total').cache('1m');
  show('first read', await user(1));
  show('second read', await user(1));

  // 2. Every write ends what it changes, before it resolves: builders, raw SQL, transactions, cascades.
  await knex('users').where({ id: 1 }).update({ name: 'Ada Lovelace' });
  queries = 0;
  show('after an update', await user(1));
  await Promise.all([orders('acme'), orders('zeta')]);
  await knex.raw('update orders set total = total + 1 where org = ?', ['acme']);
  queries = 0;
  show('orders of acme, after a raw update of acme', await orders('acme'));
  show('orders of zeta, which nobody changed', await orders('zeta'));

  // 3. A transaction sees its own writes, others what is committed. Rolled back, it has ended nothing.
  await knex
    .transaction(async (trx) => {
      await trx('users').where({ id: 2 }).del();
      throw new Error('changed my mind');
    })
    .catch(() => {});
  queries = 0;
  show('orders of zeta, after a delete that was rolled back', await orders('zeta'));
  await knex.transaction((trx) => trx('users').where({ id: 2 }).del());
  queries = 0;
  show('orders of zeta, after one that was committed and cascades', await orders('zeta'));

  // 4. What you cache yourself depends on the statements that it sends.
  const summary = () =>
    cache.getOrSet({
      key: 'summary',
      load: async () => ({
        users: await knex('users').count({ n: '*' }).first(),
        orders: await knex('orders').sum({ n: 'total' }).first(),
      }),
    });
  show('a value of two queries', await summary());
  show('the same again', await summary());
  await knex('orders').insert({ org: 'acme', user_id: 1, total: 100 });
  queries = 0;
  show('after an insert', await summary());
} finally {
  await knex.destroy();
  await cache.close();
  await postgres.stop();
}
