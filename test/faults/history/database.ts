import Knex from 'knex';
import { outboxSql } from '../../../src/index.js';
import { table } from './subjects.js';

export interface OwnDatabase {
  readonly url: URL;
  /** What it has, by row. */
  truth(): Promise<Map<number, number>>;
  drop(): Promise<void>;
}

let made = 0;

/** A database of its own, with its one table. */
export async function createDatabase(url: string, label: string, rows: number, outbox = false): Promise<OwnDatabase> {
  const name = `${label}_${process.pid}_${++made}`;
  const admin = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
  await admin.raw(`drop database if exists ${name} with (force)`);
  await admin.raw(`create database ${name}`);
  const at = new URL(url);
  at.pathname = `/${name}`;
  const own = Knex({ client: 'pg', connection: at.href, pool: { min: 0, max: 1 } });
  await own.raw(`create sequence ${table}_values`);
  await own.raw(`create table ${table} (id int primary key, value bigint not null)`);
  await own.raw(`insert into ${table} select i, nextval('${table}_values') from generate_series(1, ${rows}) i`);
  if (outbox) await own.raw(outboxSql('postgres').up);
  return {
    url: at,
    async truth(): Promise<Map<number, number>> {
      const all = await own(table).select('id', 'value');
      return new Map(all.map(({ id, value }) => [id, Number(value)]));
    },
    async drop(): Promise<void> {
      await own.destroy();
      await admin.raw(`drop database ${name} with (force)`);
      await admin.destroy();
    },
  };
}
