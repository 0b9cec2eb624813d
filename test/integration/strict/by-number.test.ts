import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { byNumber } from '../../../src/adapter/fence/by-number.js';
import type { Borrow } from '../../../src/adapter/fence/witness.js';
import { until } from './a-world.js';

const { postgres } = inject('services');

describe.skipIf(!postgres)('what PostgreSQL says of a transaction by its number', () => {
  let writer: pg.Client;
  let other: pg.Client;
  beforeAll(async () => {
    [writer, other] = [new pg.Client(postgres?.url), new pg.Client(postgres?.url)];
    await Promise.all([writer.connect(), other.connect()]);
  });
  afterAll(() => Promise.all([writer?.end(), other?.end()]));
  const borrow: Borrow = (fn) => fn(async (sql) => (await other.query(sql)).rows);
  const isOver = (name: string) => byNumber.isOver(borrow, name);

  test.each(['commit', 'rollback'])('open, and over by its %s', async (end) => {
    await writer.query('begin');
    const name = await byNumber.sign(async (sql) => (await writer.query(sql)).rows);
    expect(await isOver(name)).toBe(false);
    // Others that begin and end later change nothing.
    await other.query('select txid_current()');
    expect(await isOver(name)).toBe(false);
    await writer.query(end);
    expect(await isOver(name)).toBe(true);
  });

  test('not over while its COMMIT is written down, and nobody sees it yet', async ({ skip }) => {
    const [{ rows: commits }, { rows: owners }] = await Promise.all([
      other.query('show synchronous_commit'),
      other.query('select pg_backend_pid() as pid, usesuper from pg_user where usename = current_user'),
    ]);
    // On a server that somebody else runs this would hold up everybody's COMMIT.
    skip(commits[0].synchronous_commit !== 'off' || !owners[0].usesuper, 'it is not a server of our own');
    const { rows } = await writer.query('select pg_backend_pid() as pid');
    const { pid } = rows[0];
    const standbys = async (names: string) => {
      await other.query(`alter system set synchronous_standby_names = '${names}'`);
      await other.query('select pg_reload_conf()');
    };
    // A temporary one writes nothing down.
    await other.query('create table seen_by_number (id integer)');
    // Written down first, then it waits for a standby that never comes, and only then others see it.
    await standbys('nobody');
    await writer.query('set synchronous_commit = on');
    try {
      const name = await until(async () => {
        await writer.query('begin');
        const name = await byNumber.sign(async (sql) => (await writer.query(sql)).rows);
        await writer.query('insert into seen_by_number values (1)');
        let isThrough = false;
        const committing = writer.query('commit').then(() => {
          isThrough = true;
        });
        // Until the server has read its settings again, it waits for nobody.
        await until(async () => {
          if (isThrough) return true;
          const { rows } = await other.query(`select wait_event from pg_stat_activity where pid = ${pid}`);
          return rows[0]?.wait_event === 'SyncRep' || undefined;
        });
        return isThrough ? void (await committing) : name;
      });
      const visible = `select txid_visible_in_snapshot(${name}, txid_current_snapshot()) as yes`;
      expect((await other.query(visible)).rows).toEqual([{ yes: false }]);
      expect(await isOver(name)).toBe(false);
      await other.query(`select pg_cancel_backend(${pid})`);
      await until(async () => (await isOver(name)) || undefined);
      expect((await other.query(visible)).rows).toEqual([{ yes: true }]);
    } finally {
      await standbys('');
      await other.query(`select pg_cancel_backend(${pid})`);
      await other.query('drop table seen_by_number');
    }
  });

  test('over when this server has never given it, as after a backup was restored', async () => {
    const { rows } = await other.query('select (txid_current() + 1000000)::text as name');
    expect(await isOver(rows[0].name)).toBe(true);
  });

  test('over when it is too long ago for anybody to know', async () => {
    expect(await isOver('3')).toBe(true);
  });
});
