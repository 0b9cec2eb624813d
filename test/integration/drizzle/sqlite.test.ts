import { eq, sql } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { drizzle as onProxy } from 'drizzle-orm/sqlite-proxy';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { cached, unwrap, withCache } from '../../../adapters/drizzle/index.js';
import { type Cache, createCache } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { drizzleOfSqlite } from '../../services/drizzle-sqlite.js';
import { aSqliteFile } from '../../services/sqlite.js';

const users = sqliteTable('users', { id: integer().primaryKey(), name: text().notNull() });
const tables = `create table users (id integer primary key, name text not null);
  insert into users values (1, 'Ada'), (2, 'Bob')`;

describe.skipIf(!inject('services').sqlite)('drizzle on SQLite', () => {
  let file: ReturnType<typeof aSqliteFile>;
  let cache: Cache;
  beforeEach(() => {
    file = aSqliteFile();
    file.open().exec(tables);
    cache = createCache({ ttl: '1h' });
  });
  afterEach(async () => {
    await cache.close();
    file.remove();
  });

  /** better-sqlite3 itself, and what it has prepared. */
  const atOnce = (given = cache) => {
    const connection: any = file.open();
    const sent: string[] = [];
    const { prepare } = connection;
    connection.prepare = (text: string) => {
      sent.push(text);
      return prepare.call(connection, text);
    };
    return { db: withCache(drizzleOfSqlite()(connection, { schema: { users } }), { cache: given }), connection, sent };
  };
  const rename = (db: any, name: string, id = 1) => db.update(users).set({ name }).where(eq(users.id, id)).run();

  describe('better-sqlite3, which answers at once', () => {
    const loaded = (db: any, given = cache) => {
      let loads = 0;
      const load = () => {
        loads++;
        return db.select().from(users).where(eq(users.id, 1)).all();
      };
      return { read: () => given.getOrSet({ key: 'ada', load }), loads: () => loads };
    };

    test('a load depends on what it reads, and what a write ends has ended when the call returns', async () => {
      const { db } = atOnce();
      const { read, loads } = loaded(db);
      expect(await read()).toEqual([{ id: 1, name: 'Ada' }]);
      expect(await read()).toEqual([{ id: 1, name: 'Ada' }]);
      expect(loads()).toBe(1);
      rename(db, 'Bo', 2);
      await read();
      expect(loads()).toBe(1);
      rename(db, 'Ida');
      // In the same tick: nothing has waited for anything.
      expect(await read()).toEqual([{ id: 1, name: 'Ida' }]);
      await read();
      expect(loads()).toBe(2);
    });

    test('what a transaction writes ends when it has committed; what was rolled back has ended nothing', async () => {
      const { db, connection } = atOnce();
      const { read, loads } = loaded(db);
      await read();
      expect(() =>
        db.transaction((tx) => {
          rename(tx, 'Eve');
          tx.rollback();
        }),
      ).toThrow();
      expect(connection.inTransaction).toBe(false);
      db.transaction((tx) => {
        expect(() =>
          tx.transaction((inner) => {
            rename(inner, 'Eve');
            inner.rollback();
          }),
        ).toThrow();
        rename(tx, 'Bo', 2);
      });
      await read();
      expect(loads()).toBe(1);
      const done = db.transaction(
        (tx) => {
          rename(tx, 'Ida');
          // As a part of it, in both its forms.
          db.transaction((inner) => rename(inner, 'Bo', 2));
          tx.transaction((inner) => rename(inner, 'Bob', 2));
          return 'done';
        },
        { behavior: 'immediate' },
      );
      expect(done).toBe('done');
      expect(await read()).toEqual([{ id: 1, name: 'Ida' }]);
      expect(() => db.transaction((async () => {}) as never)).toThrow('cannot return a promise');
    });

    test('code in a transaction invalidates with it', async () => {
      const { db } = atOnce();
      let loads = 0;
      const read = () => cache.getOrSet({ key: 'tagged', tags: ['mine'], load: async () => ++loads });
      await read();
      expect(() =>
        db.transaction((tx) => {
          void cache.invalidate('mine');
          void cache.within(tx, () => cache.invalidate('mine'));
          tx.rollback();
        }),
      ).toThrow();
      expect(await read()).toBe(1);
      db.transaction(() => void cache.invalidate('mine'));
      expect(await read()).toBe(2);
    });

    test('a failed statement and a commit that is refused are told as they are', async () => {
      const { db, connection } = atOnce();
      connection.exec(
        'create table pets (id integer primary key, owner integer references users deferrable initially deferred)',
      );
      connection.pragma('foreign_keys = on');
      expect(() => db.insert(users).values({ id: 1, name: 'twice' }).run()).toThrow('UNIQUE');
      expect(() => db.transaction((tx) => void tx.run(sql`insert into pets values (1, 99)`))).toThrow('FOREIGN KEY');
      expect(connection.inTransaction).toBe(false);
      const { read, loads } = loaded(db);
      await read();
      rename(db, 'Ida');
      expect(await read()).toEqual([{ id: 1, name: 'Ida' }]);
      expect(loads()).toBe(2);
    });

    test('every way to read and to write is seen, prepared ones too', async () => {
      const { db } = atOnce();
      const one = db
        .select()
        .from(users)
        .where(eq(users.id, sql.placeholder('id')))
        .prepare();
      const ways = {
        get: () => one.get({ id: 1 }),
        all: () => one.all({ id: 1 }),
        values: () => one.values({ id: 1 }),
        relational: () => db.query.users.findFirst({ where: eq(users.id, 1) }).sync(),
        text: () => db.all(sql`select name from users where id = 1`),
        count: () => db.$count(users, eq(users.name, 'Ada')),
      };
      const read = () =>
        Promise.all(Object.entries(ways).map(([key, load]) => cache.getOrSet({ key, load: load as () => unknown })));
      const before = await read();
      expect(await read()).toEqual(before);
      const renaming = db.update(users).set({ name: 'Ida' }).where(eq(users.id, 1)).returning().prepare();
      expect(renaming.get()).toEqual({ id: 1, name: 'Ida' });
      const after = await read();
      for (const [at, value] of after.entries()) expect(value).not.toEqual(before[at]);
    });

    test('reads that cannot wait for a cache are refused', async () => {
      const { db } = atOnce();
      const why = 'answers at once';
      expect(() => db.select().from(users).$withCache().all()).toThrow(why);
      await expect(cached('1h', () => db.select().from(users).all())).rejects.toThrow(why);
      expect(await cached('1h', () => rename(db, 'Ida'))).toMatchObject({ changes: 1 });
      const other = drizzleOfSqlite()(file.open() as any);
      expect(() => withCache(other, { cache, default: '1m' })).toThrow(why);
      expect(() => withCache(other, { cache, tables: { users: { ttl: '1m' } } })).toThrow(why);
    });

    test('with a store: nothing old is served here at once, and elsewhere when it is settled', async () => {
      const shared = memoryStore();
      const store = faultyStore(shared);
      const here = createCache({ store, ttl: '1h', ackTimeout: 200 });
      const there = createCache({ store: shared, ttl: '1h' });
      try {
        const { db } = atOnce(here);
        const proxied = aProxy(here).db;
        const readHere = () => cached('1h', () => proxied.select().from(users).where(eq(users.id, 1)));
        const elsewhere = aProxy(there).db;
        const readThere = () => cached('1h', () => elsewhere.select().from(users).where(eq(users.id, 1)));
        for (const read of [readHere, readThere, readHere, readThere])
          expect(await read()).toEqual([{ id: 1, name: 'Ada' }]);
        store.down();
        rename(db, 'Ida');
        expect(await readHere()).toEqual([{ id: 1, name: 'Ida' }]);
        await expect(here.settled({ timeout: 300 })).rejects.toThrow();
        store.up();
        await here.settled({ timeout: 5000 });
        for (const read of [readHere, readThere]) expect(await read()).toEqual([{ id: 1, name: 'Ida' }]);
        // What it reads itself is not stored: its versions would have to be asked for first.
        const { read, loads } = loaded(db, here);
        await read();
        await read();
        expect(loads()).toBe(2);
      } finally {
        await here.close({ timeout: 1000 }).catch(() => {});
        await there.close();
      }
    });

    test('unwrap gives it its own ways back', () => {
      const { db } = atOnce();
      unwrap(db);
      expect(Object.getOwnPropertyNames((db as any).session)).not.toContain('transaction');
      expect(() => db.select().from(users).$withCache().all()).not.toThrow();
      expect(() => unwrap(db)).toThrow('was wrapped by withCache');
    });
  });

  /** A callback that gives promises, over better-sqlite3; it tells the columns, too. */
  const aProxy = (given: Cache) => {
    const connection: any = file.open();
    const sent: string[] = [];
    const run = async (query: string, params: unknown[], method: string) => {
      sent.push(query);
      const statement = connection.prepare(query);
      if (!statement.reader) return { rows: [], ...statement.run(...params) };
      const columns = statement.columns().map(({ name }: { name: string }) => name);
      return { columns, rows: method === 'get' ? statement.raw().get(...params) : statement.raw().all(...params) };
    };
    const batch = async (queries: { sql: string; params: unknown[]; method: string }[]) => {
      const answers = [];
      for (const query of queries) answers.push(await run(query.sql, query.params, query.method));
      return answers;
    };
    const options = { cache: given, database: 'app' };
    return { db: withCache(onProxy(run as any, batch as any, { schema: { users } }), options), sent };
  };

  test('over a proxy everything comes from the cache that may, in batches nothing', async () => {
    const { db, sent } = aProxy(cache);
    const all = () => db.select().from(users).orderBy(users.id).$withCache();
    const one = () => cached('1h', () => db.query.users.findFirst({ where: eq(users.id, 1) }));
    const got = () => cached('1h', () => db.select().from(users).where(eq(users.id, 1)).get());
    expect(await all()).toHaveLength(2);
    expect([await one(), await got()]).toEqual([
      { id: 1, name: 'Ada' },
      { id: 1, name: 'Ada' },
    ]);
    const before = sent.length;
    expect([await one(), await got(), (await all()).length]).toEqual([
      { id: 1, name: 'Ada' },
      { id: 1, name: 'Ada' },
      2,
    ]);
    expect(sent.length).toBe(before);
    const [, inside] = await cached('1h', () =>
      db.batch([
        db.update(users).set({ name: 'Bo' }).where(eq(users.id, 2)),
        db.select().from(users).where(eq(users.id, 2)),
      ]),
    );
    expect(inside).toEqual([{ id: 2, name: 'Bo' }]);
    const after = sent.length;
    // Found by its key, it outlives writes of others.
    expect(await got()).toEqual({ id: 1, name: 'Ada' });
    expect(sent.length).toBe(after);
    expect((await all())[1]?.name).toBe('Bo');
    await db.transaction(async (tx) => {
      await tx.update(users).set({ name: 'Ida' }).where(eq(users.id, 1));
      expect((await tx.select().from(users).where(eq(users.id, 1)).$withCache())[0]?.name).toBe('Ida');
    });
    expect([await one(), await got()]).toEqual([
      { id: 1, name: 'Ida' },
      { id: 1, name: 'Ida' },
    ]);
    unwrap(db);
    expect(await Promise.all([all(), all()])).toHaveLength(2);
  });
});
