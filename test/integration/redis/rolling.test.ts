import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import Knex, { type Knex as Instance } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { forkTypeScript } from '../../support/fork.js';
import type { Order, Release } from './a-release.js';

/**
 * Two releases of a service run side by side, as while a deploy rolls. The new one knows its tables otherwise: another
 * tenant column, another column that does not count, a table of its own. They share invalidations and no values: whatever
 * one writes, the other reads.
 */
const { redis, postgres } = inject('services');
const file = fileURLToPath(new URL('./a-release.ts', import.meta.url));

interface Running {
  read(sql: string): Promise<{ rows: unknown[]; source: string; reason?: string }>;
  write(sql: string): Promise<unknown>;
  stop(): Promise<void>;
}

const rules = {
  old: { tenant: 'org', tables: { orders: { ignoreColumns: ['seen'] } } },
  new: { tenant: 'region', tables: { orders: { ignoreColumns: ['note'] } } },
  plain: {},
} satisfies Record<string, Release['rules']>;
type Kind = keyof typeof rules;

/** What each of the releases narrows by something else, and what a write of it leaves out of what the other looks at. */
const reads = [
  'select id, total from orders where org = 1 order by id',
  "select id, total from orders where region = 'eu' order by id",
  'select total from orders where id = 1',
  'select count(*)::int as n from orders',
  'select id, seen from orders order by id',
  'select id, note from orders order by id',
  "select id, seen, note from orders where org = 1 and region = 'eu' order by id",
];
const writes = [
  "insert into orders (id, org, region, total) values (:n, 1, 'us', 1)",
  "insert into orders (id, org, region, total) values (:n, 2, 'eu', 1)",
  'delete from orders where id > 100',
  'update orders set total = total + 1 where id = 1',
  "update orders set total = total + 1 where region = 'eu'",
  'update orders set total = total + 1 where org = 1',
  'update orders set seen = seen + 1 where id = 1',
  'update orders set seen = seen + 1',
  'update orders set note = note + 1',
  "update orders set note = note + 1 where org = 1 and region = 'eu'",
  "update orders set region = 'us' where id = 2",
  'update orders set org = 1 where id = 3',
  'delete from orders where id = 2',
];

// Processes take their time to start.
describe.skipIf(redis === undefined || postgres === undefined)('two releases side by side', { timeout: 60_000 }, () => {
  let admin: Instance;
  let database: Instance;
  let url: string;
  let name: string;
  const running: Running[] = [];

  beforeAll(async () => {
    const schema = `rolling_${process.pid}`;
    admin = Knex({ client: 'pg', connection: postgres?.url as string, pool: { min: 0, max: 1 } });
    await admin.raw(`drop database if exists ${schema}`);
    await admin.raw(`create database ${schema}`);
    const at = new URL(postgres?.url as string);
    at.pathname = `/${schema}`;
    url = at.href;
    database = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
  });
  beforeEach(async () => {
    name = `rolling-${randomUUID()}`;
    await database.raw('drop table if exists notes');
    await database.raw('drop table if exists orders');
    await database.raw(
      'create table orders (id int primary key, org int, region text, total int, seen int default 0, note int default 0)',
    );
    await database.raw("insert into orders values (1, 1, 'eu', 10), (2, 1, 'eu', 20), (3, 2, 'us', 30)");
  });
  afterEach(() => Promise.all(running.splice(0).map((one) => one.stop())));
  afterAll(async () => {
    await database?.destroy();
    await admin?.raw(`drop database if exists rolling_${process.pid} with (force)`);
    await admin?.destroy();
  });

  async function aRelease(kind: Kind, version: string = kind): Promise<Running> {
    const release: Release = { redis: redis?.url as string, postgres: url, name, version, rules: rules[kind] };
    const child = forkTypeScript(file, [JSON.stringify(release)]);
    const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
    let last = 0;
    const ready = new Promise<void>((resolve, reject) => waiting.set(0, { resolve: () => resolve(), reject }));
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.once('exit', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`a release ended with ${code ?? signal}`));
    });
    child.on('message', ({ id, result, error }: { id: number; result: never; error?: string }) => {
      if (error === undefined) waiting.get(id)?.resolve(result);
      else waiting.get(id)?.reject(new Error(error));
      waiting.delete(id);
    });
    const order = <T>(what: Order) =>
      new Promise<T>((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        child.send({ id: last, order: what });
      });
    const one: Running = {
      read: (sql) => order({ do: 'read', sql }),
      write: (sql) => order({ do: 'write', sql }),
      async stop() {
        if (child.connected) child.disconnect();
        const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
        await exited;
        clearTimeout(timer);
      },
    };
    // Whatever becomes of it, it is ended.
    running.push(one);
    await ready;
    return one;
  }

  const truth = async (sql: string) => (await database.raw(sql)).rows;

  /** Both read everything until it comes from the cache, one writes, both read. */
  async function play(
    releases: readonly Running[],
    { reads: all, writes: some }: { reads: readonly string[]; writes: readonly string[] },
  ): Promise<{ stale: string[]; hits: number; reads: number }> {
    const stale: string[] = [];
    let [hits, count, n] = [0, 0, 100];
    const each = <T>(fn: (reader: Running, sql: string) => Promise<T>) =>
      Promise.all(releases.flatMap((reader) => all.map((sql) => fn(reader, sql))));
    for (const write of some)
      for (const writer of releases) {
        await each((reader, sql) => reader.read(sql));
        for (const { source } of await each((reader, sql) => reader.read(sql))) {
          count++;
          if (source !== 'load') hits++;
        }
        await writer.write(write.replace(':n', String(++n)));
        await each(async (reader, sql) => {
          const [{ rows, source }, is] = await Promise.all([reader.read(sql), truth(sql)]);
          if (JSON.stringify(rows) !== JSON.stringify(is))
            stale.push(
              `${releases.indexOf(reader)} got ${source} of ${sql} after ${write} by ${releases.indexOf(writer)}`,
            );
        });
      }
    return { stale, hits, reads: count };
  }

  test.each([
    ['old', 'new'],
    ['old', 'plain'],
  ] as const)('%s and %s: whatever one has written, the other reads', async (one, other) => {
    const played = await play(await Promise.all([aRelease(one), aRelease(other)]), { reads, writes });
    expect(played.stale).toEqual([]);
    expect(played.hits / played.reads).toBeGreaterThan(0.8);
  });

  test('processes of one release leave the lists of other tenants alone', async () => {
    const [reader, writer] = await Promise.all([aRelease('old'), aRelease('old', 'other values')]);
    const [ofFirst] = reads as [string];
    // What is stored before they have agreed depends on the table.
    await expect
      .poll(
        async () => {
          await reader.read(ofFirst);
          await writer.write('update orders set total = total + 1 where org = 2');
          return (await reader.read(ofFirst)).source;
        },
        { interval: 100, timeout: 8000 },
      )
      .toBe('near');
    await writer.write('update orders set total = total + 1 where org = 1');
    expect((await reader.read(ofFirst)).rows).toEqual(await truth(ofFirst));
  });

  test('a table and a column that one of them was not started with', async () => {
    const before = await aRelease('plain', '1');
    for (const sql of reads) await before.read(sql);
    await database.raw('alter table orders add column extra int default 0');
    await database.raw('create table notes (id int primary key, order_id int references orders, body text)');
    await database.raw("insert into notes values (1, 1, 'one')");
    const played = await play([before, await aRelease('plain', '2')], {
      reads: [...reads, 'select id, extra from orders order by id', 'select * from notes order by id'],
      writes: [
        'update orders set extra = extra + 1 where id = 1',
        "insert into notes values (:n, 1, 'more')",
        "update notes set body = 'other' || id",
        'delete from notes where id > 1',
      ],
    });
    expect(played.stale).toEqual([]);
  });

  test('values are not shared between versions, and are between processes of one', async () => {
    const [a, b, next] = await Promise.all([aRelease('plain', '1'), aRelease('plain', '1'), aRelease('plain', '2')]);
    const [sql] = reads as [string];
    await expect.poll(async () => (await a.read(sql), (await a.read(sql)).source)).toBe('near');
    await expect.poll(async () => (await b.read(sql)).source).not.toBe('load');
    expect((await next.read(sql)).source).toBe('load');
  });
});
