import { about, definesInMysql, type Trap, trap } from './trap.js';

/** Reads that depend on a table in a place that is easily overlooked, and a write to that table. */
const notes = `update notes set body = 'changed', org = 'zeta' where id = 1`;

const shapes: readonly (readonly [what: string, sql: string, options?: Parameters<typeof trap>[2]])[] = [
  ['joined', `select a.id, n.body from accounts a join notes n on n.account_id = a.id where a.id = 1`],
  ['joined by a comma', `select a.id, n.body from accounts a, notes n where n.account_id = a.id`],
  [
    'joined after others',
    `select a.id, n.body from accounts a left join marks m on m.account_id = a.id inner join notes as n on n.account_id = a.id`,
  ],
  [
    'joined in brackets',
    `select a.id, n.body from accounts a left join (marks m left join notes n on n.id = m.id) on m.account_id = a.id`,
  ],
  [
    'in a subquery of WHERE',
    `select id from accounts where id in (select account_id from notes where org = 'acme' and id = 1)`,
  ],
  [
    'in EXISTS',
    `select id from accounts a where exists (select 1 from notes n where n.account_id = a.id and n.body = 'one')`,
  ],
  ['in NOT IN', `select id from accounts where id not in (select account_id from notes where body = 'changed')`],
  [
    'in a subquery of the list',
    `select id, (select max(body) from notes n where n.account_id = a.id) as last from accounts a`,
  ],
  [
    'in ORDER BY',
    `select id from accounts a
      order by case when exists (select 1 from notes n where n.account_id = a.id and n.body = 'one') then 9 else 0 end, id`,
  ],
  [
    'in HAVING',
    `select org from accounts group by org having count(*) > (select count(*) - 2 from notes where body <> 'changed')`,
  ],
  [
    'in a derived table',
    `select d.body from (select body, account_id from notes) as d join accounts a on a.id = d.account_id`,
  ],
  [
    'in a derived table of a derived table',
    `select e.b from (select d.b from (select body as b from notes) as d) as e`,
  ],
  ['in an arm of UNION', `select name from accounts union select body from notes`],
  [
    'in an arm of EXCEPT',
    `select name from accounts except select body from notes where body = 'one' union all select body from notes`,
  ],
  ['in a CTE', `with n as (select body from notes) select * from n`],
  ['in a CTE that hides a table of its name', `with accounts as (select body from notes) select * from accounts`],
  [
    'in a CTE of a CTE',
    `with n as (select account_id, body from notes), a as (select n.body from n) select * from a, marks`,
  ],
  [
    'in a recursive CTE',
    `with recursive r (n) as (select 1 union all select r.n + 1 from r where r.n < (select count(*) from notes where body <> 'changed')) select n from r`,
  ],
  [
    'in LATERAL',
    `select a.id, l.body from accounts a, lateral (select n.body from notes n where n.account_id = a.id order by n.id limit 1) l`,
    { needs: ['lateral'] },
  ],
  ['in CASE', `select case when (select body from notes where id = 1) = 'one' then 'yes' else 'no' end as answer`],
  ['under another name', `select "N".body as b from notes "N"`, { not: { mysql: 'names are quoted in another way' } }],
  [
    'under a quoted name',
    'select `n`.`body` as b from `notes` `n`',
    { not: { postgres: 'names are quoted in another way' } },
  ],
  [
    'under its schema',
    `select body from public.notes`,
    { not: { mysql: 'the schema is the database', sqlite: 'the schema is main' } },
  ],
  [
    'under its schema main',
    `select body from main.notes`,
    { not: { mysql: 'the schema is the database', postgres: 'the schema is public' } },
  ],
  ['in capitals', `SELECT BODY FROM NOTES`, { not: { mysql: 'names of tables have cases where files have' } }],
  [
    'with a row as a value',
    `select n from notes n where n.id = 1`,
    { not: { mysql: 'no rows as values', sqlite: 'no rows as values' } },
  ],
  ['counted', `select count(*) as n from notes where body = 'one'`],
  ['grouped', `select org, count(*) as n from notes group by org`],
  ['in a window', `select id, row_number() over (partition by org order by id) as place from notes`],
  ['by DISTINCT', `select distinct body from notes`],
  ['by TABLE', `table notes`, { not: { mysql: 'MySQL alone has it, MariaDB has not', sqlite: 'no TABLE' } }],
  ['after VALUES', `values ('x') union all select body from notes`, { not: { mysql: 'another grammar' } }],
];

/** Where a table may stand in a statement. */
export const places = about(
  'a table',
  shapes.map(
    ([what, sql, options]): Trap =>
      trap(
        `${what} is depended on`,
        async (w) => {
          const primed = await w.prime(sql);
          const other = await w.prime('select value from pairs');
          await w.writer.write(notes);
          await primed.changed();
          await other.kept();
        },
        options,
      ),
  ),
);

/** Tables that no statement names. */
export const views = about('views', [
  trap('a view ends with the table behind it', async (w) => {
    const all = await w.prime('select id, name from acme_names');
    const one = await w.prime('select name from acme_names where id = ?', [1]);
    await w.writer.write('update accounts set name = ? where id = ?', ['Ida', 1]);
    await all.changed();
    await one.changed();
  }),
  trap(
    'a view of a view does too',
    async (w) => {
      const all = await w.prime('select id from short_names');
      await w.writer.write('update accounts set name = ? where id = ?', ['Ida', 1]);
      await all.changed();
    },
    { given: [`create view short_names as select id from acme_names where name like 'A%'`] },
  ),
  trap('a view notices a row that comes into it', async (w) => {
    const one = await w.prime('select id, name from acme_names where id = ?', [3]);
    await w.writer.write(`update accounts set org = 'acme' where id = 3`);
    await one.changed();
  }),
  trap('a join of a view and its own table is right', async (w) => {
    const both = await w.prime('select v.name from acme_names v join accounts a on a.id = v.id where a.id = ?', [1]);
    const count = await w.prime('select id, (select count(*) from acme_names) as n from accounts where id = ?', [3]);
    await w.writer.write(`update accounts set name = 'Ida', org = 'acme' where id in (1, 4)`);
    await both.changed();
    await count.changed();
  }),
  trap(
    'a write through a view is one of its table',
    async (w) => {
      const row = await w.prime('select name from accounts where id = ?', [1]);
      const list = await w.prime('select name from accounts');
      await w.writer.write(`update acme_names set name = 'Ida' where id = 1`);
      await row.changed();
      await list.changed();
    },
    { not: { sqlite: 'views are not written through' } },
  ),
  trap(
    'a view that was made anew is another one',
    async (w) => {
      const all = await w.prime('select id, name from acme_names');
      await w.writer.write('drop view acme_names');
      await w.writer.write(`create view acme_names as select id, body as name from notes`);
      await all.changed();
      const again = await w.prime('select id, name from acme_names order by id');
      await w.writer.write(`update notes set body = 'new' where id = 1`);
      await again.changed();
    },
    { refused: definesInMysql },
  ),
  trap(
    'a materialised view changes when it is refreshed',
    async (w) => {
      for (const [name, how] of [
        ['Ida', ''],
        ['Eda', 'concurrently'],
      ]) {
        const all = await w.prime('select name from kept_names');
        await w.writer.write('update accounts set name = ? where id = ?', [name, 1]);
        await all.unchanged();
        await w.writer.write(`refresh materialized view ${how} kept_names`);
        await all.changed();
      }
    },
    {
      given: {
        postgres: [
          'create materialized view kept_names as select id, name from accounts',
          'create unique index on kept_names (id)',
        ],
      },
      not: { mysql: 'no materialised views', sqlite: 'no materialised views' },
    },
  ),
]);
