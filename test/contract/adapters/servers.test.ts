import mysql from 'mysql2/promise';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { shop } from '../../../src/testing/adapter/shop.js';
import { mysqlServer } from './mysql-server.js';
import { type Place, postgresServer } from './postgres-server.js';

// A case must not find what another one left behind, so what is used again is what it was.

type Run = (sql: string) => Promise<any>;

const { postgres, mysql: mariadb } = inject('services');
const ddl = [
  'alter table notes add column more integer',
  'drop table words',
  'create table extra (id integer primary key)',
  'create index named on accounts (name)',
  'create view all_names as select name from accounts',
];
const servers = [
  ...(postgres
    ? [
        {
          name: 'PostgreSQL',
          server: await postgresServer(postgres.url),
          ddl: [
            ...ddl,
            'alter table accounts alter column seen set default 7',
            'create function one() returns integer language sql as $$ select 1 $$',
            'alter table accounts enable row level security',
            'grant select on accounts to public',
            'create schema other',
          ],
          shape: (run: Run) =>
            run(`select c.relname, c.relrowsecurity, c.relacl::text,
                array(select attname || coalesce(pg_get_expr(adbin, adrelid), '') from pg_attribute a
                  left join pg_attrdef d on adrelid = attrelid and adnum = attnum where attrelid = c.oid and attnum > 0),
                array(select nspname from pg_namespace where nspname !~ '^pg_' order by 1) as schemas,
                array(select proname from pg_proc where pronamespace = c.relnamespace) as functions
              from pg_class c where c.relnamespace = 'public'::regnamespace order by c.relname`),
          async within(place: Place<any>, fn: (run: Run) => Promise<unknown>) {
            const client = new pg.Client(place.config);
            await client.connect();
            await fn(async (sql) => (await client.query(sql)).rows).finally(() => client.end());
          },
        },
      ]
    : []),
  ...(mariadb
    ? [
        {
          name: 'MariaDB or MySQL',
          server: await mysqlServer(mariadb.url),
          ddl: [
            ...ddl,
            'alter table accounts alter column seen set default 7',
            'create function one() returns integer deterministic return 1',
            'create trigger seen before insert on notes for each row set new.body = upper(new.body)',
          ],
          async shape(run: Run) {
            const tables = await run('show full tables');
            const names = tables.map((row: object) => Object.values(row)[0]);
            const texts = names.map((name: string) => run(`show create table ${name}`));
            const [functions] = await run(
              'select count(*) as n from information_schema.routines where routine_schema = database()',
            );
            const text = JSON.stringify([names, await Promise.all(texts), await run('show triggers'), functions]);
            return text.replace(/contract_\w+/g, 'contract');
          },
          async within(place: Place<any>, fn: (run: Run) => Promise<unknown>) {
            const client = await mysql.createConnection(place.config);
            await fn(async (sql) => (await client.query(sql))[0]).finally(() => client.end());
          },
        },
      ]
    : []),
];

test.each(servers)(
  '$name: a database whose rows were changed is used again, with the rows of before',
  async ({ server, within }) => {
    const first = await server.make(shop);
    await within(first, async (run) => {
      await run("update accounts set name = 'x'");
      await run('delete from pairs');
      await run("insert into codes (code, value) values ('left', 1)");
    });
    await first.drop();
    const second = await server.make(shop);
    expect(second.config.database).toBe(first.config.database);
    await within(second, async (run) => {
      expect(await run('select name from accounts order by id')).toEqual(
        ['Ada', 'Bob', 'Cleo', 'Dan'].map((name) => expect.objectContaining({ name })),
      );
      expect(await run('select a from pairs')).toHaveLength(3);
      expect(await run('select account_id from marks where id = 2')).toEqual([
        expect.objectContaining({ account_id: 3 }),
      ]);
      expect(await run('select code from codes')).toHaveLength(4);
    });
    await second.drop();
  },
);

test.each(servers.flatMap((one) => one.ddl.map((sql) => ({ ...one, sql }))))(
  '$name: one is not, after $sql',
  async ({ server, within, shape, sql }) => {
    const before = await server.make(shop);
    let [were, are]: unknown[] = [];
    await within(before, async (run) => {
      were = await shape(run);
      await run(sql);
      expect(await shape(run)).not.toEqual(were);
    });
    await before.drop();
    const after = await server.make(shop);
    await within(after, async (run) => {
      are = await shape(run);
    });
    expect(are).toEqual(were);
    await after.drop();
  },
);
