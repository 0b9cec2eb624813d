import assert from 'node:assert/strict';
import type { AdapterClient } from './driver.js';
import { hour } from './primed.js';
import { name, names, rename } from './shop.js';
import { about, trap } from './trap.js';

/** A value made of statements, without a tag in sight. */
export const loads = about('loads', [
  trap('one of several statements ends with any of them', async (w) => {
    let count = 0;
    const read = () =>
      w.cacheOfReader.getOrSet({
        key: 'board',
        ttl: hour,
        load: async () => {
          count += 1;
          const [accounts, notes] = await Promise.all([
            w.reader.read('select count(*) as n from accounts'),
            w.reader.read('select count(*) as n from notes'),
          ]);
          const [mark] = await w.reader.read('select label from marks where id = ?', [1]);
          return [Number(accounts[0]?.n), Number(notes[0]?.n), mark?.label];
        },
      });
    assert.deepEqual(await read(), [4, 4, 'red']);
    await w.writer.write(`insert into pairs (a, b, value) values (9, 9, 'x')`);
    await read();
    assert.equal(count, 1);
    await w.writer.write(`delete from notes where id = 4`);
    assert.deepEqual(await read(), [4, 3, 'red']);
    await w.writer.write(`update marks set label = 'green' where id = 2`);
    await read();
    assert.equal(count, 2, 'another mark is no reason to load');
    await w.writer.write(`update marks set label = 'green' where id = 1`);
    assert.deepEqual(await read(), [4, 3, 'green']);
    await w.writer.write(`insert into accounts (id, org, name, email) values (9, 'acme', 'Eve', 'eve@x')`);
    assert.deepEqual(await read(), [5, 3, 'green']);
  }),
  trap('a value inside of a value hands up what it depends on', async (w) => {
    const inner = () => w.cacheOfReader.getOrSet({ key: 'inner', ttl: hour, load: () => w.reader.read(names) });
    const outer = () =>
      w.cacheOfReader.getOrSet({
        key: 'outer',
        ttl: hour,
        load: async () => [(await inner()).length, (await w.reader.read('select id from notes', [], hour)).length],
      });
    assert.deepEqual(await outer(), [4, 4]);
    await w.writer.write(`insert into accounts (id, org, name, email) values (9, 'acme', 'Eve', 'eve@x')`);
    assert.deepEqual(await outer(), [5, 4]);
    await w.writer.write('delete from notes where id = 4');
    assert.deepEqual(await outer(), [5, 3]);
    const before = w.count(names);
    await inner();
    assert.equal(w.count(names), before, 'the inner value depends on accounts alone');
  }),
  trap('a wrapped function inside of a wrapped function does too', async (w) => {
    const cache = w.cacheOfReader;
    const account = cache.withCache(async (id: number) => (await w.reader.read(name, [id]))[0]?.name, {
      name: 'account',
      ttl: hour,
    });
    const pair = cache.withCache(async (a: number, b: number) => [await account(a), await account(b)], {
      name: 'pair',
      ttl: hour,
    });
    assert.deepEqual(await pair(1, 2), ['Ada', 'Bob']);
    assert.deepEqual(await pair(3, 4), ['Cleo', 'Dan']);
    const before = w.count(name);
    await w.writer.write(rename, ['Bo', 2]);
    assert.deepEqual(await pair(1, 2), ['Ada', 'Bo']);
    assert.deepEqual(await pair(3, 4), ['Cleo', 'Dan']);
    assert.equal(w.count(name) - before, 1, 'only the row that changed is read again');
  }),
  trap('of many values loaded at once each is right', async (w) => {
    const read = (...ids: number[]) =>
      w.cacheOfReader.getOrSetMany({
        inputs: ids,
        key: (id) => ['many', id],
        ttl: hour,
        load: async (missing) => {
          const rows = await w.reader.read(
            `select id, name from accounts where id in (${missing.map(() => '?').join(', ')})`,
            missing,
          );
          return new Map(missing.map((id) => [id, rows.find((row) => row.id === id)?.name ?? null]));
        },
      });
    assert.deepEqual(await read(1, 2, 9), ['Ada', 'Bob', null]);
    assert.deepEqual(await read(2, 3), ['Bob', 'Cleo']);
    await w.writer.write(rename, ['Bo', 2]);
    assert.deepEqual(await read(1, 2, 3), ['Ada', 'Bo', 'Cleo']);
    await w.writer.write(`insert into accounts (id, org, name, email) values (9, 'acme', 'Eve', 'eve@x')`);
    assert.deepEqual(await read(1, 2, 3, 9), ['Ada', 'Bo', 'Cleo', 'Eve']);
  }),
  trap(
    'one that streams its rows depends on them',
    async (w) => {
      const stream = w.reader.stream?.bind(w.reader) as NonNullable<AdapterClient['stream']>;
      const read = () =>
        w.cacheOfReader.getOrSet({
          key: 'streamed',
          ttl: hour,
          load: async () => {
            const found: unknown[] = [];
            for await (const row of stream('select name from accounts order by id')) found.push(row.name);
            return found;
          },
        });
      assert.deepEqual(await read(), ['Ada', 'Bob', 'Cleo', 'Dan']);
      await w.writer.write(rename, ['Ida', 1]);
      assert.deepEqual(await read(), ['Ida', 'Bob', 'Cleo', 'Dan']);
    },
    { needs: ['stream'] },
  ),
  trap(
    'one that reads over a connection of its own depends on what it read',
    async (w) => {
      const connection = w.reader.connection?.bind(w.reader) as NonNullable<AdapterClient['connection']>;
      const read = () =>
        w.cacheOfReader.getOrSet({
          key: 'pinned',
          ttl: hour,
          load: () => connection((run) => run('select id, name from accounts where id = 1')),
        });
      assert.deepEqual(await read(), [{ id: 1, name: 'Ada' }]);
      await w.writer.write(rename, ['Ida', 1]);
      assert.deepEqual(await read(), [{ id: 1, name: 'Ida' }]);
    },
    { needs: ['connection'] },
  ),
  trap('one that writes leaves nothing behind that is older than its write', async (w) => {
    const read = () =>
      w.cacheOfReader.getOrSet({
        key: 'first of all',
        ttl: hour,
        load: async () => {
          const found = await w.reader.read('select id from accounts where email = ?', ['eve@x']);
          if (found.length === 0)
            await w.reader.write(`insert into accounts (id, org, name, email) values (9, 'acme', 'Eve', 'eve@x')`);
          return (await w.reader.read('select id from accounts where email = ?', ['eve@x'])).length;
        },
      });
    const list = await w.prime(names);
    assert.equal(await read(), 1);
    await list.changed();
    await w.writer.write('delete from accounts where id = 9');
    assert.equal(await read(), 1);
  }),
  trap('one that failed leaves nothing behind', async (w) => {
    let fails = true;
    const read = () =>
      w.cacheOfReader.getOrSet({
        key: 'fails',
        ttl: hour,
        load: async () => {
          const rows = await w.reader.read(name, [1]);
          if (fails) await w.reader.read('select id from nowhere');
          return rows;
        },
      });
    await assert.rejects(read());
    await w.writer.write(rename, ['Ida', 1]);
    fails = false;
    assert.deepEqual(await read(), [{ id: 1, name: 'Ida' }]);
  }),
  trap(
    'one that asks what nobody can know is not stored, and explains why',
    async (w) => {
      const sql = {
        postgres: 'select my_secret() as x',
        mysql: 'select my_secret() as x',
        sqlite: 'select name from pragma_function_list limit 1',
      };
      const reasons: string[] = [];
      w.cacheOfReader.on('untracked', ({ reason }) => reasons.push(reason));
      const read = () => w.cacheOfReader.read({ key: 'secret', ttl: hour, load: () => w.reader.read(sql[w.dialect]) });
      const first = await read();
      const second = await read();
      assert.equal(second.source, 'load', 'it must be loaded again');
      assert.equal(first.stored, false);
      const said = [first.reason, ...reasons].join('\n');
      assert.match(said, w.dialect === 'sqlite' ? /pragma_function_list/ : /my_secret/, 'the statement is named');
      assert.equal(w.count(sql[w.dialect]), 2);
    },
    {
      given: {
        postgres: [`create function my_secret() returns bigint language sql as 'select count(*) from accounts'`],
        mysql: ['create function my_secret() returns integer reads sql data return (select count(*) from accounts)'],
      },
    },
  ),
]);
