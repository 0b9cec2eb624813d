import Knex, { type Knex as Instance } from 'knex';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createFeed, type Feed, feedSql, type ListenClient, listen } from '../../../src/feed/index.js';
import { type Cache, createCache } from '../../../src/index.js';

const { postgres } = inject('services');
const tables = ['orders', 'lines', 'events', 'tags', 'plain'];
const sql = feedSql({ dialect: 'postgres', tables: 'all', tenant: 'org' });

describe.skipIf(postgres === undefined)('a feed of PostgreSQL (skipped where there is none)', () => {
  const name = `feed_${process.pid}`;
  let url: string;
  let admin: Instance;
  /** Somebody who knows nothing of the cache. */
  let outside: Instance;
  let inside: Instance;
  let cache: Cache;
  let feed: Feed;
  let clients: pg.Client[] = [];

  beforeAll(async () => {
    admin = Knex({ client: 'pg', connection: postgres?.url as string, pool: { min: 0, max: 1 } });
    await admin.raw(`create database ${name}`);
    const at = new URL(postgres?.url as string);
    at.pathname = `/${name}`;
    url = at.href;
    outside = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } });
    await outside.raw(`
      create table orders (id int primary key, org text, sum int);
      create table lines (order_id int references orders on delete cascade, line int, text text, primary key (order_id, line));
      create table events (id int, day int, text text, primary key (id, day)) partition by range (day);
      create table events_1 partition of events for values from (1) to (10);
      create table tags (id uuid primary key, org text, name text);
      create table plain (value int);
    `);
    await outside.raw(sql.up);
    await outside.raw(sql.up); // once more is no error
  });
  afterAll(async () => {
    await outside?.destroy();
    await admin?.raw(`drop database if exists ${name} with (force)`);
    await admin?.destroy();
  });

  beforeEach(async () => {
    await outside.raw('truncate orders, lines, events, tags, plain');
    await outside.raw(`
      insert into orders select i, 'org' || i % 2, i from generate_series(1, 200) i;
      insert into lines values (3, 1, 'a');
      insert into events values (1, 1, 'a'), (2, 2, 'b');
      insert into plain values (1);
    `);
    cache = createCache({ ttl: '10m' });
    inside = withCache(Knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } }), { cache, tenant: 'org' });
    clients = [];
    feed = createFeed({ cache, tables, source: listen({ connect, heartbeat: '500ms' }) });
    await feed.ready;
  });
  afterEach(async () => {
    await feed.close();
    await inside.destroy();
    await cache.close();
  });

  const connect = (): ListenClient => {
    const client = new pg.Client(url);
    clients.push(client);
    return client;
  };

  const reads = {
    'order 7': () => inside('orders').where({ id: 7 }).first(),
    'order 8': () => inside('orders').where({ id: 8 }).first(),
    'orders of org1': () => inside('orders').where({ org: 'org1' }).count(),
    'orders of org0': () => inside('orders').where({ org: 'org0' }).count(),
    'all orders': () => inside('orders').count(),
    'lines of order 3': () => inside('lines').where({ order_id: 3 }),
    'event 1': () => inside('events').where({ id: 1, day: 1 }).first(),
    'event 2': () => inside('events').where({ id: 2, day: 2 }).first(),
    plain: () => inside('plain').select(),
  };
  type Name = keyof typeof reads;
  const read = (name: Name) => cache.read<unknown>({ key: name, load: () => reads[name]() as Promise<unknown> });
  const warm = async () => {
    for (const name of Object.keys(reads) as Name[]) await read(name);
  };
  /** Those that have ended within a second, once the feed had time for all of it. */
  const ended = async (expected: number): Promise<string[]> => {
    const gone = async () => {
      const all = await Promise.all(Object.keys(reads).map(async (name) => ((await cache.has(name)) ? [] : [name])));
      return all.flat();
    };
    for (let i = 0; i < 100 && (await gone()).length < expected; i++) await new Promise((r) => setTimeout(r, 10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    return (await gone()).sort();
  };

  const writes: [what: string, sql: string, ends: Name[]][] = [
    ['a row', 'update orders set sum = 0 where id = 7', ['order 7', 'orders of org1', 'all orders']],
    [
      'a row that moves to another tenant',
      "update orders set org = 'org0' where id = 7",
      ['order 7', 'orders of org1', 'orders of org0', 'all orders'],
    ],
    ['a new row', "insert into orders values (201, 'org1', 1)", ['orders of org1', 'all orders']],
    [
      'an upsert',
      "insert into orders values (8, 'org0', 1) on conflict (id) do update set sum = 5",
      ['order 8', 'orders of org0', 'all orders'],
    ],
    [
      'a row whose key changes',
      'update orders set id = 1007 where id = 7',
      ['order 7', 'orders of org1', 'all orders'],
    ],
    [
      'many rows',
      'update orders set sum = sum + 1',
      ['order 7', 'order 8', 'orders of org1', 'orders of org0', 'all orders'],
    ],
    ['a cascade', 'delete from orders where id = 3', ['orders of org1', 'all orders', 'lines of order 3']],
    ['a partition by its root', "update events set text = 'x' where id = 1", ['event 1']],
    ['a partition by its own name', "update events_1 set text = 'y' where id = 2", ['event 2']],
    ['a table without a key', 'insert into plain values (2)', ['plain']],
    ['TRUNCATE', 'truncate plain', ['plain']],
    ['a statement that changes nothing', 'update orders set sum = 1 where id = -1', []],
    ['a transaction that is rolled back', 'begin; update orders set sum = 1; rollback', []],
  ];
  for (const [what, text, ends] of writes)
    test(`${what}, changed by somebody else, ends what it touched and nothing else`, async () => {
      await warm();
      await outside.raw(text);
      expect(await ended(ends.length)).toEqual([...ends].sort());
    });

  test('what was written while the connection was lost is noticed when it is back', async () => {
    await warm();
    const lost = clients[0] as pg.Client & { processID: number };
    await outside.raw('select pg_terminate_backend(?)', [lost.processID]);
    await outside('orders').where({ id: 7 }).update({ sum: 0 });
    const end = performance.now() + 5000;
    while (!(clients.length > 1 && feed.listening) && performance.now() < end)
      await new Promise((r) => setTimeout(r, 10));
    expect(await read('order 7')).toMatchObject({ value: { sum: 0 } });
  });

  test('a feed that was ended and begins again has lost nothing', async () => {
    await warm();
    await feed.close();
    await outside('orders').where({ id: 7 }).update({ sum: 0 });
    feed = createFeed({ cache, tables, source: listen({ connect }) });
    await feed.ready;
    expect(await read('order 7')).toMatchObject({ value: { sum: 0 } });
  });

  test('a database that cannot be reached is told of, and asked again', async () => {
    await feed.close();
    const errors: unknown[] = [];
    let attempts = 0;
    const source = listen({
      connect: () => (++attempts < 3 ? new pg.Client('postgres://unstale@127.0.0.1:1/x') : connect()),
    });
    feed = createFeed({ cache, tables, source, onError: (error) => errors.push(error) });
    await feed.ready;
    expect(errors).toHaveLength(2);
    expect(feed.listening).toBe(true);
  });

  test('the way down leaves no trigger and no function', async () => {
    await outside.raw(sql.down);
    const left = await outside.raw(
      "select tgname from pg_trigger where tgname like 'unstale%' union all select proname from pg_proc where proname like 'unstale%'",
    );
    expect(left.rows).toEqual([]);
    await outside.raw(feedSql({ dialect: 'postgres', tables: { orders: { tenant: 'org' } } }).up);
    await warm();
    await outside.raw('insert into plain values (3); update orders set sum = 0 where id = 8');
    expect(await ended(3)).toEqual(['all orders', 'order 8', 'orders of org0']);
    await outside.raw(sql.up);
  });
});
