import { createCache, fenceSql, outboxSql } from 'unstale';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { rename, shop } from '../../../src/testing/adapter/shop.js';
import type {
  AdapterDatabase,
  AdapterDriver,
  AdapterRaw,
  AdapterSafety,
} from '../../../src/testing/adapter-contract.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { driversOf } from '../../contract/adapters/drivers.js';

// Each tenant has a schema, or a database, of its own, and the migrations that make the kit's tables run in all of them.

const services = inject('services');
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aWorld(driver: AdapterDriver, safety: AdapterSafety, shops = shop) {
  const database = await driver.database();
  closing.push(() => database.drop());
  for (const sql of shops) await database.bare(sql);
  const store = faultyStore(memoryStore());
  const cache = createCache({ name: 'elsewhere', store, ackTimeout: 50, ...safety });
  closing.push(() => cache.close({ timeout: 0 }).catch(() => {}));
  const client = await database.open({ cache });
  closing.push(() => client.close());
  return { database, client, store };
}

const rowsIn = async ({ bare }: AdapterDatabase, table: string) =>
  Number((await bare(`select count(*) as n from ${table}`))[0]?.n);

/** Long enough that no relay comes round. */
const crashSafe = { outbox: { interval: 3_600_000 } };

describe.each(await driversOf(services, 'pg', 'knex', 'typeorm'))('$name, $server', (driver) => {
  const isPostgres = driver.dialect === 'postgres';
  const aTenant = async (database: AdapterDatabase, ...tables: string[]) => {
    await database.bare('create schema tenant');
    for (const sql of tables) await database.bare(sql.replace('unstale_outbox', 'tenant.unstale_outbox'));
  };
  const { up } = outboxSql('postgres');

  test.runIf(isPostgres)('behind a SET LOCAL search_path the row is where a relay finds it', async () => {
    const { database, client, store } = await aWorld(driver, { crashSafe });
    await database.bare(up);
    await aTenant(database, up);
    await client.write(rename, ['Ida', 1]);
    store.down();
    await client.transaction(async (tx) => {
      await tx.write('set local search_path = tenant');
      await tx.write('update public.accounts set name = ? where id = ?', ['Ann', 1]);
    });
    expect(await rowsIn(database, 'tenant.unstale_outbox')).toBe(0);
    const rows = await database.bare('select tags from unstale_outbox');
    expect(rows.map(({ tags }) => String(tags)).join()).toContain('accounts');
  });

  test.runIf(isPostgres)('behind one it is refused where only the tenant has an outbox', async () => {
    const { database, client } = await aWorld(driver, { crashSafe });
    await aTenant(database, up);
    const write = client.transaction(async (tx) => {
      await tx.write('set local search_path = tenant');
      await tx.write('update public.accounts set name = ? where id = ?', ['Ann', 1]);
    });
    await expect(write).rejects.toThrow(/unstale_outbox is not where new ones find it/);
    expect(await database.bare('select name from accounts where id = 1')).toEqual([{ name: 'Ada' }]);
    expect(await rowsIn(database, 'tenant.unstale_outbox')).toBe(0);
  });
});

describe.each(await driversOf(services, 'pg', 'knex', 'mysql2', 'typeorm'))(
  'a connection of $name, $server',
  (driver) => {
    const { dialect } = driver;
    const on = (
      client: { connection?: <T>(fn: (run: AdapterRaw) => Promise<T>) => Promise<T> },
      fn: (run: AdapterRaw) => Promise<void>,
    ) => client.connection!(fn);

    test.runIf(dialect === 'postgres')('that has another search path for good writes into the one outbox', async () => {
      const { database, client, store } = await aWorld(driver, { crashSafe });
      const { up } = outboxSql(dialect);
      await database.bare(up);
      await database.bare('create schema tenant');
      await database.bare(up.replace('unstale_outbox', 'tenant.unstale_outbox'));
      await client.write(rename, ['Ida', 1]);
      store.down();
      await on(client, async (run) => {
        await run('set search_path = tenant');
        await run(`update public.accounts set name = 'Ann' where id = 1`);
        await run('reset search_path');
      });
      expect(await rowsIn(database, 'tenant.unstale_outbox')).toBe(0);
      expect(await rowsIn(database, 'public.unstale_outbox')).toBeGreaterThan(0);
    });

    const elsewhere = async (database: AdapterDatabase, ...tables: string[]) => {
      const [{ home }] = (await database.bare('select database() as home')) as [{ home: string }];
      const other = `${home}_tenant`;
      await database.bare(`create database ${other}`);
      closing.push(() => database.bare(`drop database ${other}`));
      for (const sql of tables) await database.bare(sql.replace(/(?=unstale_)/, `${other}.`));
      return { home, other };
    };

    test.runIf(dialect === 'mysql')('that has gone to another database writes into the one outbox', async () => {
      const { database, client, store } = await aWorld(driver, { crashSafe });
      const { up } = outboxSql('mysql');
      await database.bare(up);
      const { home, other } = await elsewhere(database, up);
      store.down();
      await on(client, async (run) => {
        await run(`use ${other}`);
        await run(`update ${home}.accounts set name = 'Ann' where id = 1`);
        await run(`use ${home}`);
      });
      expect(await rowsIn(database, `${other}.unstale_outbox`)).toBe(0);
      expect(await rowsIn(database, `${home}.unstale_outbox`)).toBe(1);
    });

    test.runIf(dialect === 'mysql')('that has gone to another database signs where everybody looks', async () => {
      const { database, client } = await aWorld(driver, { strict: true });
      const { up } = fenceSql('mysql');
      await database.bare(up);
      const { home, other } = await elsewhere(database, up);
      const signed: number[] = [];
      await on(client, async (run) => {
        await run(`use ${other}`);
        await run('begin');
        await run(`update ${home}.accounts set name = 'Ann' where id = 1`);
        await run('commit');
        signed.push(await rowsIn(database, `${home}.unstale_fence`), await rowsIn(database, `${other}.unstale_fence`));
        await run(`use ${home}`);
      });
      expect(signed).toEqual([1, 0]);
    });
  },
);
