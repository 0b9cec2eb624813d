import { type Cache, createCache, outboxSql } from 'unstale';
import { describe, expect, inject, test } from 'vitest';
import { name, rename, shop } from '../../../src/testing/adapter/shop.js';
import type { AdapterClient, AdapterDatabase, AdapterDriver } from '../../../src/testing/adapter-contract.js';
import { type FaultyStore, fakeClock, faultyStore, memoryStore } from '../../../src/testing/index.js';
import { type AdapterName, adapters, driversOf } from '../../contract/adapters/drivers.js';
import { until } from '../../services/server-process.js';

/** What has no pool empties no outbox, and what answers at once cannot write into one. */
const relays = ({ pool }: AdapterDriver) => pool;
const interval = 400;
/** Milliseconds in which a relay has come round on any machine. The writer's own comes round after an hour. */
const patience = 15_000;
const isEmpty = (rows: Setting['rows']) =>
  until('nothing is left in the outbox', async () => (await rows()).length === 0, patience);

const drivers = await driversOf(
  inject('services'),
  ...(Object.keys(adapters) as AdapterName[]).filter((one) => one !== 'drizzle-at-once'),
);

describe.concurrent.each(drivers)('an outbox by $name, $server', (driver) => {
  test('a commit that nobody has made known is made known by another process within the interval', async () => {
    await inPlace(driver, async ({ writer, reader, bare, rows, names, isDead, acknowledges }) => {
      await writer.write(rename, ['Bea', 2]);
      expect(await names()).toEqual(['Ada', 'Bea']);
      await bare('delete from unstale_outbox');
      acknowledges(false);
      await writer.write(rename, ['Ann', 1]);
      expect(await rows()).toHaveLength(1);
      if (!isDead) return;
      // Nobody has heard of it.
      expect(await names()).toEqual(['Ada', 'Bea']);
      await until('the change is made known', async () => (await names())[0] === 'Ann', patience);
      await isEmpty(rows);
      expect(await reader.read('select count(*) as n from accounts', [], '1h')).toHaveLength(1);
    });
  });

  test('the row is there with the change, and is not when that is rolled back', async () => {
    await inPlace(driver, async ({ writer, rows, acknowledges }) => {
      acknowledges(false);
      const rolledBack = writer.transaction(async (tx) => {
        await tx.write(rename, ['Ann', 1]);
        throw new Error('no');
      });
      await expect(rolledBack).rejects.toThrow('no');
      expect(await rows()).toEqual([]);
      await writer.transaction(async (tx) => {
        await tx.write(rename, ['Ann', 1]);
        await tx.write('delete from words where id = 1');
        expect(await rows()).toEqual([]);
      });
      const [row, ...others] = await rows();
      expect(others).toEqual([]);
      expect(JSON.parse(String(row?.tags)).join()).toMatch(/accounts.*words|words.*accounts/);
      expect(row?.cache).toBe('outbox');
    });
  });

  test('without the table nothing is committed, and the error says what to do', async () => {
    await inPlace(driver, async ({ writer, bare, database, acknowledges }) => {
      acknowledges(true);
      await database.bare(outboxSql(driver.dialect).down);
      const refused = await writer.write(rename, ['Ann', 1]).catch((error: unknown) => error);
      expect(chain(refused)).toMatch(/OUTBOX_UNAVAILABLE/);
      expect(chain(refused)).toContain('create table if not exists unstale_outbox');
      expect(await bare(name, [1])).toEqual([{ id: 1, name: 'Ada' }]);
      await database.bare(outboxSql(driver.dialect).up);
      await writer.write(rename, ['Ann', 1]);
      expect(await bare(name, [1])).toEqual([{ id: 1, name: 'Ann' }]);
    });
  });
});

const onServers = drivers.filter((one) => relays(one) && one.dialect !== 'sqlite');
describe.concurrent.each(onServers)('the relay of an outbox by $name, $server', (driver) => {
  test('takes what others have left beside an open transaction, unseen, and gives its connection back', async () => {
    await inPlace(driver, async ({ reader, names, rows, leave, cacheOfReader }) => {
      const heard: string[] = [];
      cacheOfReader.on('invalidate', ({ tags }) => void heard.push(tags.join()));
      await reader.transaction(async (tx) => {
        await tx.read(name, [1]);
        for (let i = 0; i < 8; i++) {
          await leave(['table:of nobody']);
          await isEmpty(rows);
        }
      });
      expect(heard).toEqual(Array.from({ length: 8 }, () => 'table:of nobody'));
      await names();
      // The pool has 6: none of them was lost.
      await Promise.all(Array.from({ length: 5 }, () => reader.transaction(async (tx) => tx.read(name, [1]))));
    });
  });

  test('is over with its pool, and nobody hears of that', async () => {
    const [clock, database, errors] = [fakeClock(), await driver.database(), [] as unknown[]];
    const cache = createCache({ clock, store: memoryStore(), crashSafe: { outbox: { interval } } });
    cache.on('error', ({ error }) => void errors.push(error));
    try {
      for (const sql of [...shop, outboxSql(driver.dialect).up]) await database.bare(sql);
      const client = await database.open({ cache });
      await client.write(rename, ['Ann', 1]);
      await client.close();
      await clock.advance(10 * interval);
      expect(errors).toEqual([]);
    } finally {
      await cache.close();
      await database.drop();
    }
  });

  test('loses a connection that breaks in its hands, and nothing else', async () => {
    await inPlace(driver, async ({ database, cacheOfReader, storeOfReader, leave, names, rows }) => {
      const errors: unknown[] = [];
      cacheOfReader.on('error', ({ error }) => void errors.push(error));
      const raising = storeOfReader.hold('raise');
      await leave(['table:of nobody']);
      await raising.arrived();
      for (const { id } of await database.bare(others[driver.dialect as keyof typeof others]))
        await database.bare(driver.dialect === 'postgres' ? `select pg_terminate_backend(${id})` : `kill ${id}`);
      raising.release();
      await isEmpty(rows);
      // It had raised it, and could not remove it.
      expect(errors).toHaveLength(1);
      expect(await names()).toEqual(['Ada', 'Bob']);
    });
  });
});

interface Setting {
  readonly database: AdapterDatabase;
  readonly writer: AdapterClient;
  readonly reader: AdapterClient;
  readonly cacheOfReader: Cache;
  readonly storeOfReader: FaultyStore;
  /** Whether what the writer leaves is taken by somebody. */
  readonly isDead: boolean;
  bare(sql: string, params?: readonly unknown[]): Promise<any[]>;
  rows(): Promise<any[]>;
  /** What the reader gets of two accounts. */
  names(): Promise<string[]>;
  /** As a process leaves it that has died. */
  leave(tags: readonly string[]): Promise<unknown>;
  acknowledges(does: boolean): void;
}

async function inPlace(driver: AdapterDriver, body: (setting: Setting) => Promise<void>): Promise<void> {
  const database = await driver.database();
  const shared = memoryStore();
  const [store, storeOfReader] = [faultyStore(shared), faultyStore(shared)];
  const aCache = (store: FaultyStore, interval: number, ackTimeout: number) =>
    createCache({ store, name: 'outbox', ttl: '1h', ackTimeout, crashSafe: { outbox: { interval } } });
  // The writer's own relay never comes to anything.
  const cacheOfWriter = aCache(store, 3_600_000, 50);
  const cacheOfReader = aCache(storeOfReader, interval, 5000);
  let writer: AdapterClient | undefined;
  let reader: AdapterClient | undefined;
  try {
    for (const sql of [...shop, outboxSql(driver.dialect).up]) await database.bare(sql);
    writer = await database.open({ cache: cacheOfWriter });
    reader = await database.open({ cache: cacheOfReader });
    const setting: Setting = {
      ...{ database, writer, reader, cacheOfReader, storeOfReader, isDead: relays(driver) },
      bare: database.bare,
      rows: () => database.bare('select cache, tags from unstale_outbox'),
      names: async () =>
        (await reader!.read('select name from accounts where id < 3 order by id', [], '1h')).map(({ name }) =>
          String(name),
        ),
      leave: (tags) =>
        database.bare(
          `insert into unstale_outbox (id, cache, at, tags) values (${ids[driver.dialect]}, 'outbox', ${ago[driver.dialect]}, '${JSON.stringify(tags)}')`,
        ),
      acknowledges: (does) => (does ? store.up() : store.down()),
    };
    await setting.names();
    await body(setting);
  } finally {
    await reader?.close();
    await writer?.close();
    await cacheOfReader.close({ timeout: 100 }).catch(() => {});
    await cacheOfWriter.close({ timeout: 100 }).catch(() => {});
    await database.drop();
  }
}

const ids = { postgres: `'${'0'.repeat(31)}1'`, mysql: `x'${'0'.repeat(31)}1'`, sqlite: `x'${'0'.repeat(31)}1'` };
const ago = {
  postgres: `now() - interval '1 hour'`,
  mysql: 'utc_timestamp(3) - interval 1 hour',
  sqlite: `julianday('now') - 1`,
};

/** Connections that are in the middle of something. */
const others = {
  postgres: `select pid as id from pg_stat_activity where datname = current_database() and state like 'idle in tr%'`,
  mysql: `select trx_mysql_thread_id as id from information_schema.innodb_trx
    join information_schema.processlist p on p.id = trx_mysql_thread_id where p.db = database()`,
};

/** What an error and those behind it say. */
function chain(error: unknown): string {
  const { code, message, cause } = Object(error) as Record<string, unknown>;
  return cause === undefined ? `${code}: ${message}` : `${code}: ${message}\n${chain(cause)}`;
}
