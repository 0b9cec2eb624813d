import { upsertAccount, upsertEmail } from '../../src/testing/adapter/shop.js';
import type { AdapterDialect } from '../../src/testing/adapter-contract.js';
import { ownNarrow, ownReads, ownWide } from './own-words.js';
import type { Random } from './random.js';
import { anAccount, email, id, type Lane, newAccount, org, type Said, said, within, word } from './values.js';

const codes = ['abc', 'def', '01', '1', 'ABC', 'x'] as const;

/** A read of any shape. */
export function aRead(random: Random, dialect: AdapterDialect): Said {
  if (random.chance(0.3)) return random.one(ownReads)(random, dialect);
  const shapes = dialect === 'mysql' ? reads : [...reads, ...notMysql];
  return random.one(shapes)(random);
}

const reads: readonly ((random: Random) => Said)[] = [
  (r) => said('select id, name, org from accounts where id = ?', id(r)),
  (r) => said('select * from accounts where id = ?', id(r)),
  (r) => said('select id, seen from accounts where id = ?', id(r)),
  (r) => said('select id, name from accounts where id in (?, ?, ?)', id(r), id(r), id(r)),
  (r) => said('select id, name from accounts where id = ? or id = ?', id(r), id(r)),
  (r) => said('select id, name from accounts where id = ? or org = ?', id(r), org(r)),
  (r) => said('select id, name from accounts where id = ? and org = ?', id(r), org(r)),
  (r) => said('select count(*) as n from accounts where id = ?', id(r)),
  (r) => said('select id, name from accounts where email = ?', email(id(r))),
  (r) => said('select id, name from accounts where org = ? order by id', org(r)),
  (r) => said('select count(*) as n from accounts where org = ?', org(r)),
  (r) => said('select id from accounts where org = ? and seen > ?', org(r), r.below(3)),
  (r) => said('select id, name from accounts where org = ? order by name, id limit 2', org(r)),
  () => said('select id, name from accounts order by id'),
  () => said('select * from accounts order by id'),
  () => said('select org, count(*) as n, min(name) as least from accounts group by org order by org'),
  () => said('select distinct name from accounts'),
  () => said('select max(seen) as most from accounts'),
  () => said('select sum(seen) as s from accounts'),
  (r) => said('select sum(seen) as s from accounts where org = ?', org(r)),
  (r) => said('select count(*) as n from accounts where seen > ?', r.below(3)),
  (r) => said('select body from notes where id = ?', id(r)),
  (r) => said('select id, body from notes where account_id = ?', id(r)),
  (r) => said('select count(*) as n from notes where account_id = ? and org = ?', id(r), org(r)),
  (r) => said('select id, body from notes where org = ?', org(r)),
  (r) => said('select a.name, n.body from accounts a join notes n on n.account_id = a.id where a.id = ?', id(r)),
  (r) =>
    said('select a.id, n.id as note from accounts a left join notes n on n.account_id = a.id where a.org = ?', org(r)),
  (r) =>
    said('select a.id, n.id as note from accounts a left join notes n on n.account_id = a.id and n.org = ?', org(r)),
  (r) =>
    said(
      'select a.id, n.body from accounts a join notes n on n.account_id = a.id and n.org = a.org where a.org = ? and n.org = ?',
      org(r),
      org(r),
    ),
  (r) =>
    said(
      'select a.id from accounts a where a.org = ? and exists (select 1 from notes n where n.account_id = a.id)',
      org(r),
    ),
  (r) => said('select id from accounts where id in (select account_id from notes where body = ?)', word(r)),
  (r) =>
    said(
      'select id, (select count(*) from notes n where n.account_id = a.id) as n from accounts a where id = ?',
      id(r),
    ),
  (r) => said('select (select count(*) from accounts) as n, id from accounts a where a.org = ?', org(r)),
  (r) =>
    said('select name as v from accounts where org = ? union all select body from notes where org = ?', org(r), org(r)),
  (r) =>
    said(
      'with n as (select account_id, count(*) as c from notes group by account_id) select a.id, n.c from accounts a join n on n.account_id = a.id where a.org = ?',
      org(r),
    ),
  () =>
    said(
      'select w.word, n.body, a.name from words w join notes n on n.id = w.note_id join accounts a on a.id = n.account_id',
    ),
  (r) => said('select word from words where id = ?', id(r)),
  (r) => said('select word from words where note_id = ?', id(r)),
  (r) => said('select id, label from marks where account_id = ?', id(r)),
  () => said('select count(*) as n from marks where account_id is null'),
  (r) => said('select id, account_id from marks where id = ?', id(r)),
  () => said('select id, name from acme_names'),
  (r) => said('select name from acme_names where id = ?', id(r)),
  (r) => said('select v.name, a.seen from acme_names v join accounts a on a.id = v.id where a.id = ?', id(r)),
  (r) => said('select value from pairs where a = ? and b = ?', 1 + r.below(3), 1 + r.below(3)),
  (r) => said('select b, value from pairs where a = ?', 1 + r.below(3)),
  () => said('select sum(a) as s, count(*) as n from pairs'),
  (r) => said('select value from codes where code = ?', r.one(codes)),
  (r) => said('select code, value from codes where code in (?, ?)', r.one(codes), r.one(codes)),
  (r) => said(`select id, name from accounts where id = ${id(r)}`),
  (r) => said(`select id, name from accounts where id = '0${id(r)}'`),
  (r) => said(`select id, body from notes where org = '${org(r)}' and id > ${id(r)}`),
];

const notMysql: readonly ((random: Random) => Said)[] = [
  (r) => said('select name from accounts where org = ? except select body from notes', org(r)),
  (r) => said('select id, row_number() over (order by name, id) as place from accounts where org = ?', org(r)),
  (r) => said('select "A"."id", "A"."name" from "accounts" as "A" where ("A"."id") in ((?), (?))', id(r), id(r)),
];

/** A write of any shape. In a lane, rows are found by their keys alone. */
export function aWrite(random: Random, dialect: AdapterDialect, lane: Lane): Said {
  const own = random.chance(0.3);
  if (own && (lane !== 'any' || random.chance(0.5))) return random.one(ownNarrow)(random, dialect, lane);
  if (own) return random.one(ownWide)(random, dialect);
  if (lane !== 'any') return random.one(narrow)(random, dialect, lane);
  return random.chance(0.4) ? random.one(narrow)(random, dialect, 'any') : random.one(wide)(random, dialect);
}

const narrow: readonly ((random: Random, dialect: AdapterDialect, lane: Lane) => Said)[] = [
  (r, _, lane) => said('update accounts set name = ? where id = ?', word(r), within(r, lane)),
  (r, _, lane) => said('update accounts set name = ?, org = ? where id = ?', word(r), org(r), within(r, lane)),
  (r, _, lane) => said('update accounts set org = ? where id = ?', org(r), within(r, lane)),
  (r, _, lane) => said('update accounts set seen = seen + 1 where id = ?', within(r, lane)),
  (r, _, lane) => said(`update accounts set seen = seen + ${1 + r.below(2)} where id = ?`, within(r, lane)),
  (r, _, lane) => said(`update accounts set name = '${word(r)}' where id = ${within(r, lane)}`),
  (r, _, lane) => said(newAccount, ...of(anAccount(r, within(r, lane)))),
  (r, dialect, lane) => said(upsertAccount[dialect], ...of(anAccount(r, within(r, lane)))),
  (r, _, lane) => said('delete from accounts where id = ?', within(r, lane)),
  (r, _, lane) => said('update notes set body = ? where id = ?', word(r), within(r, lane)),
  (r, _, lane) => said('update notes set org = ? where id = ?', org(r), within(r, lane)),
  (r, _, lane) => said('delete from notes where id = ?', within(r, lane)),
  (r, _, lane) => said('update pairs set value = ? where a = ? and b = ?', word(r), 1 + r.below(3), within(r, lane)),
  (r, _, lane) => said('insert into pairs (a, b, value) values (?, ?, ?)', 1 + r.below(3), within(r, lane), word(r)),
  (r, _, lane) => said('update marks set label = ? where id = ?', word(r), within(r, lane)),
];

/** An account's values, in the order of its columns. */
function of(account: object): unknown[] {
  return Object.values(account);
}

const wide: readonly ((random: Random, dialect: AdapterDialect) => Said)[] = [
  (r) => said('update accounts set name = ? where org = ?', word(r), org(r)),
  (r) => said('update accounts set seen = ? where org = ?', r.below(3), org(r)),
  (r) => said('update accounts set org = ? where org = ? and id < ?', org(r), org(r), id(r)),
  (r) => said('update accounts set name = ? where id = ? or org = ?', word(r), id(r), org(r)),
  (r) => said('update accounts set name = ? where id in (?, ?)', word(r), id(r), id(r)),
  (r) => said('update accounts set name = upper(name), seen = seen + 1 where email = ?', email(id(r))),
  (r) => said('update accounts set id = ? where id = ?', id(r), id(r)),
  (r) => said('update accounts set email = ? where id = ?', email(20 + id(r)), id(r)),
  (r) =>
    said('update accounts set name = ? where id in (select account_id from notes where body = ?)', word(r), word(r)),
  (r, dialect) => said(upsertEmail[dialect], 10 + id(r), org(r), word(r), email(id(r))),
  (r) =>
    said(
      'insert into accounts (id, org, name, email) values (?, ?, ?, ?), (?, ?, ?, ?)',
      ...of(anAccount(r, id(r))),
      ...of(anAccount(r, 8 + id(r))),
    ),
  (r) => said('delete from accounts where id > ? and org = ?', id(r), org(r)),
  (r) => said('insert into notes (id, account_id, org, body) values (?, ?, ?, ?)', id(r), id(r), org(r), word(r)),
  (r) => said('update notes set account_id = ? where id = ?', id(r), id(r)),
  (r) => said('update notes set body = ? where account_id = ?', word(r), id(r)),
  (r) => said('update notes set body = ? where org = ?', word(r), org(r)),
  (r) => said('delete from notes where account_id = ?', id(r)),
  (r) => said('insert into words (id, note_id, word) values (?, ?, ?)', id(r), id(r), word(r)),
  (r) =>
    said(
      'insert into words (id, note_id, word) select n.id + ?, n.id, n.body from notes n where n.org = ?',
      10 + r.below(50),
      org(r),
    ),
  (r) => said('delete from words where note_id in (select id from notes where org = ?)', org(r)),
  () => said('delete from words'),
  (r) => said('insert into marks (id, account_id, label) values (?, ?, ?)', id(r), id(r), word(r)),
  (r) => said('update marks set account_id = ? where id = ?', r.chance(0.3) ? null : id(r), id(r)),
  (r) => said('delete from marks where id = ?', id(r)),
  (r) => said('update pairs set b = b + 3 where a = ?', 1 + r.below(3)),
  (r) => said('delete from pairs where a = ? and b = ?', 1 + r.below(3), 1 + r.below(3)),
  (r) => said('update codes set value = ? where code = ?', r.below(5), r.one(codes)),
  (r) => said('update codes set code = ? where code = ?', r.one(codes), r.one(codes)),
  (r) => said('insert into codes (code, value) values (?, ?)', r.one(codes), r.below(5)),
  (r) => said('delete from codes where value = ?', r.below(5)),
  (r, dialect) => joined[dialect](r),
  (r, dialect) => special[dialect](r),
];

const joined: Record<AdapterDialect, (random: Random) => Said> = {
  postgres: (r) =>
    said('update accounts set name = n.body from notes n where n.account_id = accounts.id and n.org = ?', org(r)),
  mysql: (r) =>
    said(
      'update accounts join notes n on n.account_id = accounts.id set accounts.name = n.body where n.org = ?',
      org(r),
    ),
  sqlite: (r) =>
    said('update accounts set name = n.body from notes n where n.account_id = accounts.id and n.org = ?', org(r)),
};

const special: Record<AdapterDialect, (random: Random) => Said> = {
  postgres: (r) =>
    said(
      'with gone as (delete from notes where account_id = ? returning id) update accounts set name = ? where org = ?',
      id(r),
      word(r),
      org(r),
    ),
  mysql: (r) => said('replace into accounts (id, org, name, email) values (?, ?, ?, ?)', ...of(anAccount(r, id(r)))),
  sqlite: (r) =>
    said(
      'insert or replace into accounts (id, org, name, email) values (?, ?, ?, ?)',
      id(r),
      org(r),
      word(r),
      email(id(r)),
    ),
};
