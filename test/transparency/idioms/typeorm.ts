import type { EntityManager, EntitySchemaOptions } from 'typeorm';
import { cached } from '../../../adapters/typeorm/index.js';
import type { AdapterRow } from '../../../src/testing/adapter-contract.js';
import { type For, flat, type Idioms } from '../idioms.js';

/** Entities of accounts and their notes, for `new EntitySchema()`; what is saved with an account is saved with it. */
export const entities: readonly EntitySchemaOptions<any>[] = [
  {
    name: 'accounts',
    columns: {
      id: { type: 'integer', primary: true },
      ...Object.fromEntries(['org', 'name', 'email'].map((name) => [name, { type: 'varchar' as const }])),
      seen: { type: 'integer', default: 0 },
    },
    relations: { notes: { type: 'one-to-many', target: 'notes', inverseSide: 'account', cascade: ['insert'] } },
  },
  {
    name: 'notes',
    columns: { id: { type: 'integer', primary: true }, org: { type: 'varchar' }, body: { type: 'varchar' } },
    relations: {
      account: { type: 'many-to-one', target: 'accounts', inverseSide: 'notes', joinColumn: { name: 'account_id' } },
    },
  },
];

/** Repositories, relations and query builders of TypeORM. */
export function typeormIdioms(manager: EntityManager, per?: For): Idioms {
  const accounts = manager.getRepository<any>('accounts');
  const timed = <T>(read: () => Promise<T>): Promise<T> => (per === undefined ? read() : cached(per, read));
  const short = (row: AdapterRow) => ({ id: row.id, name: row.name });
  return {
    find: (where) => timed(() => accounts.find({ where })),
    among: async (ids) =>
      timed(() =>
        accounts
          .createQueryBuilder('a')
          .select(['a.id', 'a.name'])
          .where('a.id IN (:...ids)', { ids: [...ids] })
          .getMany(),
      ),
    count: async (where) => [{ n: String(await timed(() => accounts.count({ where }))) }],
    page: async (org) =>
      (await timed(() => accounts.find({ where: { org }, order: { name: 'ASC', id: 'ASC' }, take: 2 }))).map(short),
    async withNotes(where) {
      // `findOne` asks for the key first, by a derived table; lists come in one statement, or in two.
      const list = () =>
        where.org === 'acme'
          ? accounts.find({ where, relations: { notes: true }, relationLoadStrategy: 'query' })
          : accounts.find({ where, relations: { notes: true } });
      if (!('id' in where)) return flat(await timed(list));
      const one = await timed(() => accounts.findOne({ where, relations: { notes: true } }));
      return flat(one === null ? [] : [one]);
    },
    joined: (org) =>
      timed(() =>
        accounts
          .createQueryBuilder('a')
          .innerJoin('a.notes', 'n')
          .where('n.org = :org', { org })
          .select('a.name', 'name')
          .addSelect('n.body', 'body')
          .getRawMany(),
      ),
    insert: (rows) => accounts.insert(rows as AdapterRow[]),
    update: (where, set) => accounts.update(where, set),
    remove: (where) => accounts.delete(where),
    upsert: (row) => accounts.upsert(row, ['id']),
    async rename(id, name) {
      const row = await accounts.findOneBy({ id });
      if (row !== null) await accounts.save(Object.assign(row, { name }));
    },
    async addNote(id, note) {
      const row = await accounts.findOne({ where: { id }, relations: { notes: true } });
      if (row === null) return;
      row.notes.push(manager.create('notes', note));
      await accounts.save(row);
    },
  };
}
