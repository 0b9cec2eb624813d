import assert from 'node:assert/strict';
import type { AdapterClient } from './driver.js';
import { hour } from './primed.js';
import { names, newcomer } from './shop.js';
import { about, definesInMysql, trap } from './trap.js';

const eve = [9, 'acme', 'Eve', 'eve@x'] as const;
const onlyPostgres = (why: string) => ({ mysql: why, sqlite: why });

/** Adds a line to the log whenever an account comes. */
const logging = {
  postgres: [
    'create table log (id serial primary key, line varchar(50))',
    `create function note_it() returns trigger language plpgsql as
      $$ begin insert into log (line) values (new.name); return null; end $$`,
    'create trigger noting after insert on accounts for each row execute function note_it()',
  ],
  mysql: [
    'create table log (id integer auto_increment primary key, line varchar(50))',
    'create trigger noting after insert on accounts for each row insert into log (line) values (new.name)',
  ],
  sqlite: [
    'create table log (id integer primary key, line varchar(50))',
    'create trigger noting after insert on accounts begin insert into log (line) values (new.name); end',
  ],
};
const log = 'select count(*) as n from log';

const total = {
  postgres: [`create function total() returns bigint language sql stable as 'select count(*) from accounts'`],
  mysql: ['create function total() returns integer reads sql data return (select count(*) from accounts)'],
};

/** What the database does and no statement shows. */
export const hidden = about('the catalogue', [
  trap(
    'a trigger that nobody declared may have changed anything',
    async (w) => {
      const lines = await w.prime(log);
      await w.writer.write(newcomer, eve);
      await lines.changed();
    },
    { given: logging },
  ),
  trap(
    'a trigger that was declared changes what was said, and nothing else',
    async (w) => {
      const [lines, pairs] = [await w.prime(log), await w.prime('select value from pairs')];
      await w.writer.write(newcomer, eve);
      await lines.changed();
      await pairs.kept();
    },
    { given: logging, rules: { tables: { accounts: { writes: ['log'] } } } },
  ),
  trap(
    'a trigger made later counts',
    async (w) => {
      const making = logging[w.dialect];
      await w.writer.write(making[0] as string);
      await w.settle();
      const lines = await w.prime(log);
      for (const sql of making.slice(1)) await w.writer.write(sql);
      await w.writer.write(newcomer, eve);
      await lines.changed();
    },
    { refused: definesInMysql },
  ),
  trap(
    'a trigger that somebody else made counts',
    async (w) => {
      const making = logging[w.dialect];
      await w.writer.write(making[0] as string);
      await w.settle();
      for (const sql of making.slice(1)) await w.writer.write(sql);
      const lines = await w.prime(log);
      await w.reader.write(newcomer, eve);
      await lines.changed();
    },
    { refused: definesInMysql },
  ),
  trap(
    'a function that nobody declared is asked each time',
    async (w) => {
      for (let round = 0; round < 2; round++) await w.reader.read('select total() as n', [], hour);
      assert.equal(w.count('select total() as n'), 2);
    },
    { given: total, not: { sqlite: 'functions belong to the connection' } },
  ),
  trap(
    'a function that was declared ends with the tables that it reads',
    async (w) => {
      const sum = await w.prime('select total() as n');
      await w.writer.write(newcomer, eve);
      await sum.changed();
      await w.prime('select twice(4) as n');
    },
    {
      given: {
        postgres: [
          ...total.postgres,
          `create function twice(n integer) returns integer language sql immutable as 'select n * 2'`,
        ],
        mysql: [...total.mysql, 'create function twice(n integer) returns integer deterministic return n * 2'],
      },
      rules: { functions: { total: ['accounts'], twice: 'pure' } },
      not: { sqlite: 'functions belong to the connection' },
    },
  ),
  trap(
    'a procedure that is called may have changed anything',
    async (w) => {
      const all = await w.prime(names);
      await w.writer.write('call change_it()');
      await all.changed();
    },
    {
      given: {
        postgres: [`create procedure change_it() language sql as $$ update accounts set name = 'Ida' where id = 1 $$`],
        mysql: [`create procedure change_it() update accounts set name = 'Ida' where id = 1`],
      },
      refused: 'under `strict`: a procedure may commit',
      not: { sqlite: 'no procedures' },
    },
  ),
  trap(
    'a block of code may have changed anything',
    async (w) => {
      const all = await w.prime(names);
      await w.writer.write(`do $$ begin update accounts set name = 'Ida' where id = 1; end $$`);
      await all.changed();
    },
    { refused: 'under `strict`: a block of code may commit', not: onlyPostgres('no DO') },
  ),
  trap(
    'a partition and its table are one',
    async (w) => {
      const whole = await w.prime('select v from parts where id = ?', [1]);
      const part = await w.prime('select v from parts_a where id = ?', [1]);
      const list = await w.prime('select v from parts_a');
      await w.writer.write(`update parts set v = 'new' where id = 1`);
      await part.changed();
      await list.changed();
      await whole.changed();
      const again = await w.prime('select v from parts');
      await w.writer.write(`update parts_a set v = 'newer' where id = 1`);
      await again.changed();
      await whole.changed();
      await w.writer.write(`insert into parts_b values (150, 'x')`);
      await again.changed();
    },
    {
      given: {
        postgres: [
          'create table parts (id integer primary key, v text) partition by range (id)',
          'create table parts_a partition of parts for values from (0) to (100)',
          'create table parts_b partition of parts for values from (100) to (200)',
          `insert into parts values (1, 'a'), (101, 'b')`,
        ],
      },
      not: { mysql: 'partitions have no names in statements', sqlite: 'no partitions' },
    },
  ),
  trap(
    'a table that inherits is part of its parent',
    async (w) => {
      const all = await w.prime('select id from parents');
      const one = await w.prime('select id, v from parents where id = ?', [2]);
      await w.writer.write(`update children set v = 'new' where id = 2`);
      await one.changed();
      await w.writer.write(`insert into children values (3, 'x')`);
      await all.changed();
    },
    {
      given: {
        postgres: [
          'create table parents (id integer primary key, v text)',
          'create table children (primary key (id)) inherits (parents)',
          `insert into children values (2, 'child')`,
        ],
      },
      not: onlyPostgres('no inheritance'),
    },
  ),
  trap(
    'rows that only some may see are shown to nobody else',
    async (w) => {
      const sql = 'select id, org from secrets';
      const load = (read: () => Promise<unknown>) =>
        w.beside(() => w.cacheOfWriter.getOrSet({ key: 'secrets', load: read }));
      const inside = (org: string) =>
        w.writer.transaction(async (tx) => {
          await tx.write('set local role clerk');
          await tx.write(`set local app.org = '${org}'`);
          return tx.read(sql, [], hour);
        });
      for (let round = 0; round < 2; round++) {
        assert.equal((await w.reader.read(sql, [], hour)).length, 2);
        assert.deepEqual(await inside('acme'), [{ id: 1, org: 'acme' }]);
        assert.deepEqual(await inside('zeta'), [{ id: 2, org: 'zeta' }]);
      }
      await (w.writer.connection as NonNullable<AdapterClient['connection']>)(async (run) => {
        await run('set role clerk');
        for (const [id, org] of ['acme', 'zeta'].entries()) {
          await run(`set app.org = '${org}'`);
          assert.deepEqual(await load(() => run(sql)), [{ id: id + 1, org }]);
        }
        await run('reset role');
      });
    },
    {
      given: {
        postgres: [
          'create table secrets (id integer primary key, org text)',
          `insert into secrets values (1, 'acme'), (2, 'zeta')`,
          'alter table secrets enable row level security',
          `create policy own on secrets using (org = current_setting('app.org', true))`,
          `do $$ begin create role clerk; exception when duplicate_object or unique_violation then null; end $$`,
          'grant select on secrets to clerk',
        ],
      },
      needs: ['connection'],
      not: onlyPostgres('no row level security'),
    },
  ),
]);
