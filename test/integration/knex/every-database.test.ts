import { setTimeout as sleep } from 'node:timers/promises';
import Knex, { type Knex as Instance } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cached, unwrap, type WrapOptions, withCache } from '../../../adapters/knex/index.js';
import { type Cache, createCache } from '../../../src/index.js';
import { aShop, databases } from './a-shop.js';

describe.each(databases)('%s', (database) => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  let bare: Instance;
  beforeAll(async () => {
    shop = await aShop(database);
    bare = Knex(shop.config);
  });
  afterAll(async () => {
    await bare?.destroy();
    await shop?.drop();
  });

  let cache: Cache;
  let knex: Instance;
  /** Statements that were sent, without those of the cache itself. */
  let sent: string[];
  const cleanups: (() => unknown)[] = [];
  beforeEach(async () => {
    cache = createCache();
    knex = aKnex();
    sent = [];
    knex.on('query', ({ sql }) => sent.push(sql));
  });
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
    await cache.close();
    await bare('posts').del();
    await bare('users').del();
    await bare('users').insert([
      { id: 1, email: 'ada@x', name: 'Ada', org: 'acme' },
      { id: 2, email: 'bob@x', name: 'Bob', org: 'zeta' },
    ]);
    await bare('posts').insert({ id: 1, user_id: 1, title: 'one' });
  });

  function aKnex(config: Instance.Config = {}, options: Partial<WrapOptions> = {}): Instance {
    const made = withCache(Knex({ ...shop.config, ...config }), { cache, ...options });
    cleanups.push(() => made.destroy());
    return made;
  }

  const ada = (from = knex) => from('users').where({ id: 1 }).cache('1m');
  const selects = () => sent.filter((sql) => /^select/i.test(sql));

  describe('reads', () => {
    test('a hit sends nothing, and takes no connection', async () => {
      const first = await ada();
      let acquired = 0;
      (knex.client.pool as any).on('acquireRequest', () => acquired++);
      expect(await ada()).toEqual(first);
      expect(acquired).toBe(0);
      expect(selects()).toHaveLength(1);
      await knex('users');
      expect(acquired).toBe(1);
    });

    test('a hit emits start and end, and neither query nor response', async () => {
      const events: string[] = [];
      for (const name of ['start', 'query', 'query-response'] as const) knex.on(name, () => events.push(name));
      const read = () => ada().on('end', () => events.push('end')) as unknown as Promise<unknown>;
      await read();
      expect(events.splice(0)).toEqual(['start', 'query', 'query-response', 'end']);
      await read();
      expect(events).toEqual(['start', 'end']);
    });

    test('the response of a miss is what its builder gave', async () => {
      const responses: unknown[] = [];
      knex.on('query-response', (response, { sql, __knexUid }) => responses.push(response, sql, typeof __knexUid));
      const rows = await ada();
      expect(responses).toEqual([rows, sent[0], 'string']);
    });

    test.each(['list', 'first', 'pluck', 'raw', 'count'] as const)(
      '%s is the same on a miss and a hit',
      async (how) => {
        const read = async () => {
          if (how === 'list') return knex('users').orderBy('id').cache('1m');
          if (how === 'first') return knex('users').orderBy('id').first().cache('1m');
          if (how === 'pluck') return knex('users').orderBy('id').pluck('name').cache('1m');
          if (how === 'count') return knex('users').count({ n: '*' }).first().cache('1m');
          const raw = await knex.raw('select id, name from users order by id').cache('1m');
          return database === 'mysql' ? [raw[0], raw[1].map((it: any) => it.name)] : (raw.rows ?? raw);
        };
        const [miss, hit] = [await read(), await read()];
        expect(selects()).toHaveLength(1);
        expect(hit).toStrictEqual(miss);
        expect(miss).toMatchObject(
          { list: [{ id: 1 }, { id: 2 }], first: { id: 1 }, pluck: ['Ada', 'Bob'], count: {}, raw: [{}, {}] }[how],
        );
      },
    );

    test('what one caller changes, no other sees', async () => {
      const [mine] = await ada();
      mine.name = 'changed';
      const [yours] = await ada();
      expect(yours.name).toBe('Ada');
      yours.name = 'changed too';
      expect((await ada())[0].name).toBe('Ada');
    });

    test('five at once are one query', async () => {
      const all = await Promise.all(Array.from({ length: 5 }, () => ada()));
      expect(all.map(([row]) => row.name)).toEqual(Array(5).fill('Ada'));
      expect(selects()).toHaveLength(1);
    });

    test('a builder that is awaited twice runs twice, and is answered twice', async () => {
      const asked = knex('users').where({ id: 1 });
      await asked;
      await asked;
      expect(selects()).toHaveLength(2);
      const kept = ada();
      expect(await kept).toEqual(await kept);
      expect(selects()).toHaveLength(3);
    });

    test('a clone is kept as its original is; false, and other values, are not', async () => {
      const query = ada();
      await query;
      await query.clone();
      expect(selects()).toHaveLength(1);
      await query.clone().cache(false);
      await query.clone().where({ name: 'Ada' });
      await query.clone().clearWhere().where({ id: 2 });
      expect(selects()).toHaveLength(4);
    });

    test('what is said by the call counts before what is said around it, and that before the rules', async () => {
      const ruled = aKnex({}, { tables: { users: { ttl: '1m' } } });
      await ruled('posts'); // the catalogue comes with the first statement
      ruled.on('query', ({ sql }) => sent.push(sql));
      for (let i = 0; i < 2; i++) await ruled('users').where({ id: 1 });
      expect(selects()).toHaveLength(1);
      for (let i = 0; i < 2; i++) await ruled('users').where({ id: 1 }).cache(false);
      expect(selects()).toHaveLength(3);
      for (let i = 0; i < 2; i++) await cached('1m', () => ruled('posts').where({ id: 1 }));
      expect(selects()).toHaveLength(4);
    });

    test('listeners of start may change what is asked', async () => {
      knex.on('start', (builder) => {
        if (builder._method === 'select') builder.where({ org: 'acme' });
      });
      for (let i = 0; i < 2; i++) expect(await knex('users').pluck('id')).toEqual([1, 2]);
      for (let i = 0; i < 2; i++) expect(await knex('users').select('id').cache('1m')).toEqual([{ id: 1 }]);
      expect(selects()).toHaveLength(3);
    });

    test('each caller’s rows go through postProcessResponse with his own queryContext', async () => {
      const calls: unknown[] = [];
      const processing = aKnex({
        postProcessResponse(rows: any, context: any) {
          calls.push(context);
          if (context && Array.isArray(rows)) for (const row of rows) row.seen = context.by;
          return rows;
        },
      });
      const read = (by: string) => processing('users').select('id').where({ id: 1 }).queryContext({ by }).cache('1m');
      expect(await read('me')).toEqual([{ id: 1, seen: 'me' }]);
      expect(await read('you')).toEqual([{ id: 1, seen: 'you' }]);
      expect(calls).toEqual([{ by: 'me' }, { by: 'you' }]);
    });

    test('errors are those of Knex, and are not kept', async () => {
      const errors: unknown[] = [];
      knex.on('query-error', (error) => errors.push(error));
      const failing = () => knex('nowhere').cache('1m');
      const error = await failing().catch((it) => it);
      expect(error.message).toMatch(/^select \* from .nowhere. - /);
      expect(errors).toEqual([error]);
      await expect(failing()).rejects.toThrow('nowhere');
      expect(selects()).toHaveLength(2);
    });

    test('a query that cannot be compiled fails as without the cache', async () => {
      await expect(knex('users').where({ id: undefined }).cache('1m')).rejects.toThrow('Undefined binding');
      expect(sent).toEqual([]);
    });

    test('a wrong duration is told to the one who gave it', async () => {
      await expect(knex('users').cache('soon' as never)).rejects.toThrow(TypeError);
    });

    test('queries with a time-out, options or a connection of their own go to the database', async () => {
      for (let i = 0; i < 2; i++) expect(await ada().timeout(5000)).toMatchObject([{ name: 'Ada' }]);
      for (let i = 0; i < 2; i++) await ada().options({ nestTables: true });
      const connection = await knex.client.acquireConnection();
      for (let i = 0; i < 2; i++) expect(await ada().connection(connection)).toMatchObject([{ name: 'Ada' }]);
      knex.client.releaseConnection(connection);
      expect(selects()).toHaveLength(6);
    });
  });

  describe('writes', () => {
    const writes: Record<string, (knex: Instance) => PromiseLike<unknown>> = {
      insert: (knex) => knex('users').insert({ id: 3, email: 'cleo@x' }),
      update: (knex) => knex('users').where({ id: 1 }).update({ name: 'Ada L.' }),
      increment: (knex) => knex('users').where({ id: 2 }).increment('id', 7),
      delete: (knex) => knex('users').where({ id: 2 }).del(),
      upsert: (knex) => knex('users').insert({ id: 1, name: 'Ada L.' }).onConflict('id').merge(),
      raw: (knex) => knex.raw('update users set name = ? where id = ?', ['Ada L.', 1]),
      batchInsert: (knex) => knex.batchInsert('users', [{ id: 3 }, { id: 4 }], 1),
      transaction: (knex) => knex.transaction((trx) => trx('users').where({ id: 1 }).update({ name: 'Ada L.' })),
    };
    test.each(Object.entries(writes))('%s ends what was read, before it resolves', async (_, write) => {
      const list = () => knex('users').orderBy('id').cache('1m');
      const before = await list();
      await write(knex);
      const after = await list();
      expect(after).not.toEqual(before);
      expect(after).toEqual(await bare('users').orderBy('id'));
    });

    test('a cascade ends what was read of the children', async () => {
      const titles = () => knex('posts').pluck('title').cache('1m');
      expect(await titles()).toEqual(['one']);
      await knex('users').where({ id: 1 }).del();
      expect(await titles()).toEqual([]);
    });

    test('a table that is emptied, and one that is changed, are read again', async () => {
      const read = () => knex('posts').cache('1m');
      expect(await read()).toHaveLength(1);
      await knex('posts').truncate();
      expect(await read()).toHaveLength(0);
      await knex.schema.alterTable('posts', (table) => void table.integer('stars').defaultTo(5));
      await knex('posts').insert({ id: 1, user_id: 1, title: 'one' });
      expect(await read()).toMatchObject([{ stars: 5 }]);
      await knex.schema.alterTable('posts', (table) => void table.dropColumn('stars'));
      expect(Object.keys((await read())[0])).not.toContain('stars');
    });

    test('counts and ids are those of Knex', async () => {
      const plain = async (it: Instance) => [
        await it('users').insert({ id: 5, email: 'e@x', org: 'acme' }),
        await it('users').where({ id: 5 }).update({ name: 'E' }),
        await it('users').where({ id: 6 }).update({ name: 'F' }),
        await it('users').where({ id: 5 }).del(),
      ];
      // Rules make tags: clients of one cache share them, so this one has a cache of its own.
      const own = createCache();
      cleanups.push(() => own.close());
      const wrapped = aKnex({}, { tenant: 'org', cache: own });
      const [insert, ...counts] = await plain(wrapped);
      const [expectedInsert, ...expectedCounts] = await plain(bare);
      expect(counts).toEqual(expectedCounts);
      expect(JSON.stringify(insert)).toBe(JSON.stringify(expectedInsert));
    });

    test('a load of the cache depends on what it queries by Knex, and cannot miss a write', async () => {
      const load = async () => ({
        user: await knex('users').where({ id: 1 }).first(),
        posts: await knex('posts').where({ user_id: 1 }),
      });
      const page = () => cache.getOrSet({ key: 'page', load });
      await page();
      await page();
      expect(selects()).toHaveLength(2);
      await knex('posts').insert({ id: 2, user_id: 1, title: 'two' });
      expect((await page()).posts).toHaveLength(2);
    });
  });

  describe('transactions', () => {
    const rename = (from: Instance, name: string) => from('users').where({ id: 1 }).update({ name });
    const nameOf = async (from = knex) => (await ada(from))[0].name;

    test('see their own writes, and nobody gets them before COMMIT', async () => {
      await ada();
      await knex.transaction(async (trx) => {
        await rename(trx, 'Ada L.');
        expect(await nameOf(trx)).toBe('Ada L.');
        if (database !== 'sqlite') expect(await nameOf(aKnex())).toBe('Ada');
      });
      expect(await nameOf()).toBe('Ada L.');
    });

    test('end nothing when they are rolled back', async () => {
      await ada();
      const failed = knex.transaction(async (trx) => {
        await rename(trx, 'Ada L.');
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      const before = selects().length;
      expect(await nameOf()).toBe('Ada');
      expect(selects()).toHaveLength(before);
    });

    test('a function that throws at once is rolled back', async () => {
      const failed = knex.transaction(() => {
        throw new Error('at once');
      });
      await expect(failed).rejects.toThrow('at once');
      expect(sent.at(-1)).toMatch(/^ROLLBACK/i);
    });

    test('handles end what they changed when they commit, and not before', async () => {
      await ada();
      const trx = await knex.transaction();
      await rename(trx, 'Ada L.');
      expect(await nameOf(trx)).toBe('Ada L.');
      expect(trx.isCompleted()).toBe(false);
      await trx.commit();
      expect(await nameOf()).toBe('Ada L.');
    });

    test('a provider gives one handle, begun when it is first asked', async () => {
      const provider = knex.transactionProvider();
      expect(sent).toEqual([]);
      await ada();
      const trx = await provider();
      expect(await provider()).toBe(trx);
      await rename(trx, 'Ada L.');
      await trx.rollback();
      expect(await nameOf()).toBe('Ada');
      expect(selects()).toHaveLength(1);
    });

    test('callbacks that commit by the handle', async () => {
      await ada();
      const result = await knex.transaction((trx) => {
        rename(trx, 'Ada L.').then(() => trx.commit('done'), trx.rollback);
      });
      expect(result).toBe('done');
      expect(await nameOf()).toBe('Ada L.');
    });

    test('.transacting puts a query of the instance into one', async () => {
      await ada();
      await knex.transaction(async (trx) => {
        await knex('users').where({ id: 1 }).update({ name: 'Ada L.' }).transacting(trx);
        expect((await ada().transacting(trx))[0].name).toBe('Ada L.');
      });
      expect(await nameOf()).toBe('Ada L.');
    });

    test('an inner one that is rolled back takes back its part alone', async () => {
      const titles = () => knex('posts').pluck('title').cache('1m');
      await ada();
      await titles();
      await knex.transaction(async (trx) => {
        await rename(trx, 'Ada L.');
        await trx
          .transaction(async (inner) => {
            await inner('posts').del();
            throw new Error('no');
          })
          .catch(() => {});
      });
      const before = selects().length;
      expect(await titles()).toEqual(['one']);
      expect(selects()).toHaveLength(before);
      expect(await nameOf()).toBe('Ada L.');
    });

    test('an inner one that commits ends nothing before the outer one does', async () => {
      await ada();
      const failed = knex.transaction(async (trx) => {
        await trx.transaction((inner) => rename(inner, 'Ada L.'));
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      const before = selects().length;
      expect(await nameOf()).toBe('Ada');
      expect(selects()).toHaveLength(before);
    });

    test('invalidations inside wait for COMMIT, and go with ROLLBACK', async () => {
      const values = () => cache.getOrSet({ key: 'k', tags: ['t'], load: async () => [] });
      const first = await values();
      await knex
        .transaction(async () => {
          await cache.invalidate('t');
          throw new Error('no');
        })
        .catch(() => {});
      expect(await values()).toBe(first);
      await knex.transaction(async () => void (await cache.invalidate('t')));
      expect(await values()).not.toBe(first);
    });

    test('cache.within puts invalidations into the transaction of a handle', async () => {
      const values = () => cache.getOrSet({ key: 'k', tags: ['t'], load: async () => [] });
      const first = await values();
      const trx = await knex.transaction();
      await cache.within(trx, async () => void (await cache.invalidate('t')));
      expect(await values()).toBe(first);
      await trx.commit();
      expect(await values()).not.toBe(first);
    });

    test('with an isolation level are transactions like others, and caching goes on after them', async () => {
      await ada();
      for (const config of [{ isolationLevel: 'repeatable read' }, { readOnly: true }] as const)
        await knex.transaction((trx) => ada(trx), config);
      const before = selects().length;
      await ada();
      expect(selects()).toHaveLength(before);
    });

    test('that are open when the instance is unwrapped still end what they change', async () => {
      if (database === 'sqlite') return; // one connection
      const other = aKnex();
      await ada(other);
      const trx = await knex.transaction();
      await rename(trx, 'Ada L.');
      unwrap(knex);
      await trx.commit();
      expect(await nameOf(other)).toBe('Ada L.');
    });

    test('reads of the instance inside of a callback go past the cache', async () => {
      if (database === 'sqlite') return; // has one connection, which the transaction has
      await ada();
      const before = selects().length;
      await knex.transaction(async () => void (await ada()));
      expect(selects()).toHaveLength(before + 1);
    });
  });

  describe('the instance', () => {
    // Knex asks for another package to stream rows of PostgreSQL.
    test.skipIf(database === 'postgres')('streams rows', async () => {
      const rows: unknown[] = [];
      for await (const row of knex('users').select('id').orderBy('id').stream()) rows.push(row);
      expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
      await knex('users').stream((stream) => void stream.resume());
      const stopped = knex('users').stream();
      stopped.destroy();
      await sleep(20);
      expect(await ada()).toHaveLength(1);
      const failing = async () => {
        for await (const row of knex('nowhere').stream()) rows.push(row);
      };
      await expect(failing()).rejects.toThrow(/nowhere/);
      await sleep(20); // a stream gives its connection back when it is closed
    });

    test.skipIf(database === 'postgres')('a stream ends when what its statement wrote is ended', async () => {
      if (database === 'mysql' && !/maria/i.test((await bare.raw('select version() as v'))[0][0].v)) return;
      const ids = () => knex('users').orderBy('id').pluck('id').cache('1m');
      expect(await ids()).toEqual([1, 2]);
      const rows: unknown[] = [];
      for await (const row of knex.raw('delete from users where id = ? returning id', [2]).stream()) rows.push(row);
      expect(await ids()).toEqual([1]);
      expect(rows).toEqual([{ id: 2 }]);
    });

    test.skipIf(database === 'postgres')('a load depends on what it streams', async () => {
      const load = async () => {
        let count = 0;
        for await (const _ of knex('users').select('id').stream()) count++;
        return count;
      };
      const count = () => cache.getOrSet({ key: 'count', load });
      expect([await count(), await count()]).toEqual([2, 2]);
      expect(selects()).toHaveLength(1);
      await knex('users').insert({ id: 3 });
      expect(await count()).toBe(3);
    });

    test('with user parameters is wrapped with it', async () => {
      const mine = knex.withUserParams({ role: 'admin' });
      mine.on('query', ({ sql }) => sent.push(sql));
      expect(mine.userParams).toEqual({ role: 'admin' });
      await ada();
      expect(await ada(mine)).toHaveLength(1);
      expect(selects()).toHaveLength(1);
      await mine('users').where({ id: 1 }).update({ name: 'Ada L.' });
      expect((await ada())[0].name).toBe('Ada L.');
    });

    test('answers nothing when it is destroyed, and works when it is initialized again', async () => {
      await ada();
      await knex.destroy();
      await expect(ada()).rejects.toThrow(/acquire a connection/);
      knex.initialize();
      expect(await ada()).toHaveLength(1);
      await knex('users').where({ id: 1 }).update({ name: 'Ada L.' });
      expect((await ada())[0].name).toBe('Ada L.');
    });

    test('has its own ways again when it is unwrapped', async () => {
      await ada();
      unwrap(knex);
      expect(knex('users').cache).toBeUndefined();
      for (let i = 0; i < 2; i++) expect(await knex('users').where({ id: 1 })).toHaveLength(1);
      expect(selects()).toHaveLength(3);
      await knex.transaction((trx) => trx('users').where({ id: 1 }).update({ name: 'Ada L.' }));
    });

    test('migrates, seeds, and tells columns', async () => {
      await ada();
      const up = (it: Instance) => it.schema.createTable('moved', (table) => void table.integer('id').primary());
      const migrationSource = {
        getMigrations: async () => ['one'],
        getMigrationName: () => 'one',
        getMigration: async () => ({ up, down: (it: Instance) => it.schema.dropTable('moved') }),
      };
      expect((await knex.migrate.latest({ migrationSource }))[1]).toEqual(['one']);
      expect(await knex('moved').cache('1m')).toEqual([]);
      const seed = async (it: Instance) => void (await it('moved').insert({ id: 1 }));
      await knex.seed.run({ seedSource: { getSeeds: async () => ['s'], getSeed: async () => ({ seed }) } } as never);
      expect(await knex('moved').cache('1m')).toEqual([{ id: 1 }]);
      expect(Object.keys(await knex('users').columnInfo())).toEqual(['id', 'email', 'name', 'org']);
      expect(await knex.schema.hasTable('moved')).toBe(true);
      await knex.migrate.rollback({ migrationSource });
      expect(await knex.schema.hasTable('moved')).toBe(false);
    });
  });
});
