import Knex, { type Knex as Instance } from 'knex';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { aShop } from './a-shop.js';

describe.skipIf(!inject('services').postgres)('Knex on PostgreSQL', () => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  let knex: Instance;
  let sent: string[] = [];
  const cache = createCache();
  beforeAll(async () => {
    shop = await aShop('postgres');
    knex = withCache(Knex(shop.config), { cache, tenant: 'org' });
    knex.on('query', ({ sql }) => sent.push(sql));
  });
  beforeEach(() => void (sent = []));
  afterAll(async () => {
    await knex?.destroy();
    await cache.close();
    await shop?.drop();
  });

  test('values of every type are the same on a miss and a hit', async () => {
    await knex.raw(`create table kinds (id integer primary key, life interval, lives interval[], doc jsonb, list int[],
      bytes bytea, at timestamptz, day date, sum numeric, big bigint, spot point, yes boolean, none text, name uuid)`);
    await knex.raw(`insert into kinds values (1, '1 day 02:03:04.5', '{1 day,NULL}', '{"a":[1,null]}', '{1,2}', '\\xff00',
      '2026-01-02T03:04:05.678Z', '2026-01-02', 12.50, 9007199254740993, '(1,2)', true, null, gen_random_uuid())`);
    const read = () => knex('kinds').where({ id: 1 }).first().cache('1m');
    const [miss, hit, bare] = [await read(), await read(), await knex('kinds').where({ id: 1 }).first()];
    expect(sent.filter((sql) => /^select/.test(sql))).toHaveLength(2);
    expect(hit).toStrictEqual(miss);
    expect(hit).toStrictEqual(bare);
    expect(hit.life.toPostgres()).toBe('4.5 seconds 3 minutes 2 hours 1 days');
    expect(hit.lives[0].toISO()).toBe('P0Y0M1DT0H0M0S');
    expect(hit.bytes).toEqual(Buffer.from([255, 0]));
    expect(hit.at).toEqual(new Date('2026-01-02T03:04:05.678Z'));
  });

  test('a raw hit has the rows, their number, the command, and the fields', async () => {
    const read = () => knex.raw('select id, name from users where id = ?', [1]).cache('1m');
    const [miss, hit] = [await read(), await read()];
    expect(sent).toHaveLength(1);
    expect(hit).toMatchObject({ rows: [{ id: 1, name: 'Ada' }], rowCount: 1, command: 'SELECT' });
    expect(hit.fields.map(({ name, dataTypeID }: any) => [name, dataTypeID])).toEqual(
      miss.fields.map(({ name, dataTypeID }: any) => [name, dataTypeID]),
    );
  });

  test('question marks that are operators stay operators, also where a column is asked back', async () => {
    await knex.raw(`create table docs (id integer primary key, org text, doc jsonb)`);
    await knex('docs').insert([
      { id: 1, org: 'acme', doc: { a: 1 } },
      { id: 2, org: 'zeta', doc: { b: 1 } },
    ]);
    const having = (key: string) => knex('docs').whereRaw('doc \\? ?', [key]).orderBy('id').pluck('id').cache('1m');
    expect([await having('a'), await having('a'), await having('b')]).toEqual([[1], [1], [2]]);
    expect(sent.filter((sql) => /^select/.test(sql))).toHaveLength(2);
    const update = knex('docs').where({ id: 1 }).whereRaw('doc \\? ?', ['a']);
    expect(await update.update({ doc: { b: 2 } })).toBe(1);
    expect(await having('b')).toEqual([1, 2]);
  });

  test('an update by its id ends the lists of its own tenant alone', async () => {
    const list = (org: string) => knex('users').where({ org }).orderBy('id').pluck('name').cache('1m');
    await Promise.all([list('acme'), list('zeta')]);
    sent = [];
    expect(await knex('users').where({ id: 1 }).update({ name: 'Ada L.' })).toBe(1);
    expect(await list('zeta')).toEqual(['Bob']);
    expect(sent).toHaveLength(1);
    expect(await list('acme')).toEqual(['Ada L.']);
    const raw = await knex.raw('update users set name = ? where id = ?', ['Ada', 1]);
    expect(raw).toMatchObject({ rows: [], rowCount: 1, command: 'UPDATE', fields: [] });
    expect(await knex('users').where({ id: 1 }).update({ name: 'Ada' }).returning('name')).toEqual([{ name: 'Ada' }]);
    expect(await list('acme')).toEqual(['Ada']);
  });

  test('a pool that somebody else made works, with a name for its database', async () => {
    const pool = new pg.Pool({ connectionString: String(shop.config.connection), max: 2 });
    expect(() => withCache(Knex({ client: 'pg', connectionPool: pool } as never), { cache })).toThrow(/`database`/);
    const pooled = withCache(Knex({ client: 'pg', connectionPool: pool } as never), { cache, database: 'pooled' });
    const names = () => pooled('users').where({ id: 2 }).pluck('name').cache('1m');
    expect([await names(), await names()]).toEqual([['Bob'], ['Bob']]);
    await pooled.transaction((trx) => trx('users').where({ id: 2 }).update({ name: 'Bobby' }));
    expect(await names()).toEqual(['Bobby']);
    await pooled('users').where({ id: 2 }).update({ name: 'Bob' });
    await pooled.destroy();
    await pool.end();
  });

  test('a query that is cancelled after its time-out leaves its connection usable', async () => {
    await expect(knex.raw('select pg_sleep(5)').timeout(50, { cancel: true })).rejects.toThrow(/timeout of 50ms/);
    expect(await knex('users').count({ n: '*' }).first().cache('1m')).toEqual({ n: '2' });
  });

  test('a transaction whose error was swallowed is rolled back by the server, and ends too much at most', async () => {
    const read = () => knex('users').where({ id: 1 }).first().cache('1m');
    await read();
    await knex.transaction(async (trx) => {
      await trx('users').where({ id: 1 }).update({ name: 'lost' });
      await trx.raw('select 1/0').catch(() => {});
    });
    expect((await read()).name).toBe('Ada');
  });

  test('the response of a rejected COMMIT is its error', async () => {
    await knex.raw(
      `create table later (id integer primary key, next integer references later deferrable initially deferred)`,
    );
    await expect(knex.transaction((trx) => trx('later').insert({ id: 1, next: 7 }))).rejects.toThrow(/foreign key/);
  });
});
