import { describe, expect, test, vi } from 'vitest';
import { cached } from '../../../../src/adapter/cached.js';
import { openClient } from '../../../../src/adapter/client.js';
import type { Per } from '../../../../src/adapter/options.js';
import { aCache, heard } from '../../core/a-cache.js';
import { aClient, type Result } from './a-client.js';

const orders = 'select * from orders where org_id = $1';
const update = 'update orders set state = $1 where id = $2';
const both = 'select * from orders join users on users.id = orders.email';

/** Reads, and counts how often the database was asked. */
function reading(given: Parameters<typeof aClient>[0] = {}) {
  const world = aClient(given);
  const connection = world.connect();
  const ran: string[] = [];
  const read = (sql = orders, params: readonly unknown[] = [1], per?: Per) =>
    world.client.read<Result>({ sql, params, per }, () => {
      ran.push(sql);
      return connection.run(sql, params);
    });
  return { ...world, connection, ran, read };
}

describe('a query that is read through', () => {
  test('is asked for once', async () => {
    const { read, ran } = reading();
    for (let time = 0; time < 3; time++) expect(await read(orders, [1], '1m')).toEqual({ rows: [] });
    expect(ran).toHaveLength(1);
  });

  test('has an answer for each list of values', async () => {
    const { read, ran } = reading();
    for (const params of [[1], ['1'], [new Date(0)], [null], [[1]]]) await read(orders, params, '1m');
    expect(ran).toHaveLength(5);
    await read(orders, ['1'], '1m');
    expect(ran).toHaveLength(5);
  });

  test('is asked for again after a write', async () => {
    const { read, ran, query } = reading({ tenant: 'org_id' });
    await read(orders, [1], '1m');
    await query('insert into orders (id, org_id) values ($1, $2)', [1, 2]);
    await read(orders, [1], '1m');
    expect(ran).toHaveLength(1);
    await query(update, ['a', 7]);
    await read(orders, [1], '1m');
    expect(ran).toHaveLength(2);
  });

  test('gives each reader rows of his own', async () => {
    const { read, connection } = reading();
    connection.answers.set(orders, () => ({ rows: [{ id: 1 }] }));
    const [first, second] = [await read(orders, [1], '1m'), await read(orders, [1], '1m')];
    (first.rows as { id: number }[])[0]!.id = 2;
    expect(second.rows).toEqual([{ id: 1 }]);
    expect((await read(orders, [1], '1m')).rows).toEqual([{ id: 1 }]);
  });

  test('is kept in the form that the adapter gives it', async () => {
    const { client, query } = aClient();
    class Answer {
      constructor(readonly rows: readonly number[]) {}
    }
    const form = {
      pack: ({ rows }: Answer) => rows,
      unpack: (packed: unknown) => new Answer(packed as number[]),
    };
    const run = vi.fn(async () => {
      await query(orders, [1]);
      return new Answer([1]);
    });
    for (let time = 0; time < 2; time++)
      expect(await client.read({ sql: orders, params: [1], per: '1m' }, run, form)).toEqual(new Answer([1]));
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('belongs to the load around it', async () => {
    const { cache, read, query, ran } = reading();
    const load = () => cache.read({ key: 'a', load: () => read(orders, [1], '1h') });
    await load();
    await read(orders, [1], '1h');
    expect(ran).toHaveLength(1);
    expect((await load()).source).toBe('near');
    await query(update, ['a', 7]);
    expect((await load()).source).toBe('load');
  });

  test('is counted under its tables', async () => {
    const { cache, read } = reading();
    await read(both, [], '1m');
    await read(both, [], '1m');
    expect(cache.stats().counts('test:orders,users')).toMatchObject({ hits: 1, misses: 1 });
  });

  test('is asked for when it is to be fresh, and kept', async () => {
    const { read, ran } = reading();
    await read(orders, [1], '1m');
    await read(orders, [1], { fresh: true });
    expect(ran).toHaveLength(2);
    await read(orders, [1], '1m');
    expect(ran).toHaveLength(2);
  });

  test('fails as without a cache', async () => {
    const { read, connection } = reading();
    const error = new Error('syntax');
    connection.answers.set(orders, () => Promise.reject(error));
    await expect(read(orders, [1], '1m')).rejects.toBe(error);
  });

  test('is answered by the database once the cache is closed', async () => {
    const { cache, read, ran } = reading();
    await cache.close();
    await read(orders, [1], '1m');
    expect(ran).toHaveLength(1);
  });
});

describe('how long it is kept', () => {
  const runs = async (given: Parameters<typeof aClient>[0], after: number, sql = orders, per?: Per) => {
    const { cache, clock } = aCache();
    const { read, ran, query } = reading({ ...given, cache });
    await query('select 1');
    await read(sql, [1], per);
    await clock.advance(after);
    await read(sql, [1], per);
    return ran.length;
  };

  test('not at all, if nobody says anything', async () => {
    expect(await runs({}, 0)).toBe(2);
  });

  test('the call says', async () => {
    expect(await runs({ default: '1h' }, 60_001, orders, '1m')).toBe(2);
    expect(await runs({ default: '1h' }, 0, orders, false)).toBe(2);
    expect(await runs({ default: '1h' }, 59_000, orders, { ttl: '1m' })).toBe(1);
    expect(await runs({ tables: { orders: { cache: false } } }, 59_000, orders, '1m')).toBe(1);
  });

  test('the rule of its table says', async () => {
    expect(await runs({ tables: { orders: { ttl: '1m' } } }, 59_000)).toBe(1);
    expect(await runs({ tables: { orders: { ttl: '1m' } } }, 60_001)).toBe(2);
    expect(await runs({ default: '1h', tables: { orders: { ttl: '1m' } } }, 60_001)).toBe(2);
    expect(await runs({ default: '1h', tables: { orders: { cache: false } } }, 0)).toBe(2);
  });

  test('the shortest of all its tables', async () => {
    const rule = { tables: { orders: { ttl: '1h' }, users: { ttl: '1m' } } } as const;
    expect(await runs(rule, 59_000, both)).toBe(1);
    expect(await runs(rule, 60_001, both)).toBe(2);
    expect(await runs({ tables: { orders: { ttl: '1h' } } }, 0, both)).toBe(2);
    expect(await runs({ default: '1m', tables: { orders: { ttl: '1h' } } }, 59_000, both)).toBe(1);
  });

  test('the tables behind a view speak for it, or it for them', async () => {
    const view = 'select * from open_orders';
    expect(await runs({ tables: { orders: { ttl: '1m' } } }, 59_000, view)).toBe(1);
    expect(await runs({ tables: { open_orders: { ttl: '1m' } } }, 59_000, view)).toBe(1);
    expect(await runs({ tables: { open_orders: { ttl: '1m' }, orders: { cache: false } } }, 0, view)).toBe(2);
  });

  test('the default says for whatever reads a table', async () => {
    expect(await runs({ default: '1m' }, 59_000)).toBe(1);
    expect(await runs({ default: '1m' }, 0, 'select 1')).toBe(2);
  });

  test('a wrong duration is told to whoever wrote it', async () => {
    expect(() => aClient({ default: 'soon' as never })).toThrow(TypeError);
    expect(() => aClient({ tables: { orders: { ttl: { ttl: 'soon' as never } } } })).toThrow(TypeError);
    await expect(reading().read(orders, [1], 'soon' as never)).rejects.toThrow(TypeError);
  });
});

describe('a query that cannot be read through', () => {
  test.each([
    ['reads the clock', 'select now(), * from orders'],
    ['locks', 'select * from orders for update'],
    ['writes', 'insert into orders (id) values (1) returning id'],
    ['calls what nobody knows', 'select my_function(id) from orders'],
    ['reads what nobody knows', 'select * from nowhere'],
    ['cannot be read', 'call something()'],
  ])('%s: it runs each time, and whoever counted on it is told', async (_, sql) => {
    const { cache, read, ran, query } = reading();
    const events = heard(cache, 'untracked');
    await query('select * from orders');
    for (let time = 0; time < 2; time++) await read(sql, [], '1m');
    expect(ran).toHaveLength(2);
    expect(events).toHaveLength(2);
    expect(events[0]!.reason).toMatch(/: \w/);
    expect(cache.stats().counts('test:')).toMatchObject({ hits: 0, misses: 0 });
  });

  test('is not told of where nobody counted on it', async () => {
    const { cache, read } = reading({ default: '1m' });
    const events = heard(cache, 'untracked');
    await read('select * from orders for update', []);
    expect(events).toEqual([]);
  });

  test('is none inside of a transaction', async () => {
    const { client, read, ran, connection } = reading();
    await read(orders, [1], '1m');
    await connection.run('BEGIN');
    await client.within(connection.session, () => read(orders, [1], '1m'));
    expect(ran).toHaveLength(2);
  });

  test('has values that are no data', async () => {
    const { read, ran } = reading();
    for (let time = 0; time < 2; time++) await read(orders, [() => {}], '1m');
    expect(ran).toHaveLength(2);
  });
});

describe('cached', () => {
  test('keeps what is read inside', async () => {
    const { read, ran } = reading();
    for (let time = 0; time < 2; time++) await cached('1m', () => read());
    expect(ran).toHaveLength(1);
    await read();
    expect(ran).toHaveLength(2);
  });

  test('starts a builder inside that starts when it is awaited', async () => {
    const { read, ran } = reading();
    class Builder implements PromiseLike<Result> {
      // biome-ignore lint/suspicious/noThenProperty: builders have one
      readonly then = (...args: Parameters<Promise<Result>['then']>) => read().then(...args) as Promise<any>;
    }
    const builder = () => new Builder();
    for (let time = 0; time < 2; time++) await cached('1m', builder);
    expect(ran).toHaveLength(1);
  });

  test('counts less than the query itself, and more than rules', async () => {
    const { read, ran } = reading({ default: '1m' });
    await cached(false, () => read());
    await cached(false, () => read());
    expect(ran).toHaveLength(2);
    await cached('1m', () => read(orders, [1], false));
    expect(ran).toHaveLength(3);
  });

  test('nested, the inner one counts, and afterwards the outer one again', async () => {
    const { read, ran } = reading();
    await cached('1m', async () => {
      await read();
      await cached(false, () => read());
      await read();
    });
    expect(ran).toHaveLength(2);
  });

  test('ends with its function, for code that goes on', async () => {
    const { read, ran } = reading();
    let later: Promise<unknown> | undefined;
    await cached('1m', async () => {
      await read();
      later = new Promise((resolve) => setImmediate(resolve)).then(() => read());
    });
    await later;
    expect(ran).toHaveLength(2);
  });

  test('two at a time do not mix', async () => {
    const { read, ran } = reading();
    await Promise.all([cached('1m', () => read()), cached(false, () => read())]);
    await Promise.all([cached('1m', () => read()), cached(false, () => read())]);
    expect(ran).toHaveLength(3);
  });

  test('hands out what its function gives, and throws what it throws', async () => {
    expect(await cached('1m', () => 7)).toBe(7);
    await expect(cached('1m', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    await expect(cached('soon' as never, () => 1)).rejects.toThrow(TypeError);
    await expect(cached('1m', 1 as never)).rejects.toThrow(TypeError);
  });
});

test('a client needs a cache, and a database', () => {
  const driver = { ask: async () => [], rowsOf: () => undefined };
  const rest = { adapter: 'test', dialect: { name: 'sqlite' }, address: 'here', driver } as const;
  expect(() => openClient({ ...rest, database: 'app', options: { cache: {} as never } })).toThrow(/`cache`/);
  expect(() => openClient({ ...rest, database: '', options: { cache: aCache().cache } })).toThrow(/`database`/);
});
