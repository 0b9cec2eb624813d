import type { Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type CacheOptions, CommitUnknownError, FenceUnavailableError } from '../../../src/index.js';
import { aWorld, until } from './a-world.js';

describe.skipIf(!inject('services').postgres || !inject('services').redis)('strict, on PostgreSQL and Redis', () => {
  let world: Awaited<ReturnType<typeof aWorld>>;
  beforeAll(async () => {
    world = await aWorld('postgres');
  });
  afterAll(() => world?.close());

  /** Two processes with a cache and a row of their own, so that stories can wait for leases side by side. */
  async function aScene(options: CacheOptions = {}) {
    const id = await world.aRow();
    const name = world.name();
    const [reader, writer] = await Promise.all([
      world.open(id, { name, ...options }),
      world.open(id, { name, ...options }),
    ]);
    await Promise.all([reader.prime(), writer.prime()]);
    const row = (knex: Knex) => knex('users').where({ id });
    /** By a statement that commits itself. */
    const rename = async (to: string) => void (await row(writer.knex).update({ name: to }));
    const stored = async () => (await row(world.bare).first()).name as string;
    const isCommitted = (to: string) => until(async () => ((await stored()) === to ? true : undefined));
    const says = async (text: string) =>
      (await reader.cache.explain(['user'])).text.includes(text) ? true : undefined;
    /** Its fence is placed, and the answer to that is held, hence its COMMIT: for half a lease at most. */
    const holdFence = async (to: string) => {
      const fence = writer.store.hold('fence', 'reply');
      const outcome = rename(to).then(
        () => undefined,
        (error: unknown) => error,
      );
      await fence.arrived();
      return { outcome, fence };
    };
    /** It is committed, and what makes that known is held. */
    const holdRaise = async (to: string) => {
      const raise = writer.store.hold('raise');
      const writing = rename(to);
      await isCommitted(to);
      await raise.arrived();
      return { writing, raise };
    };
    return { id, reader, writer, row, rename, stored, isCommitted, says, holdFence, holdRaise };
  }

  test.concurrent('a read between COMMIT and its acknowledgement gets the committed row', async () => {
    const { reader, holdRaise } = await aScene({ ackTimeout: '10s' });
    const { writing, raise } = await holdRaise('new');
    // The word of its acknowledgement is on the way. Until it comes, nothing is kept either.
    const { loads } = reader;
    for (let i = 0; i < 2; i++) expect(await reader.read()).toBe('new');
    expect(reader.loads).toBe(loads + 2);
    raise.release();
    await writing;
    expect(await reader.prime()).toBe('new');
  });

  test.concurrent('without `strict` the same read gets the old row', async () => {
    const { reader, holdRaise } = await aScene({ strict: false, ackTimeout: '10s' });
    const { writing, raise } = await holdRaise('new');
    expect(await reader.read()).toBe('old');
    raise.release();
    await writing;
    expect(await reader.read()).toBe('new');
  });

  test.concurrent('a writer that dies after COMMIT leaves no old row behind, and its fence ends', async () => {
    const { reader, writer, says, holdRaise } = await aScene({ ackTimeout: '10s' });
    // Nobody can be told by the database that the writer's transaction is over.
    reader.wire?.hold('requests');
    const { writing, raise } = await holdRaise('new');
    writer.redis.cut();
    expect(await says('is being written')).toBe(true);
    const reading = reader.read();
    reader.wire?.flow();
    expect(await reading).toBe('new');
    // The lease, and a round of those who ask.
    expect(await reader.prime()).toBe('new');
    expect(await says('is being written')).toBeUndefined();
    raise.release();
    await writing;
  }, 60_000);

  test.concurrent('a writer that dies before COMMIT has changed nothing, and its fence ends', async () => {
    const { reader, writer, holdFence, stored } = await aScene();
    const { outcome } = await holdFence('new');
    writer.wire?.reset();
    writer.redis.cut();
    expect(await reader.read()).toBe('old');
    expect(await reader.prime()).toBe('old');
    expect(await stored()).toBe('old');
    expect(await outcome).toBeInstanceOf(Error);
  }, 60_000);

  test.concurrent('a COMMIT whose answer is lost keeps its fence until the database tells', async () => {
    const { reader, writer, isCommitted, says, holdFence } = await aScene();
    const { outcome, fence } = await holdFence('new');
    writer.wire?.hold('answers');
    // The reader asks the database too, as soon as the lease is over: not before this story is.
    reader.wire?.hold('requests');
    fence.release();
    await isCommitted('new');
    const reading = reader.read();
    writer.wire?.reset();
    expect(await outcome).toBeInstanceOf(CommitUnknownError);
    expect(await says('is being written')).toBe(true);
    reader.wire?.flow();
    expect(await reading).toBe('new');
    writer.wire?.flow();
    expect(await reader.prime()).toBe('new');
  }, 60_000);

  test.concurrent('what cannot be fenced is refused, and has changed nothing', async () => {
    const { reader, writer, row, rename, stored } = await aScene();
    writer.redis.hold();
    const error = await rename('new').catch((it) => it);
    expect(error).toBeInstanceOf(FenceUnavailableError);
    expect(error).toMatchObject({ code: 'FENCE_UNAVAILABLE', cause: { code: 'STORE_UNAVAILABLE' } });
    expect(error.tags.length).toBeGreaterThan(0);
    const inTransaction = writer.knex.transaction((trx) => row(trx).update({ name: 'new' }));
    await expect(inTransaction).rejects.toThrow(FenceUnavailableError);
    expect(await stored()).toBe('old');
    writer.redis.flow();
    expect(await reader.prime()).toBe('old');
    await until(() =>
      rename('new').then(
        () => true,
        () => undefined,
      ),
    );
    expect(await reader.prime()).toBe('new');
  }, 60_000);

  test.concurrent('under `degrade` it is committed, and somebody is told', async () => {
    const { writer, rename, stored } = await aScene({ onFenceUnavailable: 'degrade' });
    const told: unknown[] = [];
    writer.cache.on('unfenced', (event) => told.push(event));
    writer.redis.cut();
    await rename('new');
    expect(await stored()).toBe('new');
    expect(told).toEqual([{ tags: expect.any(Array), reason: 'the store has not confirmed the fence' }]);
  });

  test.concurrent('transactions and savepoints: what is rolled back is no more, what is released is fenced', async () => {
    const { reader, writer, row } = await aScene();
    await writer.knex.transaction(async (trx) => {
      await trx('users').where({ id: 2 }).update({ name: 'else' });
      await trx
        .transaction(async (inner) => {
          await row(inner).update({ name: 'never' });
          throw new Error('rolled back');
        })
        .catch(() => {});
      await trx.transaction((inner) => row(inner).update({ name: 'new' }));
      expect(await reader.read()).toBe('old');
    });
    expect(await reader.read()).toBe('new');
    await expect(
      writer.knex.transaction(async (trx) => {
        await row(trx).update({ name: 'never' });
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect(await reader.prime()).toBe('new');
  });

  test.concurrent('a read of many rows and a nested one load anew while what they read is being written', async () => {
    const { id, reader, holdRaise } = await aScene({ ackTimeout: '10s' });
    const { cache, knex } = reader;
    const outer = () => cache.getOrSet({ key: ['outer'], load: async () => `<${await reader.read()}>` });
    const many = () =>
      cache.getOrSetMany({
        inputs: [id, 2],
        key: (one) => ['one', one],
        load: async (ids) => {
          const rows = await knex('users').whereIn('id', [...ids]);
          return ids.map((one) => rows.find((it) => it.id === one).name as string);
        },
      });
    await until(async () => ((await outer()) === '<old>' ? true : undefined));
    await many();
    const { writing, raise } = await holdRaise('new');
    expect(await outer()).toBe('<new>');
    expect((await many())[0]).toBe('new');
    raise.release();
    await writing;
    expect(await outer()).toBe('<new>');
  });

  test.concurrent('what nothing can be put before is not sent', async () => {
    const { id, writer, stored } = await aScene();
    await expect(writer.knex.raw(`begin; update users set name = 'new' where id = ${id}; commit`)).rejects.toThrow(
      FenceUnavailableError,
    );
    expect(await stored()).toBe('old');
  });

  test.concurrent('a process that comes waits for the transactions that were open, and says so', async () => {
    const { id, row } = await aScene();
    // Often, so that it is also the last one that has begun: a snapshot of the database does not reach as far.
    for (let i = 0; i < 5; i++) {
      await row(world.bare).update({ name: 'old' });
      const open = await world.bare.transaction();
      await row(open).update({ name: 'new' });
      const late = await world.open(id, { name: world.name() });
      expect(await late.read()).toBe('old');
      expect((await late.cache.explain(['user'])).text).toContain('quarantine');
      expect(await late.read()).toBe('old');
      expect(late.loads).toBe(2);
      await open.commit();
      expect(await late.prime()).toBe('new');
    }
  });

  test.concurrent('an idle time-out of a lease holds for the transaction alone, and a shorter one stays', async () => {
    const { writer, rename } = await aScene();
    const timeout = async () => {
      const { rows } = await writer.knex.raw('show idle_in_transaction_session_timeout');
      return rows[0].idle_in_transaction_session_timeout;
    };
    const inside = async (before: string) => {
      await writer.knex.raw(before);
      await rename('new');
      return timeout();
    };
    expect(await inside("set idle_in_transaction_session_timeout = '0'")).toBe('0');
    expect(await inside("set idle_in_transaction_session_timeout = '1500ms'")).toBe('1500ms');
    expect(await inside("set idle_in_transaction_session_timeout = '2min'")).toBe('2min');
  });
});
