import assert from 'node:assert/strict';
import type { AdapterClient } from './driver.js';
import { hour } from './primed.js';
import { about, trap } from './trap.js';
import type { World } from './world.js';

const onlyPostgres = (why: string) => ({ mysql: why, sqlite: why });

/** What decides which table a name means: its schema, the search path, the database in use, temporary tables. */
export const names = about('schemas', [
  trap(
    'a table of another schema is another one',
    async (w) => {
      const [here, there] = [await w.prime('select value from pairs'), await w.prime('select value from other.pairs')];
      await w.writer.write(`update other.pairs set value = 'new'`);
      await there.changed();
      await here.kept();
    },
    { given: { postgres: elsewhere('other') }, not: onlyPostgres('no schemas in a database') },
  ),
  trap(
    'a table of another database of the server is another one',
    async (w) => {
      const other = `other_${Math.random().toString(36).slice(2)}`;
      await w.bare(`create database ${other}`);
      try {
        await w.bare(`create table ${other}.pairs (a integer primary key, value varchar(50))`);
        await w.bare(`insert into ${other}.pairs values (1, 'there')`);
        const [here, there] = [
          await w.prime('select value from pairs'),
          await w.prime(`select value from ${other}.pairs`),
        ];
        await w.writer.write(`update ${other}.pairs set value = 'new'`);
        await there.changed();
        await here.kept();
      } finally {
        await w.bare(`drop database ${other}`);
      }
    },
    { not: { postgres: 'statements stay in their database', sqlite: 'one file' } },
  ),
  trap(
    'a search path that was changed makes names mean other tables',
    pinned(async (w, run) => {
      const there = await w.prime('select value from other.pairs');
      await run('set search_path = other, public');
      await run(`update pairs set value = 'new'`);
      await w.beside(() => there.changed());
      const read = () =>
        w.beside(() =>
          w.cacheOfWriter.getOrSet({ key: 'path', ttl: hour, load: () => run('select value from pairs') }),
        );
      assert.deepEqual(await read(), [{ value: 'new' }]);
      await run(`update other.pairs set value = 'newer'`);
      assert.deepEqual(await read(), [{ value: 'newer' }]);
      await run('reset search_path');
    }),
    { given: { postgres: elsewhere('other') }, needs: ['connection'], not: onlyPostgres('no search path') },
  ),
  trap(
    'a search path that was changed for a transaction does too',
    async (w) => {
      const there = await w.prime('select value from other.pairs where a = ?', [1]);
      await w.writer.transaction(async (tx) => {
        await tx.write('set local search_path = other');
        await tx.write(`update pairs set value = 'new' where a = 1`);
      });
      await there.changed();
    },
    { given: { postgres: elsewhere('other') }, not: onlyPostgres('no search path') },
  ),
  trap(
    'what the search path of one transaction made of names is over with it',
    async (w) => {
      const here = await w.prime('select value from pairs where a = 1 and b = 1');
      // Nobody has heard of it, so that the catalogue is read again in the middle of the transaction.
      await w.bare('create table other.later (id integer primary key)');
      await w.writer.transaction(async (tx) => {
        await tx.write('set local search_path = other');
        await tx.write('insert into later (id) values (1)');
      });
      await w.writer.write(`update pairs set value = 'new' where a = 1 and b = 1`);
      await here.changed();
    },
    { given: { postgres: elsewhere('other') }, not: onlyPostgres('no search path') },
  ),
  trap(
    'a database that is used from now on is where names mean tables',
    pinned(async (w, run) => {
      const other = `other_${Math.random().toString(36).slice(2)}`;
      await w.bare(`create database ${other}`);
      const [{ home }] = (await w.bare('select database() as home')) as [{ home: string }];
      try {
        await w.bare(`create table ${other}.pairs (a integer primary key, value varchar(50))`);
        await w.bare(`insert into ${other}.pairs values (1, 'there')`);
        // Whoever has read the catalogue already hears of the table by a first statement.
        for (const client of [w.reader, w.writer])
          await w.beside(() => client.read(`select value from ${other}.pairs`, [], false));
        const there = await w.prime(`select value from ${other}.pairs`);
        await run(`use ${other}`);
        await run(`update pairs set value = 'new'`);
        await w.beside(() => there.changed());
        // The catalogue is read again where another database is the usual one.
        const again = await w.beside(() => w.reader.read(`select value from ${other}.pairs`, [], hour));
        assert.deepEqual(again, [{ value: 'new' }]);
        await w.bare(`create table ${other}.more (id integer primary key)`);
        await run('select id from more');
        await run(`update pairs set value = 'newer'`);
        const now = await w.beside(() => w.reader.read(`select value from ${other}.pairs`, [], hour));
        assert.deepEqual(now, [{ value: 'newer' }]);
        await run(`use ${home}`);
      } finally {
        await w.bare(`drop database ${other}`);
      }
    }),
    { needs: ['connection'], not: { postgres: 'no USE', sqlite: 'no USE' } },
  ),
  trap(
    'a temporary table hides the real one from its connection, and from nobody else',
    async (w) => {
      const all = await w.prime('select value from pairs');
      const connection = w.writer.connection?.bind(w.writer) as NonNullable<AdapterClient['connection']>;
      await connection(async (run) => {
        await run('create temporary table pairs (a integer, b integer, value varchar(50))');
        await run(`insert into pairs values (1, 1, 'mine')`);
        const load = () => run('select value from pairs');
        const read = () => w.beside(() => w.cacheOfWriter.getOrSet({ key: 'hidden', ttl: hour, load }));
        assert.deepEqual(await read(), [{ value: 'mine' }]);
        await run(`update pairs set value = 'changed'`);
        assert.deepEqual(await read(), [{ value: 'changed' }]);
        const drop = {
          postgres: 'drop table pairs',
          mysql: 'drop temporary table pairs',
          sqlite: 'drop table temp.pairs',
        };
        await run(drop[w.dialect]);
      });
      await all.right();
    },
    { needs: ['connection'] },
  ),
]);
/** Tables of the same name in another schema. */
function elsewhere(schema: string): string[] {
  return [
    `create schema ${schema}`,
    `create table ${schema}.pairs (a integer, b integer, value varchar(50), primary key (a, b))`,
    `insert into ${schema}.pairs values (1, 1, 'there')`,
  ];
}

function pinned(
  body: (w: World, run: Parameters<Parameters<NonNullable<AdapterClient['connection']>>[0]>[0]) => Promise<void>,
): (w: World) => Promise<void> {
  return (w) => (w.writer.connection as NonNullable<AdapterClient['connection']>)((run) => body(w, run));
}
