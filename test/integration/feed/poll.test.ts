import Knex, { type Knex as Instance } from 'knex';
import { afterEach, describe, expect, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createFeed, type Feed, feedSql, poll } from '../../../src/feed/index.js';
import { type Cache, createCache } from '../../../src/index.js';
import { aShop, databases } from '../knex/a-shop.js';

const kinds = (['mysql', 'sqlite'] as const).filter((name) => databases.includes(name));

describe.each(kinds)('a feed of %s, by its table of changes', (dialect) => {
  const tables = { users: { id: 'id', tenant: 'org' } };
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** Statement by statement, as migrations run. */
  const migrate = async (knex: Instance, text: string) => {
    for (const one of text.split(/;\n/).filter((it) => it.trim() !== '')) await knex.raw(one);
  };

  async function aWorld() {
    const { config, drop } = await aShop(dialect);
    closing.push(drop);
    const outside = Knex(config);
    closing.push(() => outside.destroy());
    const sql = feedSql({ dialect, tables });
    await migrate(outside, sql.up);
    await migrate(outside, sql.up);
    const cache = createCache({ ttl: '10m' });
    closing.push(() => cache.close());
    const inside = withCache(Knex(config), { cache, tenant: 'org' });
    closing.push(() => inside.destroy());
    const query = async (text: string) => {
      const answer = await outside.raw(text);
      return dialect === 'mysql' ? answer[0] : answer;
    };
    const begin = () => {
      const feed = createFeed({ cache, tables: ['users'], source: poll({ query, every: '20ms' }) });
      closing.push(feed.close);
      return feed;
    };
    return { outside, inside, cache, sql, begin, feed: begin() };
  }

  const user = (cache: Cache, inside: Instance, id: number) =>
    cache.read({ key: [id], load: () => inside('users').where({ id }).first('name') });
  const until = async (holds: () => Promise<boolean>) => {
    const end = performance.now() + 5000;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error('not within 5 s');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  test('a write by somebody else ends its row and no other; the change is kept until then', async () => {
    const { outside, inside, cache, feed, begin } = await aWorld();
    await feed.ready;
    for (const id of [1, 2]) await user(cache, inside, id);
    await outside('users').where({ id: 1 }).update({ name: 'Eve' });
    await until(async () => !(await cache.has([1])));
    expect(await cache.has([2])).toBe(true);
    expect((await user(cache, inside, 1)).value).toEqual({ name: 'Eve' });
    await until(async () => (await outside('unstale_changes')).length === 0);

    // Nobody looks, and nothing is lost.
    await (feed as Feed).close();
    await outside('users').where({ id: 2 }).delete();
    expect(await outside('unstale_changes')).toHaveLength(1);
    await begin().ready;
    await until(async () => !(await cache.has([2])));
    expect((await user(cache, inside, 2)).value).toBeUndefined();
    expect(await cache.has([1])).toBe(true);
  });

  test('a change that is rolled back is none, and the way down leaves nothing', async () => {
    const { outside, inside, cache, feed, sql } = await aWorld();
    await feed.ready;
    await user(cache, inside, 1);
    await outside
      .transaction(async (trx) => {
        await trx('users').where({ id: 1 }).update({ name: 'Eve' });
        throw new Error('no');
      })
      .catch(() => {});
    expect(await outside('unstale_changes')).toEqual([]);
    await feed.close();
    await migrate(outside, sql.down);
    expect(await outside.schema.hasTable('unstale_changes')).toBe(false);
    await outside('users').where({ id: 1 }).update({ name: 'Eve' });
  });
});
