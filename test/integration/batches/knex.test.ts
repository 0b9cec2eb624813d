import DataLoader from 'dataloader';
import Knex, { type Knex as Instance } from 'knex';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { batchBy, withCache } from '../../../adapters/knex/index.js';
import { createCache, tracked } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { aBlog, type Post, type Response } from './a-blog.js';

// A page of a hundred posts with the responses to each.

const stores = { 'in memory': () => ({}), 'on a store': () => ({ store: memoryStore() }) };

describe.skipIf(!inject('services').postgres).each(Object.entries(stores))('a page of 100 posts, %s,', (_, store) => {
  let blog: Awaited<ReturnType<typeof aBlog>>;
  let knex: Instance;
  let sent: { sql: string; bindings: unknown[] }[] = [];
  const cache = createCache({ ...store(), ttl: '1h' });
  const selects = () => sent.splice(0).filter(({ sql }) => sql.startsWith('select "') || sql.startsWith('select *'));
  beforeAll(async () => {
    blog = await aBlog(100);
    knex = withCache(Knex(blog.config), { cache, tables: { responses: { grain: 'post_id' } } });
    knex.on('query', (query) => sent.push(query));
  });
  beforeEach(async () => {
    await cache.clear();
    sent = [];
  });
  afterAll(async () => {
    await knex?.destroy();
    await cache.close();
    await blog?.drop();
  });

  const posts = () => knex<Post>('posts').orderBy('id').cache('1m');
  /** Made anew for each request, as in a handler. */
  const page = async () => {
    const responses = batchBy(knex<Response>('responses').select('id', 'post_id', 'text').orderBy('id'), 'post_id');
    return Promise.all((await posts()).map(async (post) => ({ ...post, responses: await responses(post.id) })));
  };
  const bare = async () => {
    const all = await knex<Post>('posts').orderBy('id');
    const of = ({ id: post_id }: Post) => knex<Response>('responses').where({ post_id }).orderBy('id');
    return Promise.all(all.map(async (post) => ({ ...post, responses: await of(post) })));
  };

  test('is 101 queries without batches, 2 with one that is cold, and none with one that is warm', async () => {
    const expected = await bare();
    expect(selects()).toHaveLength(101);
    expect(await page()).toEqual(expected);
    expect(selects()).toHaveLength(2);
    expect(await page()).toEqual(expected);
    expect(selects()).toHaveLength(0);
    expect(expected[0]?.responses).toHaveLength(2);
    expect(expected[99]?.responses).toEqual([]);
  });

  test('asks again for what a write has ended, and for nothing else', async () => {
    await page();
    selects();
    await knex('responses').insert({ post_id: 5, text: 'maybe' });
    await knex('responses').where({ post_id: 7, text: 'no' }).del();
    selects();
    expect(await page()).toEqual(await bare());
    expect(selects().map(({ bindings }) => bindings)[0]).toEqual([5, 7]);
    await knex('posts').where({ id: 3 }).update({ title: 'third' });
    await page();
    expect(selects().map(({ sql }) => sql)).toEqual([expect.stringContaining('from "posts"')]);
  });

  test('is what a cached page depends on, each value for itself', async () => {
    const responses = batchBy(knex<Response>('responses'), 'post_id');
    const texts = (id: number) =>
      cache.getOrSet({ key: ['texts', id], load: async () => (await responses(id)).map(({ text }) => text) });
    expect(await Promise.all([1, 2, 100].map(texts))).toEqual([['yes', 'no'], ['yes', 'no'], []]);
    await knex('responses').insert({ post_id: 100, text: 'first' });
    expect(await Promise.all([1, 2, 100].map((id) => cache.has(['texts', id])))).toEqual([true, true, false]);
    expect(await texts(100)).toEqual(['first']);
    await knex('responses').where({ post_id: 100 }).del();
  });

  test('finds rows by their key, and null for none', async () => {
    const post = batchBy(knex<Post>('posts'), 'posts.id', { many: false });
    const read = () => Promise.all([1, 2, 500].map((id) => post(id)));
    expect((await read()).map((row) => row?.title)).toEqual(['post 1', 'post 2', undefined]);
    expect(await post(500)).toBe(null);
    expect(selects()).toHaveLength(1);
    await knex('posts').insert({ id: 500, title: 'new' });
    expect((await read())[2]).toEqual({ id: 500, title: 'new' });
    await knex('posts').where({ id: 500 }).del();
    expect((await read())[2]).toBe(null);
  });

  test('gives everybody rows of his own', async () => {
    const responses = batchBy(knex<Response>('responses'), 'post_id');
    const [one, two] = await Promise.all([responses(1), responses(1)]);
    (one as Response[])[0]!.text = 'changed';
    expect(two?.[0]?.text).toBe('yes');
    expect((await responses(1))[0]?.text).toBe('yes');
  });

  test('in a transaction sees its own writes, with one query, and leaves nothing behind', async () => {
    await page();
    await knex
      .transaction(async (trx) => {
        await trx('responses').insert({ post_id: 1, text: 'mine' });
        const inside = batchBy(trx<Response>('responses'), 'post_id');
        selects();
        const [one, two] = await Promise.all([inside(1), inside(2)]);
        expect([one?.length, two?.length]).toEqual([3, 2]);
        expect(selects()).toHaveLength(1);
        throw new Error('no');
      })
      .catch(() => {});
    expect((await page())[0]?.responses).toHaveLength(2);
  });

  test('leaves its query as it is, and takes one that counts or joins as well', async () => {
    const query = knex('responses').select('post_id').count('* as number').groupBy('post_id');
    const before = query.toSQL().sql;
    const count = batchBy(query, 'post_id', { many: false });
    expect(await Promise.all([1, 100].map((id) => count(id)))).toEqual([{ post_id: 1, number: '2' }, null]);
    expect(query.toSQL().sql).toBe(before);
    await knex('responses').insert({ post_id: 1, text: 'third' });
    expect(await count(1)).toMatchObject({ number: '3' });
    const joined = knex('responses as r').join('posts as p', 'p.id', 'r.post_id').select('r.post_id', 'p.title');
    const titles = batchBy(joined, 'r.post_id');
    expect(await titles(2)).toHaveLength(2);
    await knex('posts').where({ id: 2 }).update({ title: 'second' });
    expect((await titles(2))[0]).toEqual({ post_id: 2, title: 'second' });
    await knex('responses').where({ text: 'third' }).del();
  });

  test('refuses a limit, what is no SELECT, and what was not wrapped', () => {
    expect(() => batchBy(knex('responses').limit(1), 'post_id')).toThrow('without a limit');
    expect(() => batchBy(knex('responses').first() as never, 'post_id')).toThrow('`query`');
    expect(() => batchBy(knex.raw('select 1') as never, 'post_id')).toThrow('`query`');
    const other = Knex(blog.config);
    expect(() => batchBy(other('responses'), 'post_id')).toThrow('`query` to be of what withCache has wrapped');
    expect(() => batchBy(knex('responses'), 'post_id', { tll: 1 } as never)).toThrow('`tll`');
  });

  test('says which column is missing in the rows', async () => {
    await expect(batchBy(knex('responses').select('text'), 'post_id')(1)).rejects.toThrow('to have `post_id`');
  });

  test('is 2 queries by a tracked DataLoader in cached functions, and none when they are warm', async () => {
    const loader = tracked(
      new DataLoader<number, Response[]>(
        async (ids) => {
          const rows = await knex<Response>('responses').whereIn('post_id', ids);
          return ids.map((id) => rows.filter(({ post_id }) => post_id === id));
        },
        { cache: false },
      ),
      { cache },
    );
    const of = (id: number) => cache.getOrSet({ key: ['responses of', id], load: () => loader.load(id) });
    const loaded = async () => Promise.all((await posts()).map(({ id }) => of(id)));
    const first = await loaded();
    expect([first[0]?.length, first[1]?.length, first[99]?.length]).toEqual([2, 2, 0]);
    expect(selects()).toHaveLength(2);
    await loaded();
    expect(selects()).toHaveLength(0);
    await knex('responses').insert({ post_id: 100, text: 'first' });
    expect((await loaded())[99]).toHaveLength(1);
    await knex('responses').where({ post_id: 100 }).del();
  });
});
