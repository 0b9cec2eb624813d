import { Kysely, MssqlDialect, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { type Cache, createCache } from 'unstale';
import { cached, unwrap, withCache, within } from 'unstale/kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { kyselyDriver } from '../../contract/adapters/kysely.js';
import { quiet } from '../../contract/adapters/pg.js';
import { postgresServer } from '../../contract/adapters/postgres-server.js';
import { playAll } from '../../transparency/play.js';

const services = inject('services');
const databases = (['postgres', 'mysql', 'sqlite'] as const).filter((name) => services[name] !== undefined);

describe.each(databases)('kysely on %s', (dialect) => {
  test('programs are answered as without a cache', { timeout: 120_000 }, async () => {
    const { url } = services[dialect] as { url?: string };
    const driver = await kyselyDriver({ dialect, ...(url !== undefined && { url }) });
    expect((await playAll(driver, { programs: 40, seed: 7 })).differences).toEqual([]);
  });
});

describe.skipIf(services.postgres === undefined)('kysely', () => {
  interface Tables {
    users: { id: number; name: string };
  }
  let database: { config: pg.PoolConfig; drop(): Promise<void> };
  let cache: Cache;
  let pool: pg.Pool;
  let db: Kysely<Tables>;
  let acquired: number;

  beforeAll(async () => {
    database = await (await postgresServer(services.postgres?.url as string)).make();
  });
  afterAll(() => database?.drop());
  beforeEach(async () => {
    cache = createCache();
    pool = quiet(new pg.Pool({ ...database.config, max: 1 }));
    acquired = 0;
    pool.on('acquire', () => acquired++);
    db = new Kysely({ dialect: withCache(new PostgresDialect({ pool }), { cache, database: 'app' }) });
    await sql`create table users (id integer primary key, name text)`.execute(db);
    await db
      .insertInto('users')
      .values([{ id: 1, name: 'Ada' }])
      .execute();
  });
  afterEach(async () => {
    await db.schema.dropTable('users').execute();
    await db.destroy();
    await cache.close();
  });

  const ada = (at: Kysely<Tables> = db) =>
    cached('1m', () => at.selectFrom('users').select('name').where('id', '=', 1).executeTakeFirst());

  test('a hit takes no connection, and a miss one', async () => {
    const before = acquired;
    for (let i = 0; i < 3; i++) expect(await ada()).toEqual({ name: 'Ada' });
    expect(acquired - before).toBe(1);
    await Promise.all([ada(), db.connection().execute((at) => ada(at))]);
    expect(acquired - before).toBe(1);
  });

  test('statements of db.connection() share a connection', async () => {
    await db.connection().execute(async (at) => {
      const pid = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(at)).rows[0]?.pid;
      expect(await pid()).toBe(await pid());
      await ada(at);
      await sql`listen something`.execute(at);
      expect(await pid()).toBe(await pid());
    });
  });

  test('a refresh behind the caller’s back gives its connection back', async () => {
    const read = () =>
      cached({ ttl: '1ms', swr: '1m' }, () => db.selectFrom('users').select('name').where('id', '=', 1).execute());
    await read();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await read();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pool.idleCount).toBe(1);
    expect(pool.waitingCount).toBe(0);
  });

  test('in a transaction cache.invalidate waits for COMMIT, within its own within', async () => {
    await cache.getOrSet({ key: 'mine', tags: ['mine'], load: () => 1 });
    await ada();
    let told = 0;
    cache.on('invalidate', () => told++);
    await db.transaction().execute((trx) =>
      within(trx, async () => {
        await trx.updateTable('users').set({ name: 'Ida' }).where('id', '=', 1).execute();
        expect(await ada(trx)).toEqual({ name: 'Ida' });
        await cache.invalidate('mine');
        await cache.within(trx, () => cache.invalidate('mine'));
        expect(told).toBe(0);
      }),
    );
    expect(await cache.has('mine')).toBe(false);
    expect(await ada()).toEqual({ name: 'Ida' });
    await expect(within(db as never, () => 1)).rejects.toThrow('Expected `trx` to be an open transaction');
  });

  test('settings of a transaction are those that were asked for', async () => {
    await db
      .transaction()
      .setIsolationLevel('serializable')
      .execute(async (trx) => {
        const { rows } = await sql<any>`show transaction_isolation`.execute(trx);
        expect(rows).toEqual([{ transaction_isolation: 'serializable' }]);
      });
  });

  test('plugins see what they see without a cache', async () => {
    const upper = db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => ({ ...result, rows: result.rows.map((row) => ({ ...row, seen: true })) }),
    });
    for (let i = 0; i < 2; i++) expect(await ada(upper)).toEqual({ name: 'Ada', seen: true });
    expect(await ada()).toEqual({ name: 'Ada' });
  });

  test('what is no dialect, or none of these, is refused', () => {
    const dialect = new PostgresDialect({ pool });
    for (const wrong of [undefined, {}, db])
      expect(() => withCache(wrong as never, { cache, database: 'app' })).toThrow('Expected `dialect`');
    expect(() => withCache(dialect, { cache } as never)).toThrow('Expected `database`');
    const wrapped = withCache(dialect, { cache, database: 'app' });
    expect(() => withCache(wrapped, { cache, database: 'app' })).toThrow('wrapped already');
    expect(unwrap(wrapped)).toBe(dialect);
    expect(() => unwrap(dialect)).toThrow('Expected `dialect` to be one that was wrapped');
    const mssql = new MssqlDialect({} as never);
    expect(() => withCache(mssql, { cache, database: 'app' })).toThrow('one for PostgreSQL, MySQL, MariaDB or SQLite');
  });
});
