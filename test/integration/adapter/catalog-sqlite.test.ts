import { afterEach, describe, expect, inject, test } from 'vitest';
import { aSqliteFile } from '../../services/sqlite.js';
import { aSqliteDatabase } from './catalog-databases.js';
import { type ADatabase, catalogOf, childrenOf, columnsOf, finderOf, shapeOf } from './catalog-shapes.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function aDatabase(...statements: string[]): Promise<ADatabase> {
  const database = await aSqliteDatabase();
  cleanups.push(database.end);
  await database.run(...statements);
  return database;
}

const aFinder = async (...statements: string[]) => finderOf(await aDatabase(...statements));

describe.skipIf(!inject('services').sqlite)('the catalogue of SQLite', () => {
  test('says by which columns claims can be made', async () => {
    const find = await aFinder(
      `create table t (a integer primary key, b bigint, c tinyint not null, d decimal(9, 2), e text, f varchar(3), g nchar(3),
        h real, i blob, j, k boolean, l date, m any, "N ""n" text, o int generated always as (b * 2) virtual,
        p text as (e || 'x') stored)`,
      'create table own (a text collate nocase, b text collate "rtrim", c int)',
      'create table strict_t (a int, b text, c any) strict',
    );
    expect(columnsOf(find('t'))).toEqual([
      'a integer null',
      'b integer null',
      'c integer',
      ...['d other null', 'e text null', 'f text null', 'g text null'],
      ...'hijklm'.split('').map((name) => `${name} other null`),
      'n "n=N "n text null',
      'o integer null generated',
      'p text null generated',
    ]);
    expect(columnsOf(find('own'))).toEqual(['a text null', 'b text null', 'c integer null']);
    expect(columnsOf(find('strict_t'))).toEqual(['a integer null', 'b text null', 'c other null']);
  });

  test('makes no claims by texts of a table with a collation of its own', async () => {
    const database = await aDatabase('create table t (a text collate nocase, b int)');
    // The driver registers none, so this says what an application's table would.
    const ask = async (sql: string) => {
      const rows = await database.ask(sql);
      return rows.map((row) => ('sql' in row ? { ...row, sql: `${row.sql}`.replace('nocase', '"german"') } : row));
    };
    const find = await finderOf({ ...database, ask });
    expect(columnsOf(find('t'))).toEqual(['a other null', 'b integer null']);
  });

  test('knows all kinds of primary keys', async () => {
    const find = await aFinder(
      'create table a (x text primary key)',
      'create table b (x text, y int, z int, primary key (z, x)) without rowid',
      'create table c (x integer primary key desc)',
      'create table d (x integer primary key autoincrement)',
    );
    expect(find('a')?.primaryKey).toEqual(['x']);
    expect(find('b')?.primaryKey).toEqual(['z', 'x']);
    expect(find('c')?.primaryKey).toEqual(['x']);
    expect(find('d')?.primaryKey).toEqual(['x']);
    expect(find('sqlite_sequence')).toBeUndefined();
  });

  test('finds what foreign keys mean that name no column, or a table that comes later', async () => {
    const find = await aFinder(
      'create table a (id integer primary key, b_id int references B on delete set null)',
      'create table b (x int, y int, a_id int references a on update cascade, primary key (y, x))',
      'create table c (y int, x int, foreign key (y, x) references b on delete set default on update restrict, foreign key (x) references gone (id))',
    );
    expect(childrenOf(find('a'))).toEqual(['table:app.b (id) update']);
    expect(childrenOf(find('b'))).toEqual(['table:app.a (y, x) delete', 'table:app.c (y, x) delete']);
  });

  test('takes attached databases for schemas', async () => {
    const database = await aDatabase('create table t (id integer primary key); create table here (id int)');
    const other = aSqliteFile();
    cleanups.push(other.remove);
    await database.run(
      `attach '${other.file}' as "Other ""one"`,
      'create table "Other ""one".t (key text primary key, here_id int references here on delete cascade)',
      'create table "Other ""one".there (id int); create table "Other ""one".here (id int)',
      'create view "Other ""one".v as select * from t, here',
    );
    const catalog = await catalogOf(database);
    const schema = 'other "one';
    expect(catalog.server).toBe('app.db');
    expect(catalog.find({ schema: undefined, name: 't' })?.tag).toBe('table:app.t');
    expect(catalog.find({ schema: 'main', name: 't' })?.tag).toBe('table:app.t');
    expect(catalog.find({ schema: undefined, name: 'there' })).toMatchObject({
      tag: 'table:app.other "one.there',
      name: 'Other "one.there',
    });
    expect(catalog.find({ schema, name: 't' })).toMatchObject({ tag: 'table:app.other "one.t', primaryKey: ['key'] });
    expect(catalog.find({ schema: 'main', name: 'there' })).toBeUndefined();
    // Each database for itself.
    expect(childrenOf(catalog.find({ schema: 'main', name: 'here' }))).toEqual([]);
    expect(childrenOf(catalog.find({ schema, name: 'here' }))).toEqual(['table:app.other "one.t () delete']);
    expect(shapeOf(catalog.find({ schema, name: 'v' }))).toMatchObject({
      bases: ['table:app.other "one.here', 'table:app.other "one.t'],
    });
    expect(catalog.named('t')).toHaveLength(2);
  });

  test('puts temporary tables before all others, and reads none', async () => {
    const find = await aFinder(
      'create table t (id integer primary key); create table u (id int)',
      'create temp table t (id int); create temp view u_now as select * from u',
      'create temp trigger watching after insert on u begin select 1; end',
    );
    expect(find('t')).toMatchObject({ unreadable: 'a temporary table', tag: 'table:app.temp.t' });
    expect(find('t', 'main')).toMatchObject({ unreadable: undefined, primaryKey: ['id'] });
    expect(find('u_now')?.unreadable).toBe('a temporary view');
    expect(find('u')?.triggers).toEqual(['watching']);
  });

  test('cannot read virtual tables, nor what they keep their rows in', async () => {
    const find = await aFinder(
      'create virtual table words using fts5 (text)',
      'create table words_more (id int)',
      'create view found as select * from words',
    );
    expect(find('words')?.unreadable).toBe('a virtual table');
    expect(find('words_content')?.unreadable).toBe('it belongs to a virtual table');
    expect(find('words_more')?.unreadable).toBeUndefined();
    expect(find('found')?.unreadable).toBe('it reads words: a virtual table');
  });

  test('reads views as they were written', async () => {
    const find = await aFinder(
      'create table t (id int, "as" text, j text); create table u (id int)',
      'create view if not exists main.[a as b] (x, "as") -- as (select)\n /* as */ as select id, "as" from T',
      "create view much as with recursive n (x) as (select 1 union all select x + 1 from n where x < 3), m as (select * from u) select count(*), group_concat(t.id), json_extract(j, '$.a'), (select max(x) from n), e.value, row_number() over (order by t.id) from t, json_each(t.j) e, m where t.id in u",
      "create view by_time as select datetime('now') from t",
      'create view by_random as select random() from t',
      'create view gone as select * from nothing_there',
      'create view by_function as select counter(id) from t',
    );
    expect(shapeOf(find('a as b'))).toEqual({ tag: 'table:app.a as b', kind: 'view', key: '', bases: ['table:app.t'] });
    expect(shapeOf(find('much'))).toEqual({
      tag: 'table:app.much',
      kind: 'view',
      key: '',
      bases: ['table:app.t', 'table:app.u'],
    });
    expect(find('by_time')?.unreadable).toMatch(/^it has /);
    expect(find('by_random')?.unreadable).toMatch(/^it has random\(\)/);
    expect(find('gone')?.unreadable).toBe('it reads nothing_there, which is not there or not to be seen');
    expect(find('by_function')?.unreadable).toBe('it calls counter(), and nobody said what that reads');
  });

  test('knows triggers, of views too', async () => {
    const find = await aFinder(
      'create table t (id int); create view v as select id from t',
      'create trigger "a b" after insert on t begin delete from t; end',
      'create trigger instead instead of insert on v begin insert into t values (new.id); end',
    );
    expect(find('t')).toMatchObject({ triggers: ['a b'], returnable: false });
    expect(find('v')?.triggers).toEqual(['instead']);
  });

  test('reads an empty database', async () => {
    const catalog = await catalogOf(await aDatabase());
    expect(catalog.find({ schema: undefined, name: 't' })).toBeUndefined();
  });
});
