import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { createCache } from 'unstale';
import { withCache as withCacheKysely } from 'unstale/kysely';
import { withCache } from 'unstale/pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { postgresServer } from '../../contract/adapters/postgres-server.js';

const { postgres } = inject('services');

// A reader who holds a connection may be in a transaction when his hit is audited, whose snapshot our statement would take.
describe.skipIf(postgres === undefined)('an audit of what was read on a connection that somebody holds', () => {
  let database: { config: pg.PoolConfig; drop(): Promise<void> };
  beforeAll(async () => {
    database = await (await postgresServer(postgres?.url as string)).make();
    const client = new pg.Client(database.config);
    await client.connect();
    await client.query(`create table users (id integer primary key, name text); insert into users values (1, 'Ada')`);
    await client.end();
  });
  afterAll(() => database?.drop());

  const ended = async (counts: () => { audited: number; skipped: number }) => {
    for (let i = 0; i < 500 && counts().audited + counts().skipped === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return counts();
  };

  test('does not take place where the connection is all there is', async () => {
    const cache = createCache({ audit: 1 });
    const pool = withCache(new pg.Pool(database.config), { cache });
    try {
      const client = await pool.connect();
      const read = () => client.query({ text: 'select name from users where id = 1', cache: '1h' } as never);
      await read();
      await read();
      expect(await ended(() => cache.stats().audits)).toMatchObject({ audited: 0, skipped: 1 });
      client.release();
    } finally {
      await pool.end();
      await cache.close();
    }
  });

  test('takes another one where the library hands them out, and gives it back', async () => {
    const cache = createCache({ audit: 1 });
    const pool = new pg.Pool(database.config);
    const dialect = withCacheKysely(new PostgresDialect({ pool }), { cache, database: 'app', default: '1h' });
    const db = new Kysely<{ users: { id: number; name: string } }>({ dialect });
    try {
      const read = (at: typeof db) => at.selectFrom('users').selectAll().where('id', '=', 1).execute();
      // By rules, the first one asks for the catalogue.
      for (let i = 0; i < 2; i++) await read(db);
      await db.connection().execute(async (held) => {
        await read(held);
        expect(await ended(() => cache.stats().audits)).toMatchObject({ audited: 1, skipped: 0 });
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(pool.totalCount - pool.idleCount).toBe(0);
      });
    } finally {
      await db.destroy();
      await cache.close();
    }
  });
});
