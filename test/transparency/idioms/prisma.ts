import type { AdapterRow } from '../../../src/testing/adapter-contract.js';
import { type For, flat, type Idioms } from '../idioms.js';

/** Models and relations of Prisma; they have no types here, since its client is generated. */
export function prismaIdioms(at: any, per?: For): Idioms {
  const timed = per === undefined ? {} : { cache: per };
  const { account, note } = at;
  const short = { id: true, name: true };
  return {
    find: (where) => account.findMany({ where, ...timed }),
    among: (ids) => account.findMany({ where: { id: { in: [...ids] } }, select: short, ...timed }),
    count: async (where) => [{ n: String(await account.count({ where, ...timed })) }],
    page: (org) =>
      account.findMany({ where: { org }, select: short, orderBy: [{ name: 'asc' }, { id: 'asc' }], take: 2, ...timed }),
    async withNotes(where) {
      if (!('id' in where)) return flat(await account.findMany({ where, include: { notes: true }, ...timed }));
      // Those of one tick become one statement, which the others do not.
      const one = await account.findUnique({ where, include: { notes: true }, ...timed });
      return flat(one === null ? [] : [one]);
    },
    async joined(org) {
      const found = await note.findMany({
        where: { org },
        select: { body: true, account: { select: short } },
        ...timed,
      });
      return found.map((row: { body: string; account: AdapterRow }) => ({ name: row.account.name, body: row.body }));
    },
    insert: (rows) => (rows.length > 1 ? account.createMany({ data: rows }) : account.create({ data: rows[0] })),
    update: (where, set) =>
      'id' in where ? account.update({ where, data: set }) : account.updateMany({ where, data: set }),
    remove: (where) => account.deleteMany({ where }),
    upsert: (row) => account.upsert({ where: { id: row.id }, create: row, update: row }),
    rename: (id, name) => account.update({ where: { id }, data: { name } }),
    addNote: (id, made) => account.update({ where: { id }, data: { notes: { create: made } } }),
  };
}
