import Knex, { type Knex as Instance } from 'knex';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createFeed, type Feed, feedSql, type ListenClient, listen } from '../../../src/feed/index.js';
import { type Cache, createCache, table } from '../../../src/index.js';

// Keys that have several texts, as the writer's session says; and triggers of the feed under a wrapped client's own writes.

const { postgres } = inject('services');

describe.skipIf(postgres === undefined)('a feed of PostgreSQL (skipped where there is none)', () => {
  const name = `feed_keys_${process.pid}`;
  const tables = ['days', 'others'];
  let admin: Instance;
  let url: string;
  let outside: Instance;
  let inside: Instance;
  let cache: Cache;
  let feed: Feed;

  beforeAll(async () => {
    admin = Knex({ client: 'pg', connection: postgres?.url as string, pool: { min: 0, max: 1 } });
    await admin.raw(`create database ${name}`);
    const at = new URL(postgres?.url as string);
    at.pathname = `/${name}`;
    url = at.href;
    outside = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
    await outside.raw(`
      create domain number as int;
      create table days (day date, is_open boolean, value int, primary key (day, is_open));
      create table others (id number primary key, value int);
      insert into days values ('2026-03-01', true, 1);
      insert into others values (1, 1), (2, 1);
    `);
    await outside.raw(feedSql({ dialect: 'postgres', tables: 'all' }).up);
  });
  afterAll(async () => {
    await outside?.destroy();
    await admin?.raw(`drop database if exists ${name} with (force)`);
    await admin?.destroy();
  });
  beforeEach(async () => {
    cache = createCache({ ttl: '10m' });
    inside = withCache(Knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } }), { cache });
    const connect = () => new pg.Client(url) as unknown as ListenClient;
    feed = createFeed({ cache, tables, source: listen({ connect }) });
    await feed.ready;
  });
  afterEach(async () => {
    await feed.close();
    await inside.destroy();
    await cache.close();
  });

  test('a row that is depended on by hand, by a date and a boolean', async () => {
    const id = [['2026-03-01', true]];
    await cache.read({ key: 'day', tags: [table('days', { id })], load: () => 'cached' });
    await outside.raw("set datestyle = 'German'");
    await outside.raw('update days set value = 2');
    await expect.poll(() => cache.has('day')).toBe(false);
  });

  test('a row by a key of a domain, and no other', async () => {
    const other = (id: number) =>
      cache.read<unknown>({ key: ['other', id], load: () => inside('others').where({ id }).first() });
    await other(1);
    await other(2);
    await outside('others').where({ id: 1 }).update({ value: 2 });
    await expect.poll(() => cache.has(['other', 1])).toBe(false);
    expect(await cache.has(['other', 2])).toBe(true);
  });

  test('a feed that is closed has given its connection back', async () => {
    const client = new pg.Client(url);
    let isEnded = false;
    client.once('end', () => {
      isEnded = true;
    });
    const other = createFeed({ cache, tables, source: listen({ connect: () => client as unknown as ListenClient }) });
    await other.ready;
    await other.close();
    expect(isEnded).toBe(true);
  });

  test('its triggers do not make writes of wrapped clients end everything', async () => {
    await cache.read<unknown>({ key: 'days', load: () => inside('days').select() });
    await inside('others').where({ id: 1 }).update({ value: 3 });
    expect(await cache.has('days')).toBe(true);
  });
});
