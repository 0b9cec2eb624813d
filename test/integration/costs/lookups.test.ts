import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Cache, createCache } from '../../../src/index.js';
import { name, names, rename, shop } from '../../../src/testing/adapter/shop.js';
import type { AdapterClient, AdapterDatabase } from '../../../src/testing/index.js';
import { type AdapterName, adapters, driversOf } from '../../contract/adapters/drivers.js';

// Statements, counted where they reach the database: whoever asks at the same time asks once, and a hit never.

const drivers = await driversOf(inject('services'), ...(Object.keys(adapters) as AdapterName[]));

describe.each(drivers)('$name, $server', (driver) => {
  let database: AdapterDatabase;
  let cache: Cache;
  let client: AdapterClient;
  beforeEach(async () => {
    database = await driver.database(shop);
    if (!database.filled) for (const sql of shop) await database.bare(sql);
    cache = createCache({ ttl: '1h', jitter: 0 });
    client = await database.open({ cache });
    // The catalogue comes with the first statement.
    await client.read(names, [], false);
    await client.builders?.find('accounts', { org: 'nobody' }, false);
  });
  afterEach(async () => {
    await client?.close();
    await cache?.close();
    await database?.drop();
  });

  /** What `fn` gives, and how many statements about accounts it has sent. */
  async function counted<T>(fn: () => Promise<T>): Promise<{ value: T; sent: number }> {
    const about = () => client.sent().filter((sql) => /^\s*select\b.*\baccounts\b/is.test(sql)).length;
    const before = about();
    const value = await fn();
    return { value, sent: about() - before };
  }
  const five =
    <T>(read: () => Promise<T>) =>
    () =>
      Promise.all(Array.from({ length: 5 }, read));

  /** One statement cold, none warm, one again when somebody has written. */
  async function shows(read: () => Promise<{ name?: unknown }[]>): Promise<void> {
    const cold = await counted(five(read));
    expect(cold.value.map(([row]) => row?.name)).toEqual(new Array(5).fill('Ada'));
    expect(cold.sent).toBe(1);
    expect(await counted(five(read))).toEqual({ value: cold.value, sent: 0 });
    await client.write(rename, ['Ida', 1]);
    const after = await counted(five(read));
    expect(after.value.map(([row]) => row?.name)).toEqual(new Array(5).fill('Ida'));
    expect(after.sent).toBe(1);
  }

  test('five parallel reads of one statement are one statement, then none', () =>
    shows(() => client.read(name, [1], '1h')));

  test('five parallel loads of one key are one statement, then none', () =>
    shows(() => cache.getOrSet({ key: ['account', 1], load: () => client.read(name, [1]) })));

  test.skipIf(driver.lacks.builders)(
    'five parallel look-ups of one unique key by builders are one statement, then none',
    () => shows(() => client.builders!.find('accounts', { email: 'ada@x' }, '1h')),
  );

  test('five parallel reads that nobody wants from the cache are five', async () => {
    expect((await counted(five(() => client.read(name, [1], false)))).sent).toBe(5);
  });
});
