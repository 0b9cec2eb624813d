import { randomUUID } from 'node:crypto';
import { count, eq, inArray, relations, sql } from 'drizzle-orm';
import { Cache as DrizzleCache } from 'drizzle-orm/cache/core';
import { drizzle } from 'drizzle-orm/node-postgres';
import { alias, bigint, integer, pgTable, pgView, text, timestamp, union } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { cached, unwrap, withCache } from '../../../adapters/drizzle/index.js';
import { type Cache, createCache, InvalidationPendingError } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';

const { postgres } = inject('services');

const users = pgTable('users', {
  id: integer().primaryKey(),
  name: text().notNull(),
  big: bigint({ mode: 'bigint' }),
  born: timestamp({ mode: 'date' }),
});
const posts = pgTable('posts', {
  id: integer().primaryKey(),
  userId: integer('user_id').notNull(),
  title: text().notNull(),
});
const comments = pgTable('comments', {
  id: integer().primaryKey(),
  postId: integer('post_id').notNull(),
  body: text().notNull(),
});
const names = pgView('names').as((qb) => qb.select({ name: users.name }).from(users));
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
const postsRelations = relations(posts, ({ one, many }) => ({
  user: one(users, { fields: [posts.userId], references: [users.id] }),
  comments: many(comments),
}));
const commentsRelations = relations(comments, ({ one }) => ({
  post: one(posts, { fields: [comments.postId], references: [posts.id] }),
}));
const schema = { users, posts, comments, names, usersRelations, postsRelations, commentsRelations };

const tables = `
  create table users (id integer primary key, name text not null, big bigint, born timestamp);
  create table posts (id integer primary key, user_id integer not null references users on delete cascade, title text not null);
  create table comments (id integer primary key, post_id integer not null references posts on delete cascade, body text not null);
  create view names as select name from users;
  insert into users values (1, 'Ada', 9007199254740993, '1815-12-10'), (2, 'Bob', 2, null);
  insert into posts values (1, 1, 'one'), (2, 2, 'two');
  insert into comments values (1, 1, 'first')`;

describe.skipIf(!postgres)('drizzle on PostgreSQL', () => {
  const ends: (() => Promise<unknown>)[] = [];
  const name = `drizzle_${randomUUID().slice(0, 8)}`;
  const url = new URL(postgres?.url ?? 'postgres://localhost');
  const at = (database: string) => Object.assign(new URL(url), { pathname: database }).href;
  const admin = async (text: string) => {
    const client = new pg.Client(at('postgres'));
    await client.connect();
    await client.query(text).finally(() => client.end());
  };
  afterAll(() => admin(`drop database if exists ${name} with (force)`));

  let cache: Cache;
  let pool: pg.Pool;
  let acquired = 0;
  beforeEach(async () => {
    await admin(`drop database if exists ${name} with (force)`);
    await admin(`create database ${name}`);
    pool = new pg.Pool({ connectionString: at(name), max: 4 });
    pool.on('acquire', () => {
      acquired++;
    });
    pool.on('error', () => {});
    // A client that is still ending when its database is dropped.
    pool.on('connect', (client) => void client.on('error', () => {}));
    await pool.query(tables);
    cache = createCache({ ttl: '1h' });
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await pool.end();
    await cache.close();
  });

  const open = (sent?: string[]) =>
    withCache(drizzle(pool, { schema, ...(sent && { logger: { logQuery: (one: string) => sent.push(one) } }) }), {
      cache,
    });
  /** What `read` gives, whether its answer came from the database, and whether the second one comes from there. */
  const isKept = async (read: () => PromiseLike<unknown>) => {
    const first = await read();
    const before = acquired;
    expect(await read()).toEqual(first);
    return acquired === before;
  };

  test('a hit takes no connection, and has the types that a miss has', async () => {
    const db = open();
    const read = () => db.select().from(users).orderBy(users.id).$withCache();
    const bare = await drizzle(pool).select().from(users).orderBy(users.id);
    expect(await isKept(read)).toBe(true);
    expect(await read()).toEqual(bare);
    expect((await read())[0]?.big).toBe(9007199254740993n);
    expect((await read())[0]?.born).toBeInstanceOf(Date);
    (await read())[0]!.name = 'mine';
    expect((await read())[0]?.name).toBe('Ada');
  });

  test('db.query with nested relations ends with each of its tables', async () => {
    const db = open();
    const read = () => cached('1h', () => db.query.users.findMany({ with: { posts: { with: { comments: true } } } }));
    expect(await isKept(read)).toBe(true);
    await db.insert(comments).values({ id: 2, postId: 1, body: 'second' });
    expect((await read())[0]?.posts[0]?.comments).toHaveLength(2);
    await db.update(posts).set({ title: 'uno' }).where(eq(posts.id, 1));
    expect((await read())[0]?.posts[0]?.title).toBe('uno');
    await db.delete(users).where(eq(users.id, 1));
    expect(await read()).toHaveLength(1);
    const first = () => cached('1h', () => db.query.posts.findFirst({ with: { user: true } }));
    expect(await isKept(first)).toBe(true);
  });

  test('subqueries, arms of unions, CTEs, views and $count are seen, which Drizzle’s own cache does not', async () => {
    const db = open();
    const reads = {
      where: () =>
        db
          .select()
          .from(posts)
          .where(inArray(posts.userId, db.select({ id: users.id }).from(users).where(eq(users.name, 'Ada'))))
          .$withCache(),
      union: () =>
        union(db.select({ it: posts.title }).from(posts), db.select({ it: users.name }).from(users)).$withCache(),
      cte: () => {
        const some = db.$with('some').as(db.select({ name: users.name }).from(users));
        return db.with(some).select().from(some).$withCache();
      },
      view: () => db.select().from(names).$withCache(),
      count: () => cached('1h', () => db.$count(users, eq(users.name, 'Ada'))),
      execute: () =>
        cached(
          '1h',
          async () => (await db.execute<{ n: string }>(sql`select count(*) n from users where name = ${'Ada'}`)).rows,
        ),
      self: () => {
        const other = alias(users, 'other');
        return db
          .select({ a: users.name, b: other.name })
          .from(users)
          .innerJoin(other, eq(users.id, other.id))
          .$withCache();
      },
      grouped: () => db.select({ name: users.name, n: count() }).from(users).groupBy(users.name).$withCache(),
    };
    const before = new Map<string, unknown>();
    for (const [what, read] of Object.entries(reads)) {
      expect(await isKept(read), what).toBe(true);
      before.set(what, await read());
    }
    await db.update(users).set({ name: 'Ida' }).where(eq(users.id, 1));
    for (const [what, read] of Object.entries(reads)) expect(await read(), what).not.toEqual(before.get(what));
  });

  test('a prepared statement keeps what it gave for other values apart, also at the same time', async () => {
    const db = open();
    const one = db
      .select()
      .from(users)
      .where(eq(users.id, sql.placeholder('id')))
      .$withCache()
      .prepare('one_user');
    const answers = await Promise.all([1, 2, 1, 2, 3].map((id) => one.execute({ id })));
    expect(answers.map(([row]) => row?.name)).toEqual(['Ada', 'Bob', 'Ada', 'Bob', undefined]);
    const before = acquired;
    expect((await one.execute({ id: 2 }))[0]?.name).toBe('Bob');
    expect(acquired).toBe(before);
    const rename = db
      .update(users)
      .set({ name: 'Ida' })
      .where(eq(users.id, sql.placeholder('id')))
      .prepare('rename');
    await rename.execute({ id: 1 });
    expect((await one.execute({ id: 1 }))[0]?.name).toBe('Ida');
  });

  test('two projections of the same row are two answers, and BigInts are values like others', async () => {
    const db = open();
    const big = 9007199254740993n;
    const narrow = () => db.select({ id: users.id }).from(users).where(eq(users.big, big)).$withCache();
    const wide = () => db.select().from(users).where(eq(users.big, big)).$withCache();
    expect(await narrow()).toEqual([{ id: 1 }]);
    expect((await wide())[0]).toMatchObject({ id: 1, name: 'Ada', big });
    expect(await isKept(narrow)).toBe(true);
    // Rows as objects and as arrays are the same text.
    const text = db.select({ id: users.id }).from(users).where(eq(users.big, big));
    expect((await cached('1h', () => db.execute(text))).rows).toEqual([{ id: 1 }]);
  });

  test('a row that was rolled back is never served; Drizzle’s own cache serves it', async () => {
    class Own extends DrizzleCache {
      readonly kept = new Map<string, { tables: string[]; response: any }>();
      strategy = () => 'all' as const;
      get = async (key: string) => this.kept.get(key)?.response;
      put = async (key: string, response: any, of: string[]) => void this.kept.set(key, { tables: of, response });
      async onMutate() {
        this.kept.clear();
      }
    }
    const back = async (db: ReturnType<typeof drizzle>) => {
      const wrong = db.transaction(async (tx) => {
        await tx.update(users).set({ name: 'Eve' }).where(eq(users.id, 1));
        await tx.select().from(users).where(eq(users.id, 1)).$withCache();
        throw new Error('on purpose');
      });
      await expect(wrong).rejects.toThrow('on purpose');
      return (await db.select().from(users).where(eq(users.id, 1)).$withCache())[0]?.name;
    };
    const peer = drizzle(pool, { cache: new Own() });
    expect(await back(peer)).toBe('Eve');
    expect(() => withCache(peer, { cache })).toThrow('without a cache of its own');
    expect(await back(withCache(drizzle(pool), { cache }))).toBe('Ada');
  });

  test('on one client the transaction is the whole database, and the cache comes back after it', async () => {
    const client = new pg.Client(at(name));
    await client.connect();
    ends.push(() => client.end());
    const sent: string[] = [];
    const query = client.query.bind(client) as any;
    client.query = ((config: any, ...rest: unknown[]) => {
      sent.push(config.text);
      return query(config, ...rest);
    }) as never;
    const db = withCache(drizzle(client), { cache });
    const read = () => db.select().from(users).where(eq(users.id, 1)).$withCache();
    await read();
    await db.transaction(async (tx) => {
      await tx.update(users).set({ name: 'Ida' }).where(eq(users.id, 1));
      // Without a cache it would see that, too.
      expect((await read())[0]?.name).toBe('Ida');
      await expect(
        tx.transaction(async (inner) => {
          await inner.update(users).set({ name: 'Eve' }).where(eq(users.id, 1));
          inner.rollback();
        }),
      ).rejects.toThrow();
    });
    expect((await read())[0]?.name).toBe('Ida');
    const before = sent.length;
    expect((await read())[0]?.name).toBe('Ida');
    expect(sent.length).toBe(before);
  });

  test('a load depends on what its statements read', async () => {
    const db = open();
    const load = () =>
      cache.getOrSet({ key: 'load', load: async () => [await db.$count(users), await db.query.posts.findFirst()] });
    expect(await isKept(load)).toBe(true);
    await db.insert(users).values({ id: 3, name: 'Cleo' });
    expect((await load())[0]).toBe(3);
  });

  test('$withCache tells how long, false not at all, and refuses what only Drizzle’s cache has', async () => {
    const db = open();
    const select = () => db.select().from(users);
    expect(await isKept(() => select().$withCache({ config: { px: 60_000 } }))).toBe(true);
    expect(await isKept(() => cached('1h', () => select().$withCache(false)))).toBe(false);
    const wrong = async (config: any) => await select().$withCache(config);
    await expect(wrong({ tag: 'mine' })).rejects.toThrow('no `tag`');
    await expect(wrong({ autoInvalidate: false })).rejects.toThrow('no `autoInvalidate: false`');
    await expect(wrong({ config: { exat: 1 } })).rejects.toThrow('no `exat`');
  });

  test('an error of the database is the one that Drizzle makes of it; a pending invalidation shows itself', async () => {
    const db = open();
    await expect(db.execute('select * from nowhere')).rejects.toMatchObject({ cause: { code: '42P01' } });
    const store = faultyStore(memoryStore());
    const strict = createCache({ store, ackTimeout: 50, onUnacknowledged: 'throw' });
    ends.push(() => strict.close({ timeout: 50 }).catch(() => {}));
    const other = withCache(drizzle(pool), { cache: strict });
    await other.select().from(users);
    store.down();
    const error = await other
      .update(users)
      .set({ name: 'Ida' })
      .where(eq(users.id, 1))
      .then(
        () => undefined,
        (it) => it,
      );
    expect(error).toBeInstanceOf(InvalidationPendingError);
    expect(error.committed).toBe(true);
    store.up();
  });

  test('unwrap gives the database its own ways back', async () => {
    const db = drizzle(pool);
    const session = (db as any).session;
    const keys = Object.getOwnPropertyNames(session);
    const { client } = session;
    withCache(db, { cache });
    expect(withCache(db, { cache })).toBe(db);
    expect(() => withCache(db, { cache, tenant: 'org' })).toThrow('wrapped already');
    const prepared = db.select().from(users).$withCache().prepare('all_users');
    await prepared.execute();
    unwrap(db);
    expect(Object.getOwnPropertyNames(session)).toEqual(keys);
    expect(session.client).toBe(client);
    expect(await isKept(() => prepared.execute())).toBe(false);
    expect(await isKept(() => cached('1h', () => db.select().from(users)))).toBe(false);
    expect(() => unwrap(db)).toThrow('was wrapped by withCache');
  });
});
