import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { byNumber } from '../../../src/adapter/fence/by-number.js';
import type { Borrow } from '../../../src/adapter/fence/witness.js';

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

  test('over when this server has never given it, as after a backup was restored', async () => {
    const { rows } = await other.query('select (txid_current() + 1000000)::text as name');
    expect(await isOver(rows[0].name)).toBe(true);
  });

  test('over when it is too long ago for anybody to know', async () => {
    expect(await isOver('3')).toBe(true);
  });
});
