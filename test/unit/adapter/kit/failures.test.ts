import { describe, expect, test } from 'vitest';
import { heard } from '../../core/a-cache.js';
import { aCatalog } from '../a-catalog.js';
import { shop } from '../a-plan.js';
import { aClient } from './a-client.js';

// Whatever goes wrong in the kit: the statement runs, nothing that could be wrong is stored, and somebody is told.

const orders = 'select * from orders';
const insert = 'insert into logs (id) values (1)';

describe('a catalogue that throws', () => {
  const broken = () =>
    aClient({
      loadCatalog: async (_, __, dialect) => ({
        ...aCatalog(dialect, shop),
        find() {
          throw new Error('find is broken');
        },
      }),
    });

  test('fails no statement', async () => {
    const { query, errors } = broken();
    expect(await query(orders)).toEqual({ rows: [] });
    expect(await query(insert)).toEqual({ rows: [] });
    expect(errors).toContain('find is broken');
  });

  test('makes a write end everything', async () => {
    const { cache, query } = broken();
    await cache.getOrSet({ key: 'a', tags: [], load: () => 1 });
    await query(insert);
    expect(await cache.has('a')).toBe(false);
  });

  test('makes a transaction end everything', async () => {
    const { cache, connect } = broken();
    const { run } = connect();
    for (const sql of ['BEGIN', insert]) await run(sql);
    await cache.getOrSet({ key: 'a', tags: [], load: () => 1 });
    await run('COMMIT');
    expect(await cache.has('a')).toBe(false);
  });

  test('keeps a load from being stored', async () => {
    const { cache, query } = broken();
    const events = heard(cache, 'untracked');
    await cache.getOrSet({ key: 'a', load: () => query(orders) });
    expect(await cache.has('a')).toBe(false);
    expect(events[0]!.reason).toContain('find is broken');
  });

  test('leaves reads to the database', async () => {
    const { client, query } = broken();
    await query('select 1');
    for (let time = 0; time < 2; time++)
      expect(await client.read({ sql: orders, params: [], per: '1m' }, () => query(orders))).toEqual({ rows: [] });
  });
});

test('rows that cannot be read narrow nothing', async () => {
  const rowsOf = () => {
    throw new Error('no rows');
  };
  const { query, published, errors } = aClient({ tenant: 'org_id', driver: { rowsOf } });
  await query('update orders set state = 1 where id = 7 returning org_id');
  expect(published()[0]).toContain('orders!tenants');
  expect(errors).toContain('no rows');
});

test('values that are none fail no write', async () => {
  const { query, published } = aClient({ tenant: 'org_id' });
  const odd = new Proxy([], {
    get: () => {
      throw new Error('odd');
    },
  });
  await query('update orders set state = $1 where id = $2', odd);
  expect(published()).toHaveLength(1);
});

test('rows that cannot be hidden are shown', async () => {
  const hideRows = () => {
    throw new Error('cannot hide');
  };
  const { query, errors } = aClient({ tenant: 'org_id', driver: { hideRows } });
  expect(await query('update orders set state = $1 where id = $2', ['a', 7])).toEqual({ rows: [] });
  expect(errors).toEqual(['cannot hide']);
});
