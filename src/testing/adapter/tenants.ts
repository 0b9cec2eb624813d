import { parts } from './parts.js';
import { account, newcomer, rename } from './shop.js';
import { about } from './trap.js';

const ofOrg = 'select id, name from accounts where org = ?';

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
