import Knex, { type Knex as Instance } from 'knex';
import { afterEach, describe, expect, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createFeed, type FeedTable, feedSql, poll } from '../../../src/feed/index.js';
import { createCache } from '../../../src/index.js';
import { aShop, databases } from '../knex/a-shop.js';

// What a trigger writes down must not fail the write that it watches, and one row must not hold up the feed.

const kinds = (['mysql', 'sqlite'] as const).filter((name) => databases.includes(name));

describe.each(kinds)('a feed of %s', (dialect) => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function aWorld(tables: Readonly<Record<string, FeedTable>>, ...prepare: string[]) {
    const { config, drop } = await aShop(dialect);
    closing.push(drop);
    const outside = Knex(config);
    closing.push(() => outside.destroy());
    const rowsOf = async (sql: string, params: string[] = []) => {
      const answer = await outside.raw(sql, params);
      return dialect === 'mysql' ? answer[0] : answer;
    };
    const statements = feedSql({ dialect, tables }).up.split(/;\n/);
    for (const one of [...prepare, ...statements]) if (one.trim() !== '') await outside.raw(one);
    const cache = createCache({ ttl: '10m' });
    closing.push(() => cache.close());
    const inside: Instance = withCache(Knex(config), { cache, tenant: 'org' });
    closing.push(() => inside.destroy());
    const source = poll({ query: rowsOf, every: '20ms' });
    const errors: unknown[] = [];
    const feed = createFeed({ cache, tables: Object.keys(tables), source, onError: (error) => errors.push(error) });
    closing.push(feed.close);
    await feed.ready;
    /** What was written is known, and nothing is left to tell. */
    const told = () => expect.poll(() => outside('unstale_changes'), { timeout: 5000 }).toEqual([]);
    return { cache, inside, outside, told, errors };
  }

  test('its triggers do not make writes of wrapped clients end everything', async () => {
    const { cache, inside } = await aWorld({ users: { id: 'id', tenant: 'org' } });
    const posts = () => cache.read<unknown>({ key: 'posts', load: () => inside('posts').select() });
    await posts();
    await inside('users').where({ id: 2 }).update({ name: 'Zoe' });
    expect(await cache.has('posts')).toBe(true);
  });

  test('a key that is beyond JSON, NULL or long holds up nobody', async () => {
    const { outside, told, errors, cache, inside } = await aWorld(
      { odd: { id: ['a', 'b'], tenant: 'c' }, users: { id: 'id', tenant: 'org' } },
      dialect === 'mysql'
        ? 'create table odd (a varchar(20), b varchar(20), c text, primary key (a, b))'
        : 'create table odd (a text, b text, c text, primary key (a, b))',
    );
    const key = { a: 'one\ntwo\u0001', b: '"\\' };
    const cached = {
      first: () => inside('users').where({ id: 1 }).pluck('name'),
      odd: () => inside('odd').where(key).pluck('a'),
      'all that are odd': () => inside('odd').orderBy('a').pluck('b'),
      'odd of nobody': () =>
        inside('odd')
          .where({ c: 'x'.repeat(300) })
          .pluck('b'),
    };
    const values = async () =>
      Promise.all(Object.entries(cached).map(async ([key, load]) => (await cache.read<any>({ key, load })).value));
    expect(await values()).toEqual([['Ada'], [], [], []]);
    await outside('odd').insert({ ...key, c: 'x'.repeat(300) });
    if (dialect === 'sqlite') await outside('odd').insert({ a: null, b: null, c: null });
    await outside('users').where({ id: 1 }).update({ name: 'Eve' });
    await told();
    expect(errors).toEqual([]);
    const all = dialect === 'sqlite' ? [null, key.b] : [key.b];
    expect(await values()).toEqual([['Eve'], [key.a], all, [key.b]]);
    await outside('odd').where(key).update({ b: 'new' });
    await told();
    expect((await values()).slice(1, 2)).toEqual([[]]);
  });

  test.runIf(dialect === 'mysql')('keys that the database cannot write as text do not fail the write', async () => {
    const { outside, told, errors, cache, inside } = await aWorld(
      { codes: { id: 'code' }, bins: { id: 'id' } },
      'alter database character set latin1',
      'create table codes (code varchar(20) character set utf8mb4 primary key, value int)',
      'create table bins (id binary(4) primary key, value int)',
    );
    const bin = Buffer.from('ff0011fe', 'hex');
    const cached = {
      code: () => inside('codes').where({ code: '日本' }).pluck('value'),
      bin: () => inside('bins').where({ id: bin }).pluck('value'),
      both: () => inside('codes').leftJoin('bins', 'bins.value', 'codes.value').pluck('codes.value'),
    };
    const values = async () =>
      Promise.all(Object.entries(cached).map(async ([key, load]) => (await cache.read<any>({ key, load })).value));
    expect(await values()).toEqual([[], [], []]);
    await outside.raw("insert into codes values ('日本', 1)");
    await outside.raw("insert into bins values (unhex('ff0011fe'), 1)");
    await told();
    expect(errors).toEqual([]);
    expect(await values()).toEqual([[1], [1], [1]]);
    for (const one of ['codes', 'bins']) await outside(one).update({ value: 2 });
    await told();
    expect(await values()).toEqual([[2], [2], [2]]);
  });

  test.runIf(dialect === 'mysql')('a row is found by a key that only the database finds equal', async () => {
    const { outside, told, cache, inside } = await aWorld(
      { codes: { id: 'code' } },
      'create table codes (code varchar(9) character set utf8mb4 collate utf8mb4_general_ci primary key, value int)',
    );
    await outside.raw("insert into codes values ('ß', 1)");
    await told();
    const value = () =>
      cache.read<any>({ key: 's', load: () => inside('codes').where({ code: 's' }).pluck('value') as any });
    expect((await value()).value).toEqual([1]);
    await outside.raw("update codes set value = 2 where code = 'ß'");
    await told();
    expect((await value()).value).toEqual([2]);
  });
});
