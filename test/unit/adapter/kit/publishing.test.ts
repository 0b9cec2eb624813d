import { describe, expect, test } from 'vitest';
import { table } from '../../../../src/index.js';
import { faultyStore, memoryStore } from '../../../../src/testing/index.js';
import { aCache, heard, now, turns } from '../../core/a-cache.js';
import { aClient } from './a-client.js';

const insert = "insert into logs (id, text) values (1, 'a')";
/** Whose it is nobody said. */
const logs = ['logs', 'logs!tenants'];
const update = 'update orders set state = $1 where id = $2';

/** What PostgreSQL says. */
const refusal = (text: string) => Object.assign(new Error(text), { code: '23505', severity: 'ERROR' });

describe('a write outside of a transaction', () => {
  test('is published when it has ended, and before its caller hears of it', async () => {
    const { connect, published } = aClient();
    const connection = connect();
    const answer = connection.hold(insert);
    const writing = connection.run(insert);
    expect(await now(writing)).toBe('waits');
    expect(published()).toEqual([]);
    answer.resolve({ rows: [] });
    let atEnd: string[][] = [];
    await writing.then(() => {
      atEnd = published();
    });
    expect(atEnd).toEqual([logs]);
  });

  test('is published when it has failed, and its error is unchanged', async () => {
    const { connect, published } = aClient();
    const connection = connect();
    const error = refusal('unique');
    connection.answers.set(insert, () => Promise.reject(error));
    await expect(connection.run(insert)).rejects.toBe(error);
    expect(published()).toEqual([logs]);
  });

  test('a driver that throws at once fails its own statement only', async () => {
    const { connect, published } = aClient();
    const { session, run } = connect();
    const thrown = session.run(insert, [], () => {
      throw new Error('at once');
    });
    await expect(thrown).rejects.toThrow('at once');
    await run(insert);
    expect(published()).toEqual([logs, logs]);
  });

  test('that nobody can read ends everything', async () => {
    const { cache, query } = aClient();
    await cache.getOrSet({ key: 'a', tags: [], load: () => 1 });
    await query('call something()');
    expect(await cache.has('a')).toBe(false);
  });

  test('a table that others hang on is published with them', async () => {
    const { query, published } = aClient();
    await query('delete from orders where id = 7');
    expect(published()[0]).toEqual(expect.arrayContaining(['orders', 'lines', 'lines!rows', 'lines!tenants']));
  });

  test('and its transaction are published as all rows of a table when they are many', async () => {
    const { connect, published } = aClient();
    const { run } = connect();
    for (const count of [200, 300]) {
      await run('BEGIN');
      for (let id = 0; id < count; id++) await run(update, ['a', id]);
      await run('COMMIT');
    }
    expect(published()[0]!.filter((tag) => tag.includes('#')).length).toBeGreaterThan(190);
    expect(published()[1]).toEqual(['orders', 'orders!rows', 'orders!tenants']);
  });
});

describe('a transaction', () => {
  test('is published after COMMIT ran, and before its caller hears of it', async () => {
    const { connect, published } = aClient();
    const connection = connect();
    await connection.run('BEGIN');
    await connection.run(insert);
    const answer = connection.hold('COMMIT');
    const committing = connection.run('COMMIT');
    expect(await now(committing)).toBe('waits');
    expect(published()).toEqual([]);
    answer.resolve({});
    let atEnd: string[][] = [];
    await committing.then(() => {
      atEnd = published();
    });
    expect(atEnd).toEqual([logs]);
  });

  test('an outsider who loads the old row before COMMIT loads again after it', async () => {
    const { cache, connect, query } = aClient();
    const sql = 'select * from logs';
    const read = () => cache.read({ key: 'logs', load: () => query(sql) });
    const { run } = connect();
    await run('BEGIN');
    await run(insert);
    await read();
    expect((await read()).source).toBe('near');
    await run('COMMIT');
    expect((await read()).source).toBe('load');
  });

  test('of savepoints: the inner commit publishes nothing, the inner rollback nothing ever', async () => {
    const { connect, published } = aClient();
    const { run } = connect();
    for (const sql of ['BEGIN', insert, 'SAVEPOINT a', update, 'RELEASE a', 'SAVEPOINT b']) await run(sql, ['x', 1]);
    await run("insert into users (id) values ('5f0c6d0e-0000-0000-0000-000000000000')");
    await run('ROLLBACK TO b');
    expect(published()).toEqual([]);
    await run('COMMIT');
    expect(published()[0]).toEqual(expect.arrayContaining(['logs', 'orders']));
    expect(published()[0]).not.toContain('users');
  });

  test('an error that was swallowed does not keep its COMMIT from being published', async () => {
    const { connect, published } = aClient();
    const connection = connect();
    connection.answers.set(update, () => Promise.reject(new Error('unique')));
    await connection.run('BEGIN');
    await connection.run(insert);
    await connection.run(update, ['a', 1]).catch(() => {});
    // PostgreSQL answers ROLLBACK, and nobody looks at that.
    await connection.run('COMMIT');
    expect(published()[0]).toEqual(expect.arrayContaining(['logs', 'orders']));
  });

  test('a COMMIT that failed is published at once, and a little later', async () => {
    const { cache, clock } = aCache();
    const { connect, published } = aClient({ cache });
    const connection = connect();
    connection.answers.set('COMMIT', () => Promise.reject(new Error('the answer was lost')));
    await connection.run('BEGIN');
    await connection.run(insert);
    await expect(connection.run('COMMIT')).rejects.toMatchObject({
      code: 'COMMIT_UNKNOWN',
      tags: expect.arrayContaining(['table:app.logs']),
      cause: new Error('the answer was lost'),
    });
    expect(published()).toEqual([logs]);
    await clock.advance(5000);
    await turns();
    expect(published()).toEqual([logs, logs]);
  });

  test('a write on its own whose answer was lost is published now, and again a little later', async () => {
    const { cache, clock } = aCache();
    const { connect, published } = aClient({ cache });
    const connection = connect();
    connection.answers.set(insert, () => Promise.reject(new Error('the answer was lost')));
    await expect(connection.run(insert)).rejects.toMatchObject({
      code: 'COMMIT_UNKNOWN',
      cause: new Error('the answer was lost'),
    });
    expect(published()).toEqual([logs]);
    await clock.advance(5000);
    await turns();
    expect(published()).toEqual([logs, logs]);
  });

  test('a connection that is lost before COMMIT publishes nothing', async () => {
    const { connect, published } = aClient();
    const connection = connect();
    connection.answers.set('ROLLBACK', () => Promise.reject(new Error('lost')));
    await connection.run('BEGIN');
    await connection.run(insert);
    await expect(connection.run('ROLLBACK')).rejects.toThrow('lost');
    expect(published()).toEqual([]);
  });

  test('what is still under way at COMMIT is published as what it may have changed', async () => {
    const { connect, published } = aClient({ tenant: 'org_id' });
    const connection = connect();
    await connection.run('BEGIN');
    const sql = `${update} returning org_id`;
    const answer = connection.hold(sql);
    const writing = connection.run(sql, ['a', 7]);
    const committing = connection.run('COMMIT');
    answer.resolve({ rows: [{ org_id: 2 }] });
    await Promise.all([writing, committing]);
    expect(published()[0]).toEqual(expect.arrayContaining(['orders']));
  });

  test('two on two connections do not meet', async () => {
    const { connect, published } = aClient();
    const [one, other] = [connect(), connect()];
    await one.run('BEGIN');
    await other.run('BEGIN');
    await one.run(insert);
    await other.run('COMMIT');
    expect(published()).toEqual([]);
    await one.run('COMMIT');
    expect(published()).toEqual([logs]);
  });

  test('of any length needs a bounded memory', async () => {
    const { connect } = aClient();
    const { run, session } = connect();
    await run('BEGIN');
    for (let id = 0; id < 11_000; id++) await session.run(update, ['a', id], async () => ({ rows: [] }));
    expect(session.unit!.tags.size).toBeLessThan(5000);
    expect(session.unit!.tags).toContain('table:app.orders!rows');
    await run('ROLLBACK');
  });

  test('in a text of several statements is published when that has ended', async () => {
    const { connect, published } = aClient();
    const { run } = connect();
    await run(`BEGIN; ${insert}; COMMIT`);
    expect(published()).toEqual([logs]);
    await run(insert);
    expect(published()).toHaveLength(2);
  });
});

describe('rows that a write returns', () => {
  test('tell whose they were', async () => {
    const { connect, published } = aClient({ tenant: 'org_id' });
    const connection = connect();
    const sql = `${update} returning id, org_id`;
    connection.answers.set(sql, () => ({ rows: [{ id: 7, org_id: 2 }] }));
    await connection.run(sql, ['a', 7]);
    expect(published()[0]).not.toContain('orders!tenants');
    expect(published()[0]!.some((tag) => tag.startsWith('orders@'))).toBe(true);
  });

  test('are asked for where the adapter can hide them', async () => {
    const { connect, published } = aClient({ tenant: 'org_id', hidesRows: true });
    const connection = connect();
    const sent = `${update} returning "org_id"`;
    connection.answers.set(sent, () => ({ rows: [{ org_id: 2 }] }));
    expect(await connection.run(update, ['a', 7])).toEqual({ hidden: true });
    expect(connection.sent).toContain(sent);
    expect(published()[0]).not.toContain('orders!tenants');
  });

  test('are not asked for a second time when the database refuses', async () => {
    const { connect, published } = aClient({ tenant: 'org_id', hidesRows: true });
    const connection = connect();
    const refused = Object.assign(new Error('permission denied'), { code: '42501' });
    connection.answers.set(`${update} returning "org_id"`, () => Promise.reject(refused));
    expect(await connection.run(update, ['a', 7])).toEqual({ rows: [] });
    await connection.run(update, ['a', 7]);
    expect(connection.sent.slice(1)).toEqual([`${update} returning "org_id"`, update, update]);
    expect(published().at(-1)).toContain('orders!tenants');
  });

  test('of a write that failed tell nothing', async () => {
    const { connect, published } = aClient({ tenant: 'org_id' });
    const connection = connect();
    const sql = `${update} returning org_id`;
    connection.answers.set(sql, () => Promise.reject(new Error('deadlock')));
    await connection.run(sql, ['a', 7]).catch(() => {});
    expect(published()[0]).toContain('orders!tenants');
  });
});

describe('the callback of a transaction', () => {
  test('reads past the cache, and what it invalidates by hand waits for COMMIT', async () => {
    const { cache, client, connect, published } = aClient();
    const { run, session } = connect();
    await run('BEGIN');
    const receipt = await client.within(session, async () => {
      expect((await cache.read({ key: 'a', load: () => 1 })).source).toBe('database');
      return cache.invalidate('by hand', table('orders', { id: 7 }));
    });
    expect(published()).toEqual([]);
    await run('COMMIT');
    expect(published()[0]).toEqual(expect.arrayContaining(['by hand', 'orders']));
    await receipt.everywhere;
  });

  test('drops what it invalidated by hand with the savepoint around it', async () => {
    const { cache, client, connect, published } = aClient();
    const { run, session } = connect();
    await run('BEGIN');
    await client.within(session, async () => {
      await cache.invalidate('outer');
      await run('SAVEPOINT a');
      await client.within(session, () => cache.invalidate('inner'));
      await run('ROLLBACK TO a');
    });
    await run('COMMIT');
    expect(published()).toEqual([['outer']]);
  });

  test('is found by its handle, as long as it is open', async () => {
    const { cache, client, connect, published } = aClient();
    const { run, session } = connect();
    const handle = {};
    await run('BEGIN');
    client.bind(handle, session);
    await cache.within(handle, () => cache.invalidate('by hand'));
    await run('COMMIT');
    expect(published()).toEqual([['by hand']]);
    await run('BEGIN');
    await expect(cache.within(handle, async () => {})).rejects.toThrow(TypeError);
  });

  test('a session is one for a connection', () => {
    const { client } = aClient();
    const connection = {};
    expect(client.session(connection)).toBe(client.session(connection));
  });
});

describe('a stream', () => {
  test('of rows that are written is published when it has ended', async () => {
    const { connect, published } = aClient();
    const { session } = connect();
    const stream = await session.open(`${insert} returning id`, []);
    expect(published()).toEqual([]);
    await stream.end();
    await stream.end(new Error('closed'));
    expect(published()).toEqual([logs]);
  });

  test('that was given up is published, too; in a transaction with it', async () => {
    const { connect, published } = aClient();
    const { session, run } = connect();
    await run('BEGIN');
    await (await session.open(`${insert} returning id`, [])).end(new Error('closed'));
    expect(published()).toEqual([]);
    await run('COMMIT');
    expect(published()).toEqual([logs]);
  });
});

describe('a store that does not answer', () => {
  test('does not fail the write, and is told of', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const events = heard(cache, 'unacknowledged');
    const { query } = aClient({ cache });
    store.fail('raise');
    await query(insert);
    expect(events).toHaveLength(1);
  });

  test('fails it where the cache was asked to, with what the write has returned', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store, onUnacknowledged: 'throw' });
    const { connect } = aClient({ cache });
    const { run } = connect();
    await run('BEGIN');
    await run(insert);
    store.fail('raise');
    await expect(run('COMMIT')).rejects.toMatchObject({ committed: true, result: { rows: [] } });
  });

  test('does not hide the error of a write that failed', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store, onUnacknowledged: 'throw' });
    const { connect } = aClient({ cache });
    const connection = connect();
    connection.answers.set(insert, () => Promise.reject(refusal('unique')));
    store.fail('raise');
    await expect(connection.run(insert)).rejects.toThrow('unique');
  });
});
