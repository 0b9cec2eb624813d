import { eq, inArray } from 'drizzle-orm';
import { Cache as DrizzleCache } from 'drizzle-orm/cache/core';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { withCache } from '../../../adapters/drizzle/index.js';
import { createCache } from '../../../src/index.js';
import { quiet } from '../../contract/adapters/pg.js';
import { schemas } from '../../transparency/idioms/drizzle.js';
import { aShop } from '../neighbours/a-shop.js';

// Drizzle's own cache tells of a write while the write is still under way, and keeps what a transaction reads of its
// own changes. Each test does the same with it and with ours.

const { accounts } = schemas.postgres;

/** The least that Drizzle's cache has to be: all of it ends with every write. */
class Own extends DrizzleCache {
  readonly #kept = new Map<string, any>();
  strategy = () => 'all' as const;
  get = async (key: string) => this.#kept.get(key);
  put = async (key: string, rows: any) => void this.#kept.set(key, rows);
  async onMutate() {
    this.#kept.clear();
  }
}

describe.skipIf(!inject('services').postgres)('what Drizzle’s cache does wrong', () => {
  let place: Awaited<ReturnType<typeof aShop>>;
  let pool: pg.Pool;
  const ends: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    place = await aShop('postgres');
  });
  beforeEach(async () => {
    pool = quiet(new pg.Pool({ ...place.config, max: 4 }));
    await pool.query(`update accounts set name = 'Ada' where id = 1`);
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await pool.end();
  });
  afterAll(() => place?.drop());

  const ours = async () => {
    const cache = createCache({ ttl: '1h' });
    ends.push(() => cache.close());
    const db = withCache(drizzle(pool), { cache });
    // The catalogue comes with the first statement.
    await db.select().from(accounts);
    return db;
  };
  const nameIn = async (db: any) =>
    (await db.select({ name: accounts.name }).from(accounts).where(eq(accounts.id, 1)).$withCache())[0]?.name;

  /** What is read after a write whose row somebody reads while the write waits for a lock. */
  async function afterSlowWrite(db: any): Promise<string> {
    const other = await pool.connect();
    await other.query('begin');
    await other.query('select * from accounts where id = 1 for update');
    const writing = db.update(accounts).set({ name: 'Ida' }).where(eq(accounts.id, 1)).execute();
    const waiting = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await pool.query(waiting)).rows[0].n, { timeout: 10_000 }).toBe(1);
    expect(await nameIn(db)).toBe('Ada');
    await other.query('commit');
    other.release();
    await writing;
    return nameIn(db);
  }

  test('it runs a write beside its invalidation: whoever reads in between keeps the old row', async () => {
    expect(await afterSlowWrite(drizzle(pool, { cache: new Own() }))).toBe('Ada');
    await pool.query(`update accounts set name = 'Ada' where id = 1`);
    expect(await afterSlowWrite(await ours())).toBe('Ida');
  });

  /** What is read after a transaction that has read its own change, and was rolled back. */
  async function afterRollback(db: any): Promise<string> {
    const wrong = db.transaction(async (tx: any) => {
      await tx.update(accounts).set({ name: 'never was' }).where(eq(accounts.id, 1));
      expect(await nameIn(tx)).toBe('never was');
      throw new Error('on purpose');
    });
    await expect(wrong).rejects.toThrow('on purpose');
    return nameIn(db);
  }

  test('it serves a row that was rolled back', async () => {
    expect(await afterRollback(drizzle(pool, { cache: new Own() }))).toBe('never was');
    expect(await afterRollback(await ours())).toBe('Ada');
  });

  /** What somebody else reads while the row is changed and not committed. */
  async function beforeCommit(db: any): Promise<string> {
    let seen = '';
    await db.transaction(async (tx: any) => {
      await tx.update(accounts).set({ name: 'not yet' }).where(eq(accounts.id, 1));
      await nameIn(tx);
      seen = await nameIn(db);
    });
    return seen;
  }

  test('it shows others a row that nobody has committed', async () => {
    expect(await beforeCommit(drizzle(pool, { cache: new Own() }))).toBe('not yet');
    await pool.query(`update accounts set name = 'Ada' where id = 1`);
    expect(await beforeCommit(await ours())).toBe('Ada');
  });

  test('it knows no table of a subquery: its rows are old for their whole time', async () => {
    const run = async (db: any) => {
      await pool.query(`update accounts set org = 'acme' where id = 1`);
      const noted = db.select({ id: schemas.postgres.notes.id }).from(schemas.postgres.notes);
      const ofAcme = db.select({ id: accounts.id }).from(accounts).where(eq(accounts.org, 'acme'));
      const read = async () =>
        (await noted.where(inArray(schemas.postgres.notes.account_id, ofAcme)).$withCache()).length;
      const before = await read();
      await db.update(accounts).set({ org: 'zeta' }).where(eq(accounts.id, 1));
      return [before, await read()];
    };
    // One that ends by table, as Drizzle tells it of which.
    class ByTable extends DrizzleCache {
      readonly #kept = new Map<string, { rows: any; tables: string[] }>();
      strategy = () => 'all' as const;
      get = async (key: string) => this.#kept.get(key)?.rows;
      put = async (key: string, rows: any, tables: string[]) => void this.#kept.set(key, { rows, tables });
      async onMutate({ tables }: { tables?: any }) {
        const changed = [tables ?? []].flat().map((one: any) => one[Symbol.for('drizzle:Name')] ?? one);
        for (const [key, { tables: read }] of this.#kept)
          if (read.some((one) => changed.includes(one))) this.#kept.delete(key);
      }
    }
    expect(await run(drizzle(pool, { cache: new ByTable() }))).toEqual([3, 3]);
    expect(await run(await ours())).toEqual([3, 1]);
  });
});
