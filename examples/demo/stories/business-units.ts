import type { TellStory } from '../story.js';

const branch = `
  with recursive branch as (
    select id, parent_id, code, title from business_unit where id = $1
    union all
    select b.id, b.parent_id, b.code, b.title from business_unit b join branch on b.parent_id = branch.id
  )
  select * from branch order by id`;

/** Sites below a business unit: one recursive query, asked for on nearly every page. */
export const businessUnits: TellStory = (db) => {
  const root = 2;
  const unitsBelow = (id: number) => db.rows<{ id: number; title: string }>(branch, [id]);

  return {
    title: 'Business-unit tree',
    about: '9,331 of 60,000 nodes, in one recursive query',
    direct: () => unitsBelow(root),
    through(cache) {
      const cached = cache.withCache(unitsBelow, { name: 'units below', ttl: '30m', tags: ['business units'] });
      return () => cached(root);
    },
    async write() {
      await db.rows("update business_unit set title = title || '!' where id = $1", [root]);
      return ['business units'];
    },
  };
};
