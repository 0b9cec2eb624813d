import type { Kysely } from 'kysely';
import { cached } from '../../../adapters/kysely/index.js';
import type { AdapterDialect, AdapterRow } from '../../../src/testing/adapter-contract.js';
import type { For, Idioms } from '../idioms.js';

/** The builders of Kysely. */
export function kyselyIdioms(db: Kysely<any>, dialect: AdapterDialect, per?: For): Idioms {
  const all = (query: any, where: AdapterRow, prefix = '') =>
    Object.entries(where).reduce((it, [name, value]) => it.where(`${prefix}${name}`, '=', value), query);
  const timed = (query: { execute(): Promise<any[]> }) =>
    per === undefined ? query.execute() : cached(per, () => query.execute());
  return {
    find: (where) => timed(all(db.selectFrom('accounts').selectAll(), where)),
    among: (ids) =>
      timed(
        db
          .selectFrom('accounts')
          .select(['id', 'name'])
          .where('id', 'in', [...ids]),
      ),
    async count(where) {
      const [row] = await timed(all(db.selectFrom('accounts'), where).select((of: any) => of.fn.countAll().as('n')));
      return [{ n: String(row.n) }];
    },
    page: (org) =>
      timed(
        db.selectFrom('accounts').select(['id', 'name']).where('org', '=', org).orderBy('name').orderBy('id').limit(2),
      ),
    withNotes: (where) =>
      timed(
        all(db.selectFrom('accounts as a').leftJoin('notes as n', 'n.account_id', 'a.id'), where, 'a.').select([
          'a.id',
          'a.name',
          'n.id as note',
          'n.body',
        ]),
      ),
    joined: (org) =>
      timed(
        db
          .with('found', (at) => at.selectFrom('notes').selectAll().where('org', '=', org))
          .selectFrom('accounts')
          .innerJoin('found', 'found.account_id', 'accounts.id')
          .select(['accounts.name', 'found.body']),
      ),
    insert: (rows) =>
      db
        .insertInto('accounts')
        .values(rows as any)
        .execute(),
    update: (where, set) => all(db.updateTable('accounts').set(set), where).execute(),
    remove: (where) => all(db.deleteFrom('accounts'), where).execute(),
    upsert(row) {
      const query = db.insertInto('accounts').values(row);
      if (dialect === 'mysql') return query.onDuplicateKeyUpdate(row).execute();
      return query.onConflict((on) => on.column('id').doUpdateSet(row)).execute();
    },
    rename: (id, name) => db.updateTable('accounts').set('name', name).where('id', '=', id).execute(),
    addNote: (account_id, note) =>
      db
        .insertInto('notes')
        .values({ ...note, account_id })
        .execute(),
  };
}
