import { expect, test } from 'vitest';
import type { Guard } from '../../../../src/adapter/guard.js';
import { faultyStore, memoryStore } from '../../../../src/testing/index.js';
import { aCache, deferred, turns } from '../../core/a-cache.js';
import { portIn } from '../../core/strict-world.js';
import { of, row } from '../a-plan.js';
import { aClient } from './a-client.js';

/** A strict cache with a client whose database says when nothing is open any more. */
function aWorld() {
  const open = deferred<void>();
  const store = faultyStore(memoryStore());
  const { cache, clock } = aCache({ strict: true, store });
  const guard: Guard = { before: async () => ({}), unguarded() {}, quiet: () => open.promise };
  const { client, connect, query, catalogs, published } = aClient({ cache, guards: [guard], tenant: 'org_id' });
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
  const kit = { client, connect, query, catalogs, published };
  return { cache, clock, store, ...kit, read, end, loads: () => loads };
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

test('the first statement behind a quarantine waits until its rules are agreed on, and goes by them', async () => {
  const { clock, store, query, published, end } = aWorld();
  const update = (id: number) => query(`update orders set state = 'paid' where id = ${id} and org_id = 7`);
  await update(1);
  await end();
  await clock.advance(100);
  const reads = store.hold('read');
  const second = update(2);
  await turns();
  reads.release();
  await second;
  expect(published()[0]).toContain('orders!tenants');
  expect(published().at(-1)).toEqual(['orders', row('orders', 2), of('orders', 7)].sort());
});

test('the first answer behind a quarantine is kept, although its rules are agreed on only now', async () => {
  const { client, clock, connect, end } = aWorld();
  const { run, sent } = connect();
  const sql = 'select * from orders where id = 1';
  const read = () => client.read({ sql, params: [], per: '1m' }, () => run(sql));
  await read();
  await end();
  await clock.advance(100);
  for (let i = 0; i < 3; i++) await read();
  expect(sent.filter((one) => one === sql)).toHaveLength(2);
});

test('and so it is when the quarantine ends within the pause between two questions for them', async () => {
  const { client, clock, store, connect, end } = aWorld();
  const { run, sent } = connect();
  const sql = 'select * from orders where id = 1';
  const read = () => client.read({ sql, params: [], per: '1m' }, () => run(sql));
  await read();
  await end();
  await clock.advance(99);
  const reads = store.hold('read');
  const first = read();
  await turns();
  await clock.advance(2);
  reads.release();
  await first;
  for (let i = 0; i < 3; i++) await read();
  expect(sent.filter((one) => one === sql)).toHaveLength(2);
});
