import assert from 'node:assert/strict';
import { hour } from './primed.js';
import { rejection } from './rejecting.js';
import { name, names, rename } from './shop.js';
import { about, definesInMysql, trap } from './trap.js';
import { sharedStore } from './world.js';

/** How a read is answered, and when it must not be. */
export const reading = about('reading', [
  trap(
    'a hit takes no connection',
    async (w) => {
      await w.prime(name, [1]);
      const acquired = w.reader.acquired?.bind(w.reader) as () => number;
      const before = acquired();
      await w.reader.read(name, [1], hour);
      await w.cacheOfReader.getOrSet({ key: 'x', load: () => w.reader.read(name, [1], hour) });
      assert.equal(acquired(), before);
    },
    { needs: ['acquired'] },
  ),
  trap('a hit beside a transaction waits for nothing', async (w) => {
    const ada = await w.prime(name, [1]);
    await w.writer.transaction(async (tx) => {
      await tx.read(names);
      await w.beside(async () => {
        await w.writer.read(name, [1], hour);
        await ada.kept();
      });
    });
  }),
  trap(
    'look-ups that start together are on their way together',
    async (w) => {
      const store = sharedStore(w);
      for (const id of [1, 2, 3, 4, 5]) await w.reader.read(name, [id], hour);
      const reads = store.hold('read');
      const running = Promise.all([1, 2, 3, 4, 5].map((id) => w.writer.read(name, [id], hour)));
      await Promise.race([
        reads.arrived(5),
        new Promise((_, reject) =>
          setTimeout(
            () => reject(new assert.AssertionError({ message: `${reads.waiting} of 5 look-ups are on their way` })),
            2000,
          ).unref(),
        ),
      ]);
      reads.release();
      assert.equal((await running).length, 5);
      assert.equal(w.writer.sent().filter((sql) => sql.includes('from accounts')).length, 0);
    },
    { shared: true },
  ),
  trap(
    'an audited hit is asked for again, and is what was served',
    async (w) => {
      const { reader, cacheOfReader: cache } = w;
      const ways = [
        () => reader.read(name, [1], hour),
        () => cache.getOrSet({ key: 'ada', ttl: hour, load: () => reader.read(name, [1]) }),
      ];
      const ended = () => Object.values(cache.stats().audits).reduce((sum, count) => sum + count, 0);
      for (const [at, read] of ways.entries()) {
        await read();
        const asked = w.count(name);
        await read();
        for (let i = 0; i < 500 && ended() === at; i++) await new Promise((resolve) => setTimeout(resolve, 5));
        const { audited, skipped, ...other } = cache.stats().audits;
        assert.deepEqual(other, { mismatches: 0, undecided: 0, failed: 0 });
        assert.equal(audited + skipped, at + 1);
        assert.equal(w.count(name) - asked, at === 1 ? 1 : audited);
        // What holds a connection of its own cannot be asked once more; a pool and a load can.
        if (at === 0 && !('acquired' in w.driver.lacks)) assert.equal(audited, 1);
      }
    },
    { audit: true },
  ),
  trap(
    'a client that was wrapped twice tells each thing once',
    async (w) => {
      const ada = await w.prime(name, [1]);
      let raised = 0;
      w.cacheOfWriter.on('invalidate', () => {
        raised += 1;
      });
      await w.writer.write(rename, ['Ida', 1]);
      assert.equal(raised, 1, 'one write, one invalidation');
      await ada.changed();
      await w.writer.transaction((tx) => tx.write(rename, ['Eda', 1]));
      assert.equal(raised, 2, 'one transaction, one invalidation');
      await ada.changed();
    },
    { needs: ['twice'], twice: true },
  ),
  trap(
    'a lock is taken, not remembered',
    async (w) => {
      for (const lock of ['for update', w.dialect === 'postgres' ? 'for share' : 'lock in share mode']) {
        const sql = `select id, name from accounts where id = 1 ${lock}`;
        for (let round = 0; round < 3; round++) await w.reader.read(sql, [], hour);
        assert.equal(w.count(sql), 3);
      }
    },
    { not: { sqlite: 'no row locks' } },
  ),
  trap('a clock and a die are asked each time', async (w) => {
    const functions = {
      postgres: [
        'now()',
        'current_timestamp',
        'random()',
        'clock_timestamp()',
        'gen_random_uuid()',
        `current_setting('search_path')`,
        'pg_backend_pid()',
      ],
      mysql: [
        'now()',
        'current_timestamp',
        'rand()',
        'uuid()',
        'connection_id()',
        '@@version',
        'curdate()',
        'last_insert_id()',
      ],
      sqlite: [`datetime('now')`, 'current_timestamp', 'random()', 'last_insert_rowid()', 'changes()'],
    };
    for (const call of functions[w.dialect]) {
      const sql = `select id, ${call} as v from accounts where id = 1`;
      for (let round = 0; round < 2; round++) await w.reader.read(sql, [], hour);
      assert.equal(w.count(sql), 2, `${call} was not asked again`);
    }
  }),
  trap(
    'an error is the database’s own, and is not remembered',
    async (w) => {
      const sql = 'select id from not_there_yet';
      const error = await rejection(w.reader.read(sql, [], hour));
      const bare = await rejection(w.bare(sql));
      assert.equal((error as { code?: unknown }).code, (bare as { code?: unknown }).code);
      await w.writer.write('create table not_there_yet (id integer primary key)');
      assert.deepEqual(await w.reader.read(sql, [], hour), []);
      await w.writer.write('insert into not_there_yet (id) values (1)');
      assert.deepEqual(await w.reader.read(sql, [], hour), [{ id: 1 }]);
    },
    { refused: definesInMysql },
  ),
  trap('two databases behind one cache are two', async (w) => {
    const database = await w.driver.database();
    try {
      for (const sql of [
        ...w.own,
        'create table pairs (a integer, b integer, value varchar(50), primary key (a, b))',
        `insert into pairs values (1, 1, 'elsewhere')`,
      ])
        await database.bare(sql);
      const other = await database.open({ cache: w.cacheOfReader });
      try {
        await other.read('select 1 as one');
        await w.settle();
        const sql = 'select value from pairs where a = ? and b = ?';
        const here = await w.prime(sql, [1, 1]);
        assert.deepEqual(await other.read(sql, [1, 1], hour), [{ value: 'elsewhere' }]);
        await other.write(`update pairs set value = 'new' where a = 1 and b = 1`);
        assert.deepEqual(await other.read(sql, [1, 1], hour), [{ value: 'new' }]);
        await here.kept();
      } finally {
        await other.close();
      }
    } finally {
      await database.drop();
    }
  }),
]);
