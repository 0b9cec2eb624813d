import { upsertAccount } from '../../src/testing/adapter/shop.js';
import type { AdapterDialect, AdapterRow } from '../../src/testing/adapter-contract.js';
import type { Idioms } from './idioms.js';
import type { Random } from './random.js';
import { anAccount, email, id, type Lane, newAccount, org, type Said, said, within, word } from './values.js';

/**
 * What libraries have words of their own for. Whoever has none runs the SQL, which gives the same rows, so that a seed
 * asks for the same and changes the same with every adapter.
 */
type Own<T> = (idioms: Idioms) => Promise<T>;
const own = (statement: Said, of: Own<unknown>): Said => ({ ...statement, own: of });
const found = (where: AdapterRow) =>
  own(
    said(`select id, org, name, email, seen from accounts where ${equalities(where)}`, ...Object.values(where)),
    (it) => it.find(where),
  );

export const ownReads: readonly ((random: Random, dialect: AdapterDialect) => Said)[] = [
  (r) => found({ id: id(r) }),
  (r) => found({ email: email(id(r)) }),
  (r) => found({ org: org(r) }),
  (r) => found({ id: id(r), org: org(r) }),
  (r) => {
    const ids = [id(r), id(r), id(r)];
    return own(said('select id, name from accounts where id in (?, ?, ?)', ...ids), (it) => it.among(ids));
  },
  (r, dialect) => {
    const where = r.chance(0.5) ? { id: id(r) } : { org: org(r) };
    const text = `cast(count(*) as ${dialect === 'mysql' ? 'char' : 'text'})`;
    const sql = `select ${text} as n from accounts where ${equalities(where)}`;
    return own(said(sql, ...Object.values(where)), (it) => it.count(where));
  },
  (r) => {
    const of = org(r);
    const sql = 'select id, name from accounts where org = ? order by name, id limit 2';
    return own(said(sql, of), (it) => it.page(of));
  },
  (r) => {
    const where = r.chance(0.5) ? { id: id(r) } : { org: org(r) };
    const sql = `select a.id, a.name, n.id as note, n.body
      from accounts a left join notes n on n.account_id = a.id where a.${equalities(where)}`;
    return own(said(sql, ...Object.values(where)), (it) => it.withNotes(where));
  },
  (r) => {
    const of = org(r);
    const sql = 'select a.name, n.body from accounts a join notes n on n.account_id = a.id where n.org = ?';
    return own(said(sql, of), (it) => it.joined(of));
  },
];

/** Those that find their rows by the key alone. */
export const ownNarrow: readonly ((random: Random, dialect: AdapterDialect, lane: Lane) => Said)[] = [
  (r, _, lane) => updated({ id: within(r, lane) }, { name: word(r) }),
  (r, _, lane) => updated({ id: within(r, lane) }, { name: word(r), org: org(r) }),
  (r, _, lane) => {
    const [of, name] = [within(r, lane), word(r)];
    return own(said('update accounts set name = ? where id = ?', name, of), (it) => it.rename(of, name));
  },
  (r, _, lane) => {
    const row = anAccount(r, within(r, lane));
    return own(said(newAccount, ...Object.values(row)), (it) => it.insert([row]));
  },
  (r, dialect, lane) => {
    const row = anAccount(r, within(r, lane));
    return own(said(upsertAccount[dialect], ...Object.values(row)), (it) => it.upsert(row));
  },
  (r, _, lane) => {
    const of = within(r, lane);
    return own(said('delete from accounts where id = ?', of), (it) => it.remove({ id: of }));
  },
];

export const ownWide: readonly ((random: Random, dialect: AdapterDialect) => Said)[] = [
  (r) => updated({ org: org(r) }, { seen: r.below(3) }),
  (r) => updated({ org: org(r) }, { org: org(r) }),
  (r) => updated({ email: email(id(r)) }, { name: word(r) }),
  (r) => {
    const rows = [anAccount(r, id(r)), anAccount(r, 8 + id(r))];
    const sql = `${newAccount}, (?, ?, ?, ?)`;
    return own(said(sql, ...rows.flatMap((row) => Object.values(row))), (it) => it.insert(rows));
  },
  (r) => {
    const where = { org: org(r), name: word(r) };
    const sql = `delete from accounts where ${equalities(where)}`;
    return own(said(sql, ...Object.values(where)), (it) => it.remove(where));
  },
  (r) => {
    const [account, note] = [id(r), { id: id(r), org: org(r), body: word(r) }];
    const sql = 'insert into notes (id, account_id, org, body) values (?, ?, ?, ?)';
    return own(said(sql, note.id, account, note.org, note.body), (it) => it.addNote(account, note));
  },
];

function updated(where: AdapterRow, set: AdapterRow): Said {
  const sets = Object.keys(set).map((name) => `${name} = ?`);
  const sql = `update accounts set ${sets.join(', ')} where ${equalities(where)}`;
  return own(said(sql, ...Object.values(set), ...Object.values(where)), (it) => it.update(where, set));
}

function equalities(where: AdapterRow): string {
  return Object.keys(where)
    .map((name) => `${name} = ?`)
    .join(' and ');
}
