import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Cache, createCache } from '../../../src/index.js';
import { name, names, newcomer, rename, shop } from '../../../src/testing/adapter/shop.js';
import type { AdapterClient, AdapterDatabase, AdapterTransaction } from '../../../src/testing/index.js';
import { type AdapterName, adapters, driversOf } from '../../contract/adapters/drivers.js';

// A suite of somebody's whose tests each run in a transaction that is rolled back, with the cache on.

const drivers = await driversOf(inject('services'), ...(Object.keys(adapters) as AdapterName[]));

describe.each(drivers)('a suite on $name, $server', (driver) => {
  let database: AdapterDatabase;
  let cache: Cache;
  let client: AdapterClient;
  let tx: AdapterTransaction;
  let rollBack: () => Promise<void>;

  const begin = async () => {
    let end = (_: Error) => {};
    const over = new Promise<never>((_, reject) => {
      end = reject;
    });
    let done: Promise<unknown> = Promise.resolve();
    tx = await new Promise<AdapterTransaction>((resolve, rejected) => {
      done = client.transaction((begun) => {
        resolve(begun);
        return over;
      });
      done.catch(rejected);
    });
    rollBack = async () => {
      const error = new Error('the test is over');
      end(error);
      await expect(done).rejects.toBe(error);
    };
  };
  const asked = (sql: string) => client.sent().filter((one) => one.replaceAll(/\$\d/g, '?') === sql).length;
  /** The code under test: what it reads comes from the cache where that is allowed. */
  const nameOf = async (id: number) => (await tx.read(name, [id], '1h'))[0]?.name;
  const loaded = (id: number) =>
    cache.within(tx.handle, () => cache.getOrSet({ key: ['account', id], load: () => nameOf(id) }));

  beforeAll(async () => {
    database = await driver.database(shop);
    if (!database.filled) for (const sql of shop) await database.bare(sql);
    cache = createCache({ ttl: '1h', jitter: 0 });
    client = await database.open({ cache });
    await client.read(names, [], false);
    // What was read before the suite is in the cache.
    await client.read(name, [1], '1h');
    await cache.getOrSet({ key: ['account', 1], load: async () => (await client.read(name, [1]))[0]?.name });
  });
  afterAll(async () => {
    await client?.close();
    await cache?.close();
    await database?.drop();
  });
  beforeEach(begin);
  afterEach(async () => {
    await rollBack();
    // Nothing of the test is left in the cache, and nothing has gone from it.
    const before = asked(name);
    expect(await client.read(name, [1], '1h')).toEqual([{ id: 1, name: 'Ada' }]);
    expect(await cache.get(['account', 1])).toBe('Ada');
    expect(asked(name)).toBe(before);
    expect(await client.read(name, [9], '1h')).toEqual([]);
    expect(await cache.has(['account', 9])).toBe(false);
  });

  for (const next of ['Ida', 'Eda'])
    test(`a test that renames to ${next} sees what it wrote`, async () => {
      expect([await nameOf(1), await loaded(1)]).toEqual(['Ada', 'Ada']);
      await tx.write(rename, [next, 1]);
      expect([await nameOf(1), await loaded(1)]).toEqual([next, next]);
      expect(await nameOf(1)).toBe(next);
    });

  for (const round of ['one', 'another'])
    test(`${round} that inserts the same row finds it missing at first`, async () => {
      expect([await nameOf(9), await loaded(9)]).toEqual([undefined, undefined]);
      await tx.write(newcomer, [9, 'acme', round, 'new@x']);
      expect([await nameOf(9), await loaded(9)]).toEqual([round, round]);
    });

  test('one whose code opens a transaction of its own is in a savepoint', async () => {
    await tx.transaction(async (inner) => {
      await inner.write(rename, ['Ida', 1]);
      expect((await inner.read(name, [1], '1h'))[0]?.name).toBe('Ida');
    });
    expect([await nameOf(1), await loaded(1)]).toEqual(['Ida', 'Ida']);
  });

  test('one that fails halfway leaves nothing either', async () => {
    await tx.write(rename, ['Ida', 1]);
    const failed = tx.transaction(async (inner) => {
      await inner.write(rename, ['Eda', 1]);
      throw new Error('the code under test');
    });
    await expect(failed).rejects.toThrow('the code under test');
    expect([await nameOf(1), await loaded(1)]).toEqual(['Ida', 'Ida']);
  });
});
