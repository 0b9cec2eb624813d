import { expect, test } from 'vitest';
import type { Guard } from '../../../../src/adapter/guard.js';
import { memoryStore } from '../../../../src/testing/index.js';
import { aCache, deferred, turns } from '../../core/a-cache.js';
import { portIn } from '../../core/strict-world.js';
import { aClient } from './a-client.js';

/** A strict cache with a client whose database says when nothing is open any more. */
function aWorld() {
  const open = deferred<void>();
  const { cache } = aCache({ strict: true, store: memoryStore() });
  const guard: Guard = { before: async () => ({}), unguarded() {}, quiet: () => open.promise };
  const { query, catalogs } = aClient({ cache, guards: [guard] });
  let loads = 0;
  const read = () =>
    cache.getOrSet({
      key: 'orders',
      load: async () => {
        loads++;
        await query('select * from orders');
      },
    });
  const end = async () => {
    open.resolve();
    await turns();
  };
  return { cache, query, catalogs, read, end, loads: () => loads };
}

test('the first load behind a quarantine is stored', async () => {
  const { read, end, loads } = aWorld();
  await read();
  await read();
  expect(loads()).toBe(2);
  await end();
  for (let i = 0; i < 3; i++) await read();
  expect(loads()).toBe(3);
});

test('loads in a quarantine do not read the catalogue again, and the first one behind it does', async () => {
  const { read, end, catalogs } = aWorld();
  for (let i = 0; i < 5; i++) await read();
  expect(catalogs.count).toBe(1);
  await end();
  for (let i = 0; i < 3; i++) await read();
  expect(catalogs.count).toBe(2);
});

test('tables that are defined anew in a quarantine are known behind it', async () => {
  const { cache, query, read, end, catalogs } = aWorld();
  await read();
  // By another process, which has told nobody else yet.
  catalogs.tables = { ...catalogs.tables, views: { columns: { id: 'integer' }, key: ['id'] } };
  await end();
  await read();
  await query('insert into views (id) values (1)');
  expect(await cache.has('orders')).toBe(true);
});

test('while tables are being defined, loads are not stored, and one afterwards is', async () => {
  const { cache, query, read, end } = aWorld();
  await read();
  await end();
  const port = portIn(cache);
  const tag = 'catalog:app';
  await port.fence([tag], 'somebody', 5000);
  const other = () => cache.getOrSet({ key: 'other', load: () => query('select * from orders where id = 1') });
  await other();
  expect(await cache.has('other')).toBe(false);
  await port.acknowledge([tag], undefined, 'somebody');
  await other();
  expect(await cache.has('other')).toBe(true);
});
