import type { Knex } from 'knex';
import type { For, Idioms } from '../idioms.js';

/** The builders of Knex. */
export function knexIdioms(knex: Knex, per?: For): Idioms {
  const timed = <T>(query: T): T => (per === undefined ? query : (query as any).cache(per));
  return {
    find: (where) => timed(knex('accounts').where(where)),
    among: (ids) => timed(knex('accounts').select('id', 'name').whereIn('id', ids)),
    count: async (where) => [{ n: String((await timed(knex('accounts').where(where).count('* as n')))[0]?.n) }],
    page: (org) => timed(knex('accounts').select('id', 'name').where({ org }).orderBy(['name', 'id']).limit(2)),
    withNotes: (where) =>
      timed(
        knex('accounts as a')
          .leftJoin('notes as n', 'n.account_id', 'a.id')
          .where(prefixed(where))
          .select('a.id', 'a.name', 'n.id as note', 'n.body'),
      ),
    joined: (org) =>
      timed(
        knex('accounts as a')
          .join('notes as n', (on) => on.on('n.account_id', 'a.id'))
          .where('n.org', org)
          .select('a.name', 'n.body'),
      ),
    insert: async (rows) => knex('accounts').insert(rows),
    update: async (where, set) => knex('accounts').where(where).update(set),
    remove: async (where) => knex('accounts').where(where).delete(),
    upsert: async (row) => knex('accounts').insert(row).onConflict('id').merge(),
    rename: async (id, name) => knex('accounts').where({ id }).update('name', name),
    addNote: async (account_id, note) => knex('notes').insert({ ...note, account_id }),
  };
}

function prefixed(where: object): object {
  return Object.fromEntries(Object.entries(where).map(([name, value]) => [`a.${name}`, value]));
}
