// TypeORM whose reads come from the cache and whose writes end them, on a private PostgreSQL that goes when it is done:
// `npx tsx examples/typeorm/main.ts`
import { DataSource, EntitySchema } from 'typeorm';
import { cached, withCache } from '../../adapters/typeorm/index.js'; // in your project: from 'unstale/typeorm'
import { createCache } from '../../src/index.js'; // in your project: from 'unstale'
import { startPostgres } from '../../test/services/postgres.js';

interface User {
  id: number;
  org: string;
  name: string;
}
const User = new EntitySchema<User>({
  name: 'User',
  tableName: 'users',
  columns: {
    id: { type: 'integer', primary: true, generated: true },
    org: { type: 'varchar' },
    name: { type: 'varchar' },
  },
});

let queries = 0;
const nothing = () => {};
const logger = {
  logQuery: () => void queries++,
  ...{ logQueryError: nothing, logQuerySlow: nothing, logSchemaBuild: nothing, logMigration: nothing, log: nothing },
};
function show(what: string, value: unknown): void {
  const count = queries === 1 ? '1 statement ' : `${queries} statements`;
  console.log(`${what.padEnd(58)} ${count}   ${JSON.stringify(value)}`);
  queries = 0;
}

const postgres = await startPostgres();
const cache = createCache({ ttl: '5m' });
const dataSource = withCache(
  new DataSource({ type: 'postgres', url: postgres.url, entities: [User], synchronize: true, logger }),
  // `tenant`: the column that says whose a row is, wherever a table has it.
  { cache, tenant: 'org' },
);

try {
  await dataSource.initialize();
  const users = dataSource.getRepository(User);
  await users.insert([
    { org: 'acme', name: 'Ada' },
    { org: 'zeta', name: 'Bob' },
  ]);
  queries = 0;

  // 1. Say at a query that its rows may be kept, in TypeORM's own words or around it.
  const user = (id: number) => users.findOne({ where: { id }, cache: 60_000 });
  const of = (org: string) => cached('1m', () => users.find({ where: { org }, order: { id: 'ASC' } }));
  show('first read', await user(1));
  show('second read', await user(1));

  // 2. Every write ends what it changes, before it resolves: repositories, query builders, raw SQL.
  await users.update({ id: 1 }, { name: 'Ada Lovelace' });
  queries = 0;
  show('after an update', await user(1));
  await Promise.all([of('acme'), of('zeta')]);
  await dataSource.query(`update users set name = 'Ada' where org = $1`, ['acme']);
  queries = 0;
  show('users of acme, after raw SQL about acme', await of('acme'));
  show('users of zeta, whom nobody changed', await of('zeta'));

  // 3. A transaction sees its own writes, others what is committed. Rolled back, it has ended nothing.
  await dataSource
    .transaction(async (manager) => {
      await manager.delete(User, { id: 2 });
      throw new Error('changed my mind');
    })
    .catch(() => {});
  queries = 0;
  show('users of zeta, after a delete that was rolled back', await of('zeta'));
  await dataSource.transaction((manager) => manager.delete(User, { id: 2 }));
  queries = 0;
  show('users of zeta, after one that was committed', await of('zeta'));

  // 4. What you cache yourself depends on the statements that it sends.
  const summary = () => cache.getOrSet({ key: 'summary', load: async () => ({ users: await users.count() }) });
  show('a value of your own', await summary());
  show('the same again', await summary());
  await users.save({ org: 'acme', name: 'Cleo' });
  queries = 0;
  show('after a save', await summary());
} finally {
  if (dataSource.isInitialized) await dataSource.destroy();
  await cache.close();
  await postgres.stop();
}
