import assert from 'node:assert/strict';
import { hour } from './primed.js';
import { rolledBack } from './rejecting.js';
import { about, definesInMysql, trap } from './trap.js';

/** Definitions: what there is under a name changes. */
export const schemas = about('schemas', [
  trap(
    'a column that was added is there',
    async (w) => {
      const [all, one] = [
        await w.prime('select * from pairs'),
        await w.prime('select * from pairs where a = ? and b = ?', [1, 1]),
      ];
      await w.writer.write(`alter table pairs add column extra varchar(10) default 'x'`);
      await all.changed();
      await one.changed();
    },
    { refused: definesInMysql },
  ),
  trap(
    'a table that was dropped and made anew is another one',
    async (w) => {
      const one = await w.prime('select value from pairs where a = ?', [1]);
      await w.writer.write('drop table pairs');
      await w.writer.write('create table pairs (a integer primary key, value varchar(50))');
      await one.changed();
      await w.writer.write(`insert into pairs (a, value) values (1, 'new')`);
      const again = await w.prime('select value from pairs where a = ?', [1]);
      await w.writer.write(`update pairs set value = 'newer' where a = 1`);
      await again.changed();
    },
    { refused: definesInMysql },
  ),
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
    {
      refused: definesInMysql,
      given: ['create table new_pairs (a integer, b integer, value varchar(50), primary key (a, b))'],
    },
  ),
  trap(
    'a table made by a query counts from its first row',
    async (w) => {
      await w.writer.write('create table copies as select id, name from accounts');
      await w.settle();
      const all = await w.prime('select id from copies');
      await w.writer.write(`insert into copies (id, name) values (77, 'x')`);
      await all.changed();
    },
    { refused: definesInMysql },
  ),
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
      refused: definesInMysql,
      not: { sqlite: 'foreign keys are made with the table' },
    },
  ),
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
      refused: definesInMysql,
      not: { sqlite: 'foreign keys are made with the table' },
    },
  ),
]);
