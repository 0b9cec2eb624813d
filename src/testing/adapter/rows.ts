import { about, type Trap, trap } from './trap.js';

type Statement = readonly [sql: string, ...params: unknown[]];

/** A write that must end some reads, and must leave others alone. */
function parts(
  name: string,
  write: Statement,
  o: { ends?: readonly Statement[]; keeps?: readonly Statement[] } & Parameters<typeof trap>[2],
): Trap {
  const { ends = [], keeps = [], ...options } = o;
  const [text, ...values] = write;
  return trap(
    name,
    async (w) => {
      const ended = [];
      const kept = [];
      for (const [sql, ...params] of ends) ended.push(await w.prime(sql, params));
      for (const [sql, ...params] of keeps) kept.push(await w.prime(sql, params));
      await w.writer.write(text, values);
      for (const one of kept) await one.kept();
      for (const one of ended) await one.changed();
    },
    options,
  );
}

const account = 'select id, name, org from accounts where id = ?';
const ofOrg = 'select id, name from accounts where org = ?';
const rename = 'update accounts set name = ? where id = ?';
const things = [
  `insert into things values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 2)`,
];
const newcomer = 'insert into accounts (id, org, name, email) values (?, ?, ?, ?)';

/** Which rows a read is about: as narrow as it can be proved, and no narrower. */
export const rows = about('rows', [
  parts('a change of one row leaves the others in the cache', [rename, 'Ida', 1], {
    ends: [
      [account, 1],
      ['select id, name from accounts where id in (?, ?)', 1, 2],
    ],
    keeps: [
      [account, 2],
      ['select id, name from accounts where id in (?, ?)', 2, 3],
    ],
  }),
  parts('an insert leaves rows that were found by key in the cache', [newcomer, 9, 'acme', 'Eve', 'eve@x'], {
    keeps: [[account, 1]],
    ends: [['select id from accounts']],
  }),
  parts('a key that was not there is noticed when it comes', [newcomer, 9, 'acme', 'Eve', 'eve@x'], {
    ends: [
      [account, 9],
      ['select count(*) as n from accounts where id = ?', 9],
    ],
  }),
  parts('a key among several that was not there is noticed when it comes', [newcomer, 9, 'acme', 'Eve', 'eve@x'], {
    ends: [
      ['select id, name from accounts where id in (?, ?)', 1, 9],
      ['select id, name from accounts where id = ? or id = ?', 1, 9],
      ['select a.id, n.id as note from accounts a left join notes n on n.account_id = a.id where a.id in (?, ?)', 1, 9],
    ],
  }),
  parts('a row that was filtered out is noticed when it passes', ['update accounts set seen = 1 where id = ?', 1], {
    ends: [['select id, name from accounts where id = ? and seen > 0', 1]],
  }),
  parts('a row found by another unique column is noticed when it changes', [rename, 'Ida', 1], {
    ends: [['select id, name from accounts where email = ?', 'ada@x']],
  }),
  parts(
    'a row found by another unique column is noticed when it is found no more',
    ['update accounts set email = ? where id = ?', 'ida@x', 1],
    {
      ends: [
        ['select id, name from accounts where email = ?', 'ada@x'],
        ['select id, name from accounts where email = ?', 'ida@x'],
      ],
    },
  ),
  parts('a row not found by another unique column is noticed when it comes', [newcomer, 9, 'acme', 'Eve', 'eve@x'], {
    ends: [['select id, name from accounts where email = ?', 'eve@x']],
  }),
  parts('a row that gets another key is noticed under both', [`update accounts set id = 44 where id = 4`], {
    ends: [[account, 4], [account, 44], ['select id from accounts']],
  }),
  parts('OR with something else is not narrowed to the row', [rename, 'Ida', 2], {
    ends: [
      [`select id, name from accounts where id = ? or org = 'acme'`, 1],
      ['select id, name from accounts where (id = ? or id > 1)', 1],
      ['select id, name from accounts where not (id = ?)', 1],
      ['select id, name from accounts where (id = ?) is not null', 1],
    ],
  }),
  parts('a limit, an offset or an order is read as a list', [newcomer, 0, 'acme', 'Abe', 'abe@x'], {
    ends: [
      ['select id, name from accounts order by id limit 1'],
      ['select id from accounts order by name limit 2 offset 1'],
    ],
  }),
  parts('a list that was empty is noticed when something comes', [newcomer, 9, 'nobody', 'Eve', 'eve@x'], {
    ends: [
      [ofOrg, 'nobody'],
      ['select id from accounts where seen > 5 or org = ?', 'nobody'],
    ],
    rules: { tenant: 'org' },
  }),
  parts('a composite key is a key', [`update pairs set value = 'new' where a = ? and b = ?`, 1, 1], {
    ends: [
      ['select value from pairs where a = ? and b = ?', 1, 1],
      ['select value from pairs where b = ? and a = ?', 1, 1],
      ['select value from pairs where a = ?', 1],
      ['select value from pairs'],
    ],
    keeps: [
      ['select value from pairs where a = ? and b = ?', 1, 2],
      ['select value from pairs where b = ? and a = ?', 1, 2],
    ],
  }),
  parts('a composite key of which half is moved', ['update pairs set b = 7 where a = ? and b = ?', 1, 1], {
    ends: [
      ['select value from pairs where a = ? and b = ?', 1, 1],
      ['select value from pairs where a = ? and b = ?', 1, 7],
    ],
  }),
  parts(`'01' and 1 are one key where the database says so`, [`update accounts set name = 'Ida' where id = 1`], {
    ends: [
      ['select name from accounts where id = ?', '01'],
      ['select name from accounts where id = ?', ' 1'],
      [`select name from accounts where id = '1'`],
      ['select name from accounts where id = 1.0'],
    ],
  }),
  parts(
    'a text key that the database takes for a number is no key',
    [`update codes set value = 7 where code = 'abc'`],
    {
      ends: [['select value from codes where code = 0'], ['select value from codes where code = ?', 0]],
      not: { postgres: 'a text never equals a number', sqlite: 'a text never equals a number' },
    },
  ),
  parts(
    'a text key that is compared without case, accents and spaces is one key',
    [`update codes set value = 7 where code = 'abc'`],
    {
      ends: [
        ['select value from codes where code = ?', 'ABC'],
        ['select value from codes where code = ?', 'abc  '],
        ['select value from codes where code = ?', 'äbc'],
      ],
      not: { postgres: 'texts are compared as they are', sqlite: 'texts are compared as they are' },
    },
  ),
  parts('a text key with a collation of its own is one key', [`update words2 set n = 7 where word = 'abc'`], {
    ends: [['select n from words2 where word = ?', 'ABC']],
    given: {
      sqlite: [
        'create table words2 (word text collate nocase primary key, n integer)',
        `insert into words2 values ('abc', 1)`,
      ],
      postgres: [
        `create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
        'create table words2 (word text collate loose primary key, n integer)',
        `insert into words2 values ('abc', 1)`,
      ],
    },
    not: { mysql: 'that is the usual one' },
  }),
  parts(
    'a UUID is one key in every way of writing it',
    ['update things set n = 7 where id = ?', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    {
      ends: [['select n from things where id = ?', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11']],
      keeps: [['select n from things where id = ?', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12']],
      given: {
        postgres: ['create table things (id uuid primary key, n integer)', ...things],
        mysql: ['create table things (id char(36) primary key, n integer)', ...things],
        sqlite: ['create table things (id text collate nocase primary key, n integer)', ...things],
      },
    },
  ),
  parts(
    'a UUID in braces or without hyphens is the same key',
    ['update things set n = 7 where id = ?', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    {
      ends: [
        ['select n from things where id = ?', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'],
        ['select n from things where id = ?', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'],
      ],
      given: { postgres: ['create table things (id uuid primary key, n integer)', ...things] },
      not: { mysql: 'a UUID is a text', sqlite: 'a UUID is a text' },
    },
  ),
  parts('a list of keys in one parameter', [rename, 'Ida', 1], {
    ends: [['select id, name from accounts where id = any(?)', [1, 2]]],
    keeps: [['select id, name from accounts where id = any(?)', [2, 3]]],
    not: { mysql: 'no arrays', sqlite: 'no arrays' },
  }),
  parts('the row id is another name of the key', [rename, 'Ida', 1], {
    ends: [
      ['select name from accounts where rowid = ?', 1],
      ['select name from accounts where _rowid_ = ?', 1],
    ],
    not: { postgres: 'no row ids', mysql: 'no row ids' },
  }),
]);

/** Which tenant a read is about. */
export const tenants = about('tenants', [
  parts('a row of one tenant leaves the lists of another in the cache', [newcomer, 9, 'acme', 'Eve', 'eve@x'], {
    ends: [[ofOrg, 'acme']],
    keeps: [[ofOrg, 'zeta'], [`select count(*) as n from accounts where org = 'zeta' and seen = 0`]],
    rules: { tenant: 'org' },
  }),
  parts(
    'an update that names the tenant leaves the lists of another in the cache',
    [`update accounts set name = 'Ida' where id = 1 and org = 'acme'`],
    {
      ends: [
        [ofOrg, 'acme'],
        [account, 1],
      ],
      keeps: [[ofOrg, 'zeta']],
      rules: { tenant: 'org' },
    },
  ),
  parts('an update by key leaves the lists of other tenants in the cache', [rename, 'Ida', 1], {
    ends: [[ofOrg, 'acme']],
    keeps: [[ofOrg, 'zeta']],
    rules: { tenant: 'org' },
    not: { mysql: 'an UPDATE has no RETURNING to tell the tenant', sqlite: 'nothing is added to its statements' },
  }),
  parts('a delete by key leaves the lists of other tenants in the cache', ['delete from notes where id = ?', 1], {
    ends: [['select body from notes where org = ?', 'acme']],
    keeps: [['select body from notes where org = ?', 'zeta']],
    rules: { tenant: 'org' },
    not: { mysql: 'nothing is added to its statements', sqlite: 'nothing is added to its statements' },
  }),
  parts('an update by key ends the lists of its tenant', [rename, 'Ida', 1], {
    ends: [[ofOrg, 'acme']],
    rules: { tenant: 'org' },
  }),
  parts(
    'a row that moves to another tenant is noticed by both',
    ['update accounts set org = ? where id = ?', 'zeta', 1],
    {
      ends: [
        [ofOrg, 'acme'],
        [ofOrg, 'zeta'],
      ],
      rules: { tenant: 'org' },
    },
  ),
  parts(
    'a row that moves to a tenant whose list was empty is noticed',
    [`update accounts set org = 'nova' where id = 1 and org = 'acme'`],
    {
      ends: [
        [ofOrg, 'acme'],
        [ofOrg, 'nova'],
      ],
      rules: { tenant: 'org' },
    },
  ),
  parts('an update of all tenants is noticed by each', [`update accounts set name = upper(name)`], {
    ends: [
      [ofOrg, 'acme'],
      [ofOrg, 'zeta'],
    ],
    rules: { tenant: 'org' },
  }),
  parts('a read that has the table in another place too is not narrowed', [newcomer, 9, 'zeta', 'Eve', 'eve@x'], {
    ends: [
      [`select id, (select count(*) from accounts) as n from accounts a where a.org = 'acme'`],
      [`select a.id, b.id as other from accounts a join accounts b on a.seen = b.seen where a.org = 'acme'`],
      [`select id from accounts where org = 'acme' union all select id from accounts where org = 'zeta'`],
      [`select id from accounts where org = 'acme' or seen = 0`],
    ],
    rules: { tenant: 'org' },
  }),
  parts('an outer join narrows its nullable side only', [newcomer, 9, 'zeta', 'Eve', 'eve@x'], {
    ends: [[`select a.id, n.id as note from accounts a left join notes n on a.org = 'acme' and n.account_id = a.id`]],
    rules: { tenant: 'org' },
  }),
  parts(
    'of two tables in a join each is narrowed by its own column',
    [`insert into notes (id, account_id, org, body) values (9, 3, 'zeta', 'new')`],
    {
      keeps: [
        [
          `select a.id, n.id as note from accounts a join notes n on n.account_id = a.id where a.org = 'acme' and n.org = 'acme'`,
        ],
      ],
      ends: [[`select a.id, n.id as note from accounts a join notes n on n.account_id = a.id where n.org = 'zeta'`]],
      rules: { tenant: 'org' },
    },
  ),
  parts(
    'a grain is as good as a tenant',
    [`insert into notes (id, account_id, org, body) values (9, 1, 'acme', 'new')`],
    {
      ends: [['select body from notes where account_id = ?', 1]],
      keeps: [['select body from notes where account_id = ?', 2]],
      rules: { tables: { notes: { grain: 'account_id' } } },
    },
  ),
  parts('a row that changes its grain is noticed under both', ['update notes set account_id = ? where id = ?', 2, 1], {
    ends: [
      ['select body from notes where account_id = ?', 1],
      ['select body from notes where account_id = ?', 2],
    ],
    rules: { tables: { notes: { grain: 'account_id' } } },
  }),
  parts('a table without tenants is one list', [newcomer, 9, 'acme', 'Eve', 'eve@x'], {
    ends: [
      [ofOrg, 'acme'],
      ['select count(*) as n from accounts where org <> ?', 'zeta'],
    ],
    rules: { tenant: 'org', tables: { accounts: { tenant: false } } },
  }),
]);

/** Columns that change all the time and that hardly anybody reads. */
export const ignored = about('ignored columns', [
  parts(
    'a change of one leaves lists without it in the cache',
    ['update accounts set seen = seen + 1 where id = ?', 1],
    {
      keeps: [['select id, name from accounts'], ['select count(*) as n from accounts']],
      ends: [
        ['select id, seen from accounts'],
        ['select * from accounts'],
        ['select id from accounts where seen > 0'],
        ['select a.* from accounts a'],
        ['select id, seen from accounts where id = ?', 1],
      ],
      rules: { tables: { accounts: { ignoreColumns: ['seen'] } } },
    },
  ),
  parts(
    'a change of one and of another column ends everything',
    [`update accounts set seen = 1, name = 'Ida' where id = 1`],
    {
      ends: [['select id, name from accounts'], [account, 1]],
      rules: { tables: { accounts: { ignoreColumns: ['seen'] } } },
    },
  ),
]);
