import { parts } from './parts.js';
import { account, newcomer, rename } from './shop.js';
import { about } from './trap.js';

const ofOrg = 'select id, name from accounts where org = ?';
const things = [
  `insert into things values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 2)`,
];

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
