import { afterEach, describe, expect, inject, test } from 'vitest';
import { tenantMark } from '../../../src/core/table-tags.js';
import { aMysqlDatabase } from './catalog-databases.js';
import { type ADatabase, catalogOf, childrenOf, columnsOf, finderOf, shapeOf } from './catalog-shapes.js';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function aDatabase(...statements: string[]): Promise<ADatabase & { name: string }> {
  const database = await aMysqlDatabase();
  cleanups.push(database.end);
  await database.run(...statements);
  return database;
}

const aFinder = async (...statements: string[]) => finderOf(await aDatabase(...statements));

const isMariadb = async ({ ask }: ADatabase) => /mariadb/i.test(String((await ask('select version() as v'))[0]?.v));

describe.skipIf(!inject('services').mysql)('the catalogue of MariaDB and MySQL', () => {
  test('says by which columns claims can be made', async () => {
    const find = await aFinder(
      `create table t (a int auto_increment primary key, b bigint unsigned, c tinyint(1), d decimal(9, 2), e text, f varchar(3) not null,
        g char(4) collate utf8mb4_bin, h longtext collate utf8mb4_unicode_520_ci, i varchar(9) character set latin1,
        j varchar(9) character set latin1 collate latin1_swedish_ci, k enum('a', '1'), l set('a'), m double, n varbinary(9),
        o blob, p datetime, q timestamp default current_timestamp on update current_timestamp, r bit(1), s year,
        u varchar(9) collate utf8mb4_lithuanian_ci, v varchar(9) character set binary, w int as (c + 1) stored,
        x int as (c + 1) virtual, y varchar(9) default (uuid()), z char(9) character set ascii) default charset utf8mb4`,
    );
    expect(columnsOf(find('t'))).toEqual([
      'a integer',
      'b integer null',
      'c integer null',
      'd numeric null',
      'e text null',
      'f text',
      ...'ghij'.split('').map((name) => `${name} text null`),
      ...'klmnop'.split('').map((name) => `${name} other null`),
      expect.stringMatching(/^q other (null )?generated$/),
      ...'rsuv'.split('').map((name) => `${name} other null`),
      'w integer null generated',
      'x integer null generated',
      'y text null',
      'z text null',
    ]);
  });

  test('calls text only what folding makes equal wherever the collation does', async () => {
    const database = await aDatabase();
    const listed = await database.ask(
      'select collation_name as name, character_set_name as charset from information_schema.collation_character_set_applicability',
    );
    // Some of MariaDB are listed without their character set.
    const isWhole = ({ name, charset }: Record<string, unknown>) => `${name}`.startsWith(`${charset}`);
    const others = listed.filter(
      (it) => !isWhole(it) && it.charset === 'utf8mb4' && `${it.name}`.startsWith('uca1400'),
    );
    const collations = [
      ...listed.filter(isWhole),
      ...others.slice(0, 40).map(({ name, charset }) => ({ name: `${charset}_${name}`, charset })),
    ];
    const names = collations.map((it) => String(it.name));
    await database.run(
      `create table t (${collations.map((it, at) => `c${at} varchar(1) character set ${it.charset} collate ${it.name}`).join(', ')}) engine = myisam`,
    );
    const find = await finderOf(database);
    const claimed = names.filter((_, at) => find('t')?.columns.get(`c${at}`)?.type === 'text');
    expect(claimed.length).toBeGreaterThan(10);
    expect(claimed).toContain('utf8mb4_general_ci');
    const letters = Array.from({ length: 95 }, (_, at) => at + 32);
    await database.run(
      'create table chars (c varchar(1) character set utf8mb4 collate utf8mb4_bin)',
      `insert into chars values (''), ${letters.map((code) => `(char(${code}))`).join()}`,
    );
    for (const name of claimed) {
      const charset = name.split('_')[0];
      const side = (table: string) => `convert(${table}.c using ${charset}) collate ${name}`;
      const equal = await database.ask(
        `select a.c as a, b.c as b from chars a join chars b on ${side('a')} = ${side('b')} where a.c < b.c`,
      );
      const missed = equal.filter(({ a, b }) => tenantMark(String(a)) !== tenantMark(String(b)));
      expect({ name, missed }).toEqual({ name, missed: [] });
    }
  });

  test('takes a schema for a database', async () => {
    const database = await aDatabase('create table orders (id int primary key)');
    const other = `${database.name}_other`;
    await database.run(`create database ${other}`);
    cleanups.push(() => database.run(`drop database ${other}`));
    await database.run(
      `create table ${other}.orders (number varchar(9) primary key, id int, foreign key (id) references ${database.name}.orders (id) on delete cascade)`,
      `create view ${other}.v as select a.id from ${database.name}.orders a join ${other}.orders b on a.id = b.id`,
    );
    const catalog = await catalogOf(database);
    expect(catalog.server).toBe(database.name);
    expect(catalog.find({ schema: undefined, name: 'orders' })).toMatchObject({
      tag: 'table:app.orders',
      name: 'orders',
    });
    expect(catalog.find({ schema: database.name, name: 'orders' })?.tag).toBe('table:app.orders');
    expect(catalog.find({ schema: other, name: 'orders' })).toMatchObject({
      tag: `table:${other}.orders`,
      name: `${other}.orders`,
      primaryKey: ['number'],
    });
    expect(childrenOf(catalog.find({ schema: undefined, name: 'orders' }))).toEqual([
      `table:${other}.orders (id) delete`,
    ]);
    expect(shapeOf(catalog.find({ schema: other, name: 'v' }))).toMatchObject({
      bases: ['table:app.orders', `table:${other}.orders`],
    });
    expect(catalog.named('orders').length).toBeGreaterThanOrEqual(2);
  });

  test('has no database to look in when none was chosen', async () => {
    const database = await aDatabase('create table t (id int primary key)');
    const { name } = database;
    await database.run(`create database ${name}_gone`, `use ${name}_gone`, `drop database ${name}_gone`);
    const catalog = await catalogOf(database);
    expect(catalog.server).toBe('');
    expect(catalog.find({ schema: undefined, name: 't' })).toBeUndefined();
    expect(catalog.find({ schema: name, name: 't' })?.tag).toBe(`table:${name}.t`);
  });

  test('finds names in whatever case, and reads none that differ in case alone', async () => {
    const database = await aDatabase('create table Orders (Id int primary key, `Größe` int)');
    const distinguishes = (await database.ask('select @@lower_case_table_names as n'))[0]?.n === 0;
    const find = await finderOf(database);
    expect(find('orders')).toMatchObject({ tag: 'table:app.orders', primaryKey: ['id'] });
    expect([...(find('orders')?.columns.keys() ?? [])]).toEqual(['id', 'große']);
    if (!distinguishes) return;
    await database.run('create table orders (other int)', 'create view v as select Id from Orders');
    const again = await finderOf(database);
    expect(again('orders')?.unreadable).toMatch(/^there is orders and Orders|^there is Orders and orders/);
    expect(again('v')?.unreadable).toMatch(/^it reads (o|O)rders: there is/);
  });

  test('reads what the server wrote of views, also under other modes', async () => {
    const database = await aDatabase(
      "set sql_mode = 'ansi_quotes,pipes_as_concat,no_backslash_escapes'",
      'create table "a b" ("select" int, name varchar(20), at datetime, amount int)'.split(';')[0] as string,
      'create table u (id int)',
      `create view v as select "select" || 'x\\' as t, 'say "from other"' as s from "a b" x left join (u, u u2) on u.id = x."select"`,
      `create view much as
         select count(distinct name) as n, group_concat(name order by name separator '\\') as g, date_format(at, '%Y') as y,
           timestampdiff(day, at, at) as d, cast(name as char(9)) as c, convert(name using latin1) as l, ifnull(name, 'x') as i,
           extract(year from at) as e, name regexp '^a' as r, substring_index(name, ',', 1) as si, trim(both 'x' from name) as tr,
           at + interval 1 day as nx, if(amount > 1, 2, 3) as f, json_extract(name, '$.a') as j, position('a' in name) as p,
           sum(amount) over (partition by name) as w
         from "a b" group by name having count(*) > 1 union all select 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16`,
      'create view cte as with recursive n as (select 1 as x union all select x + 1 from n where x < 3) select x from n, u',
    );
    const find = await finderOf(database);
    expect(find('v')?.unreadable).toBeUndefined();
    expect(find('much')?.unreadable).toBeUndefined();
    expect(find('cte')?.unreadable).toBeUndefined();
    expect(shapeOf(find('v'))).toMatchObject({ bases: ['table:app.a b', 'table:app.u'] });
    expect(shapeOf(find('much'))).toMatchObject({ bases: ['table:app.a b'] });
    expect(shapeOf(find('cte'))).toMatchObject({ bases: ['table:app.u'] });
    expect(columnsOf(find('v'))).toHaveLength(2);
  });

  test('cannot read a view that calls what may read anything, or whose table is gone', async () => {
    const database = await aDatabase(
      'create table t (id int)',
      'create table other (n int)',
      'create table gone (id int)',
      'create function counter() returns int reads sql data return (select count(*) from other)',
      'create view by_function as select id, counter() from t',
      'create view by_user as select id from t where user() = id',
      'create view by_lock as select id from gone',
      'create view by_schema as select table_name from information_schema.tables',
      'drop table gone',
    );
    const find = await finderOf(database);
    expect(find('by_function')?.unreadable).toBe('it calls counter(), and nobody said what that reads');
    expect(find('by_user')?.unreadable).toMatch(/^it has user\(\)/);
    expect(find('by_lock')?.unreadable).toMatch(/gone|definition/);
    expect(find('by_schema')?.unreadable).toMatch(/^it has the system table/);
    const declared = await finderOf(database, { counter: ['other'] });
    expect(shapeOf(declared('by_function'))).toMatchObject({ bases: ['table:app.other', 'table:app.t'] });
    expect(declared('by_function')?.unreadable).toBeUndefined();
  });

  test('knows triggers, cycles of foreign keys and all of their actions', async () => {
    const find = await aFinder(
      'create table a (id int primary key, b_id int, code varchar(9) unique)',
      'create table b (id int primary key, a_id int, foreign key (a_id) references a (id) on delete restrict)',
      'alter table a add foreign key (b_id) references b (id) on delete set null',
      'create table c (code varchar(9), foreign key (code) references a (code) on update cascade)',
      'create trigger `On "a"` after insert on a for each row insert into c values (null)',
    );
    expect(childrenOf(find('a'))).toEqual(['table:app.b (id)', 'table:app.c (code) update']);
    expect(childrenOf(find('b'))).toEqual(['table:app.a (id) delete']);
    expect(find('a')?.triggers).toEqual(['On "a"']);
    expect(shapeOf(find('a'))).toMatchObject({ key: 'id' });
  });

  test('tells which tables keep their rows elsewhere', async () => {
    const database = await aDatabase(
      'create table t (id int) engine = myisam',
      'create table m (id int) engine = merge union = (t)',
    );
    if (await isMariadb(database))
      await database.run('create sequence numbers', 'create table h (id int primary key) with system versioning');
    const find = await finderOf(database);
    expect(find('t')?.unreadable).toBeUndefined();
    expect(find('m')?.unreadable).toBe('a table of MRG_MyISAM, which keeps its rows elsewhere');
    if (!(await isMariadb(database))) return;
    expect(find('numbers')?.unreadable).toBe('a sequence');
    expect(shapeOf(find('h'))).toEqual({ tag: 'table:app.h', kind: 'table', key: '' });
  });

  test('says what the user of the connection may not see', async () => {
    const database = await aDatabase(
      'create table t (id int primary key)',
      'create table seen (id int primary key)',
      'create table secret (id int)',
      'create table only_read (id int)',
      'create trigger hidden after insert on t for each row set @x = 1',
      'create view v as select t.id from t join secret',
      'create view w as select id from secret',
    );
    const { name } = database;
    const user = `u${name.slice(-10)}`;
    await database.run(
      `create user ${user}@'%' identified by ''`,
      `create user ${user}@localhost identified by ''`,
      ...['%', 'localhost'].flatMap((host) => [
        ...['t', 'v', 'w'].map((table) => `grant select, update on ${name}.${table} to ${user}@'${host}'`),
        `grant select (id), update, trigger on ${name}.seen to ${user}@'${host}'`,
        `grant select on ${name}.only_read to ${user}@'${host}'`,
        `grant show view on ${name}.w to ${user}@'${host}'`,
      ]),
    );
    cleanups.push(() => database.run(`drop user ${user}@'%', ${user}@localhost`));
    const other = await aMysqlDatabase(user, name);
    cleanups.push(other.end);
    const find = await finderOf(other);
    expect(find('t')?.triggers).toEqual([
      expect.stringMatching(/^(hidden|whatever the privilege TRIGGER would show)$/),
    ]);
    expect(find('seen')?.triggers).toEqual([]);
    expect(find('only_read')?.triggers).toEqual(['whatever the privilege TRIGGER would show']);
    expect(find('secret')).toBeUndefined();
    expect(find('v')?.unreadable).toBe('its definition is shown only with the privilege SHOW VIEW');
    expect(find('w')?.unreadable).toBe('it reads secret, which is not there or not to be seen');
  });
});
