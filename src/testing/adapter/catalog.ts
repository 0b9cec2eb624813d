import assert from 'node:assert/strict';
import type { AdapterClient } from './driver.js';
import { about, trap } from './trap.js';
import { hour, rolledBack, type World } from './world.js';

const names = 'select id, name from accounts';
const newcomer = 'insert into accounts (id, org, name, email) values (?, ?, ?, ?)';
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
  trap('a trigger made later counts', async (w) => {
    const making = logging[w.dialect];
    await w.writer.write(making[0] as string);
    await w.settle();
    const lines = await w.prime(log);
    for (const sql of making.slice(1)) await w.writer.write(sql);
    await w.writer.write(newcomer, eve);
    await lines.changed();
  }),
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
    { not: onlyPostgres('no DO') },
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

/** What changes what names mean. */
export const schemas = about('schemas', [
  trap('a column that was added is there', async (w) => {
    const [all, one] = [
      await w.prime('select * from pairs'),
      await w.prime('select * from pairs where a = ? and b = ?', [1, 1]),
    ];
    await w.writer.write(`alter table pairs add column extra varchar(10) default 'x'`);
    await all.changed();
    await one.changed();
  }),
  trap('a table that was dropped and made anew is another one', async (w) => {
    const one = await w.prime('select value from pairs where a = ?', [1]);
    await w.writer.write('drop table pairs');
    await w.writer.write('create table pairs (a integer primary key, value varchar(50))');
    await one.changed();
    await w.writer.write(`insert into pairs (a, value) values (1, 'new')`);
    const again = await w.prime('select value from pairs where a = ?', [1]);
    await w.writer.write(`update pairs set value = 'newer' where a = 1`);
    await again.changed();
  }),
  trap(
    'tables that change places are each other',
    async (w) => {
      const one = await w.prime('select value from pairs order by value');
      await w.writer.write('alter table pairs rename to old_pairs');
      await w.writer.write('alter table new_pairs rename to pairs');
      await one.changed();
      const again = await w.prime('select value from pairs');
      await w.writer.write(`insert into pairs (a, b, value) values (5, 5, 'five')`);
      await again.changed();
    },
    { given: ['create table new_pairs (a integer, b integer, value varchar(50), primary key (a, b))'] },
  ),
  trap('a table made by a query counts from its first row', async (w) => {
    await w.writer.write('create table copies as select id, name from accounts');
    await w.settle();
    const all = await w.prime('select id from copies');
    await w.writer.write(`insert into copies (id, name) values (77, 'x')`);
    await all.changed();
  }),
  trap(
    'DDL of a transaction that is rolled back changes nothing',
    async (w) => {
      const all = await w.prime('select * from pairs');
      await rolledBack(w.writer, async (tx) => {
        await tx.write('alter table pairs add column extra integer');
        assert.ok('extra' in ((await tx.read('select * from pairs', [], hour))[0] ?? {}));
      });
      await all.unchanged();
      await w.writer.write(`update pairs set value = 'new' where a = 1 and b = 1`);
      await all.changed();
    },
    { not: { mysql: 'DDL commits' } },
  ),
  trap(
    'a foreign key that somebody else made cascades',
    async (w) => {
      await w.settle();
      await w.writer.write('alter table code_lines add foreign key (code) references codes (code) on delete cascade');
      // What the reader knows of the catalogue is older.
      const children = await w.prime('select id from code_lines');
      await w.reader.write(`delete from codes where code = 'abc'`);
      await children.changed();
    },
    {
      given: [
        'create table code_lines (id integer primary key, code varchar(20) not null)',
        `insert into code_lines values (1, 'abc'), (2, 'def')`,
      ],
      not: { sqlite: 'foreign keys are made with the table' },
    },
  ),
  trap('a trigger that somebody else made counts', async (w) => {
    const making = logging[w.dialect];
    await w.writer.write(making[0] as string);
    await w.settle();
    for (const sql of making.slice(1)) await w.writer.write(sql);
    const lines = await w.prime(log);
    await w.reader.write(newcomer, eve);
    await lines.changed();
  }),
  trap(
    'a foreign key made later cascades',
    async (w) => {
      const children = await w.prime('select id from code_lines');
      await w.writer.write('alter table code_lines add foreign key (code) references codes (code) on delete cascade');
      await w.writer.write(`delete from codes where code = 'abc'`);
      await children.changed();
    },
    {
      given: [
        'create table code_lines (id integer primary key, code varchar(20) not null)',
        `insert into code_lines values (1, 'abc'), (2, 'def')`,
      ],
      not: { sqlite: 'foreign keys are made with the table' },
    },
  ),
  trap(
    'a table of another schema is another one',
    async (w) => {
      const [here, there] = [await w.prime('select value from pairs'), await w.prime('select value from other.pairs')];
      await w.writer.write(`update other.pairs set value = 'new'`);
      await there.changed();
      await here.kept();
    },
    { given: { postgres: elsewhere('other') }, not: onlyPostgres('no schemas in a database') },
  ),
  trap(
    'a table of another database of the server is another one',
    async (w) => {
      const other = `other_${Math.random().toString(36).slice(2)}`;
      await w.bare(`create database ${other}`);
      try {
        await w.bare(`create table ${other}.pairs (a integer primary key, value varchar(50))`);
        await w.bare(`insert into ${other}.pairs values (1, 'there')`);
        const [here, there] = [
          await w.prime('select value from pairs'),
          await w.prime(`select value from ${other}.pairs`),
        ];
        await w.writer.write(`update ${other}.pairs set value = 'new'`);
        await there.changed();
        await here.kept();
      } finally {
        await w.bare(`drop database ${other}`);
      }
    },
    { not: { postgres: 'statements stay in their database', sqlite: 'one file' } },
  ),
  trap(
    'a search path that was changed makes names mean other tables',
    pinned(async (w, run) => {
      const there = await w.prime('select value from other.pairs');
      await run('set search_path = other, public');
      await run(`update pairs set value = 'new'`);
      await w.beside(() => there.changed());
      const read = () =>
        w.beside(() =>
          w.cacheOfWriter.getOrSet({ key: 'path', ttl: hour, load: () => run('select value from pairs') }),
        );
      assert.deepEqual(await read(), [{ value: 'new' }]);
      await run(`update other.pairs set value = 'newer'`);
      assert.deepEqual(await read(), [{ value: 'newer' }]);
      await run('reset search_path');
    }),
    { given: { postgres: elsewhere('other') }, needs: ['connection'], not: onlyPostgres('no search path') },
  ),
  trap(
    'a search path that was changed for a transaction does too',
    async (w) => {
      const there = await w.prime('select value from other.pairs where a = ?', [1]);
      await w.writer.transaction(async (tx) => {
        await tx.write('set local search_path = other');
        await tx.write(`update pairs set value = 'new' where a = 1`);
      });
      await there.changed();
    },
    { given: { postgres: elsewhere('other') }, not: onlyPostgres('no search path') },
  ),
  trap(
    'a database that is used from now on is where names mean tables',
    pinned(async (w, run) => {
      const other = `other_${Math.random().toString(36).slice(2)}`;
      await w.bare(`create database ${other}`);
      const [{ home }] = (await w.bare('select database() as home')) as [{ home: string }];
      try {
        await w.bare(`create table ${other}.pairs (a integer primary key, value varchar(50))`);
        await w.bare(`insert into ${other}.pairs values (1, 'there')`);
        const there = await w.prime(`select value from ${other}.pairs`);
        await run(`use ${other}`);
        await run(`update pairs set value = 'new'`);
        await run(`use ${home}`);
        await w.beside(() => there.changed());
      } finally {
        await w.bare(`drop database ${other}`);
      }
    }),
    { needs: ['connection'], not: { postgres: 'no USE', sqlite: 'no USE' } },
  ),
  trap(
    'a temporary table hides the real one from its connection, and from nobody else',
    async (w) => {
      const all = await w.prime('select value from pairs');
      const connection = w.writer.connection?.bind(w.writer) as NonNullable<AdapterClient['connection']>;
      await connection(async (run) => {
        await run('create temporary table pairs (a integer, b integer, value varchar(50))');
        await run(`insert into pairs values (1, 1, 'mine')`);
        const load = () => run('select value from pairs');
        const read = () => w.beside(() => w.cacheOfWriter.getOrSet({ key: 'hidden', ttl: hour, load }));
        assert.deepEqual(await read(), [{ value: 'mine' }]);
        await run(`update pairs set value = 'changed'`);
        assert.deepEqual(await read(), [{ value: 'changed' }]);
        await run(w.dialect === 'sqlite' ? 'drop table temp.pairs' : 'drop table pairs');
      });
      await all.right();
    },
    { needs: ['connection'] },
  ),
]);

/** Tables of the same name in another schema. */
function elsewhere(schema: string): string[] {
  return [
    `create schema ${schema}`,
    `create table ${schema}.pairs (a integer, b integer, value varchar(50), primary key (a, b))`,
    `insert into ${schema}.pairs values (1, 1, 'there')`,
  ];
}

function pinned(
  body: (w: World, run: Parameters<Parameters<NonNullable<AdapterClient['connection']>>[0]>[0]) => Promise<void>,
): (w: World) => Promise<void> {
  return (w) => (w.writer.connection as NonNullable<AdapterClient['connection']>)((run) => body(w, run));
}
