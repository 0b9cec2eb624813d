import { describe, expect, test } from 'vitest';
import { faultyStore, memoryStore } from '../../../../src/testing/index.js';
import { aCache, heard, now, turns } from '../../core/a-cache.js';
import { aClient } from './a-client.js';

const orders = 'select * from orders';
const order = 'select * from orders where id = $1';
const insert = 'insert into orders (id) values (1)';

describe('a load that runs queries', () => {
  test('depends on what they read', async () => {
    const { cache, query } = aClient();
    const read = () => cache.read({ key: 'a', load: () => query(orders) });
    await read();
    expect((await read()).source).toBe('near');
    await query('update users set name = $1', ['b']);
    expect((await read()).source).toBe('near');
    await query(insert);
    expect((await read()).source).toBe('load');
  });

  test('depends on the row alone, once it was seen', async () => {
    const { cache, connect } = aClient();
    const connection = connect();
    connection.answers.set(order, () => ({ rows: [{ id: 7 }] }));
    const read = () => cache.read({ key: 'a', load: () => connection.run(order, [7]) });
    await read();
    await connection.run(insert);
    expect((await read()).source).toBe('near');
    await connection.run('update orders set state = $1 where id = $2', ['b', 7]);
    expect((await read()).source).toBe('load');
  });

  test('depends on the table, when the row is not there yet', async () => {
    const { cache, connect } = aClient();
    const connection = connect();
    const read = () => cache.read({ key: 'a', load: () => connection.run(order, [7]) });
    await read();
    await connection.run(insert);
    expect((await read()).source).toBe('load');
  });

  test('is over before it is stored when a write comes between', async () => {
    const { cache, connect, query } = aClient();
    const connection = connect();
    await connection.run(orders);
    const answer = connection.hold(orders);
    const loading = cache.getOrSet({ key: 'a', load: () => connection.run(orders) });
    await turns();
    await query(insert);
    answer.resolve({ rows: [] });
    await loading;
    expect(await cache.has('a')).toBe(false);
  });

  test('takes the versions before its query is sent', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { connect } = aClient({ cache });
    const connection = connect();
    await connection.run(orders);
    const loading = cache.getOrSet({
      key: 'a',
      load: async () => {
        const held = store.hold('read');
        const rows = connection.run(order, [7]);
        expect(await now(rows)).toBe('waits');
        expect(connection.sent).not.toContain(order);
        await held.release();
        return rows;
      },
    });
    await loading;
    expect(connection.sent).toContain(order);
  });

  test('asks the store for all queries of a tick together, and sends them in their order', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { connect } = aClient({ cache });
    const connection = connect();
    await connection.run(orders);
    await cache.getOrSet({
      key: 'a',
      load: async () => {
        store.forget();
        connection.sent.length = 0;
        const held = store.hold('read');
        const queries = ['orders', 'users', 'logs'].map((name) => `select * from ${name}`);
        const all = Promise.all(queries.map((sql) => connection.run(sql)));
        await turns();
        expect([store.counts.read, connection.sent]).toEqual([3, []]);
        await held.release();
        await all;
        expect(connection.sent).toEqual(queries);
      },
    });
  });

  test('of which one fails still depends on it', async () => {
    const { cache, connect, query } = aClient();
    const connection = connect();
    connection.answers.set(orders, () => Promise.reject(new Error('down')));
    const read = () => cache.read({ key: 'a', load: () => connection.run(orders).catch(() => 'none') });
    await read();
    expect((await read()).source).toBe('near');
    await query(insert);
    expect((await read()).source).toBe('load');
  });

  test('of which the query by its key fails depends on the table, too', async () => {
    const { cache, connect, query } = aClient();
    const connection = connect();
    connection.answers.set(order, () => Promise.reject(new Error('down')));
    const read = () => cache.read({ key: 'a', load: () => connection.run(order, [7]).catch(() => 'none') });
    await read();
    await query(insert);
    expect((await read()).source).toBe('load');
  });

  test('and another one on the same connection do not get in the way of each other', async () => {
    const { cache, connect, query } = aClient();
    const connection = connect();
    const a = () => cache.read({ key: 'a', load: () => connection.run(orders) });
    const b = () => cache.read({ key: 'b', load: () => connection.run('select * from users') });
    await Promise.all([a(), b()]);
    expect([(await a()).source, (await b()).source]).toEqual(['near', 'near']);
    await query(insert);
    expect([(await a()).source, (await b()).source]).toEqual(['load', 'near']);
  });

  test('streams rows like any others', async () => {
    const { cache, connect, query } = aClient();
    const { session } = connect();
    const read = () =>
      cache.read({
        key: 'a',
        load: async () => {
          const stream = await session.open(order, [7]);
          await stream.end();
          return 1;
        },
      });
    await read();
    expect((await read()).source).toBe('near');
    await query(insert);
    expect((await read()).source).toBe('load');
  });
});

describe('a load is not stored', () => {
  const refused = async (run: (world: ReturnType<typeof aClient>) => Promise<unknown>, given = {}) => {
    const world = aClient(given);
    const events = heard(world.cache, 'untracked');
    await world.cache.getOrSet({ key: 'a', load: async () => void (await run(world)) });
    expect(await world.cache.has('a')).toBe(false);
    expect(events).toHaveLength(1);
    return events[0]!.reason;
  };

  test('when it reads inside a transaction', async () => {
    const reason = await refused(async ({ connect }) => {
      const { run } = connect();
      await run('BEGIN');
      await run(orders);
      await run('COMMIT');
    });
    expect(reason).toContain('transaction');
    expect(reason).toContain(orders);
  });

  test('when nobody can read a statement, which is named without its values', async () => {
    const reason = await refused(({ query }) => query("call something('secret')"));
    expect(reason).toContain('call something');
    expect(reason).not.toContain('secret');
  });

  test('when a function may do anything', async () => {
    expect(await refused(({ query }) => query('select my_function(1)'))).toContain('my_function');
  });

  test('when the catalogue cannot be read', async () => {
    const reason = await refused(async ({ catalogs, query }) => {
      catalogs.fail = new Error('permission denied');
      await query(orders);
    });
    expect(reason).toContain('permission denied');
  });

  test('when its table is not in the catalogue', async () => {
    expect(await refused(({ query }) => query('select * from nowhere'))).toContain('nowhere');
  });

  test('when it waited for a begin that was sent before', async () => {
    const reason = await refused(async ({ connect }) => {
      const connection = connect();
      await Promise.all([connection.run('BEGIN'), connection.run(orders)]);
    });
    expect(reason).toContain('transaction');
  });
});

describe('statements of one connection', () => {
  test('are sent in the order in which they came, also when the first one waits', async () => {
    const { connect } = aClient();
    const connection = connect();
    await Promise.all([connection.run(insert), connection.run('select 1'), connection.run('COMMIT')]);
    expect(connection.sent).toEqual(['the catalogue', insert, 'select 1', 'COMMIT']);
  });

  test('wait for the versions of those before them', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { connect } = aClient({ cache });
    const connection = connect();
    await connection.run(orders);
    connection.sent.length = 0;
    await cache.getOrSet({ key: 'a', load: () => Promise.all([connection.run(orders), connection.run('select 1')]) });
    expect(connection.sent).toEqual([orders, 'select 1']);
  });

  test('one that throws does not hold up the others', async () => {
    const { connect } = aClient();
    const { session, run } = connect();
    const thrown = session.run(insert, [], () => {
      throw new Error('at once');
    });
    const next = run('select 1');
    await expect(thrown).rejects.toThrow('at once');
    await next;
  });
});
