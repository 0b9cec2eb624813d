import Knex from 'knex';
import { batchBy, withCache } from '../../adapters/knex/index.js';
import { redisStore } from '../../adapters/redis/index.js';
import { createCache } from '../../src/index.js';
import { startPostgres } from '../services/postgres.js';
import { startRedis } from '../services/redis.js';

// A page of 100 posts with two responses to each, by several ways, on a private PostgreSQL and Redis:
// `npx tsx test/bench/page.ts`. Milliseconds for a page, the median of `rounds`, on loopback.

const rounds = 41;
const postgres = await startPostgres();
const redis = await startRedis();
const config = { client: 'pg', connection: postgres.url, pool: { min: 0, max: 10 } };
const bare = Knex(config);
await bare.schema.createTable('posts', (table) => void table.integer('id').primary());
await bare.schema.createTable('responses', (table) => {
  table.increments('id');
  table.integer('post_id').index();
  table.string('text');
});
const ids = Array.from({ length: 100 }, (_, i) => i + 1);
await bare('posts').insert(ids.map((id) => ({ id })));
await bare('responses').insert(ids.flatMap((post_id) => ['yes', 'no'].map((text) => ({ post_id, text }))));

const open = (options: object) => {
  const cache = createCache({ ttl: '1h', ...options });
  const knex = withCache(Knex(config), { cache, database: 'page', tables: { responses: { grain: 'post_id' } } });
  const page = async () => {
    const responses = batchBy(knex('responses'), 'post_id');
    return Promise.all((await knex('posts').orderBy('id').cache('1h')).map(({ id }) => responses(id)));
  };
  return { cache, knex, page };
};
const memory = open({});
const store = redisStore(redis.url);
const shared = open({ store });
const unkept = open({ store, memory: false, name: 'unkept' });

interface Way {
  readonly name: string;
  readonly page: () => Promise<readonly (readonly unknown[])[]>;
  readonly before?: () => Promise<unknown>;
}
const all = () => bare('posts').orderBy('id');
const write = (knex: typeof bare) => knex('responses').where({ post_id: 50 }).update({ text: 'maybe' });
const ways: Way[] = [
  {
    name: '101 queries, one after the other',
    page: async () => {
      const lists = [];
      for (const { id } of await all()) lists.push(await bare('responses').where({ post_id: id }));
      return lists;
    },
  },
  {
    name: '101 queries, all at once (10 connections)',
    page: async () => Promise.all((await all()).map(({ id }) => bare('responses').where({ post_id: id }))),
  },
  {
    name: '2 queries, grouped by hand',
    page: async () => {
      const lists = new Map<number, unknown[]>((await all()).map(({ id }) => [id, []]));
      for (const row of await bare('responses').whereIn('post_id', [...lists.keys()]))
        lists.get(row.post_id)?.push(row);
      return [...lists.values()];
    },
  },
  { name: 'batch, cold', before: () => memory.cache.clear(), page: memory.page },
  { name: 'batch, after a write to one post', before: () => write(memory.knex), page: memory.page },
  { name: 'batch, warm, in memory', page: memory.page },
  { name: 'batch on Redis, cold', before: () => shared.cache.clear(), page: shared.page },
  { name: 'batch on Redis, warm, memory checked', page: shared.page },
  { name: 'batch on Redis, warm, nothing in memory', page: unkept.page },
];

const took = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++)
  for (const { name, page, before } of ways) {
    await before?.();
    const began = performance.now();
    const lists = await page();
    took.get(name)?.push(performance.now() - began);
    if (lists.length !== 100 || lists.some(({ length }) => length !== 2)) throw new Error(`${name}: a wrong page`);
  }
console.log('| way | ms |\n| --- | --: |');
for (const [name, times] of took)
  console.log(`| ${name} | ${(times.sort((a, b) => a - b)[rounds >> 1] as number).toFixed(2)} |`);

for (const { cache, knex } of [memory, shared, unkept]) {
  await knex.destroy();
  await cache.close();
}
await bare.destroy();
await redis.stop();
await postgres.stop();
