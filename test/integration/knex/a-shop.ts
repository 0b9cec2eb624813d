import Knex, { type Knex as Instance } from 'knex';
import { inject } from 'vitest';
import { aSqliteFile, sqliteDriver } from '../../services/sqlite.js';

export type Database = 'postgres' | 'mysql' | 'sqlite';

const services = inject('services');
export const databases = (['postgres', 'mysql', 'sqlite'] as const).filter((name) => services[name] !== undefined);

const BetterSqlite3 = Knex({ client: 'better-sqlite3', useNullAsDefault: true }).client.constructor;
/** better-sqlite3 is not where Knex looks for it. */
class Sqlite extends (BetterSqlite3 as typeof Instance.Client) {
  _driver() {
    return sqliteDriver();
  }
}

/** A database of its own with two users and their posts. */
export async function aShop(database: Database): Promise<{ config: Instance.Config; drop(): Promise<void> }> {
  const { config, drop } = await makers[database]();
  const knex = Knex(config);
  await knex.schema.createTable('users', (table) => {
    table.integer('id').primary();
    table.string('email', 100).unique();
    table.string('name', 100);
    table.string('org', 20);
  });
  await knex.schema.createTable('posts', (table) => {
    table.integer('id').primary();
    table.integer('user_id').references('users.id').onDelete('cascade');
    table.string('title', 100);
  });
  await knex('users').insert([
    { id: 1, email: 'ada@x', name: 'Ada', org: 'acme' },
    { id: 2, email: 'bob@x', name: 'Bob', org: 'zeta' },
  ]);
  await knex('posts').insert({ id: 1, user_id: 1, title: 'one' });
  await knex.destroy();
  return { config, drop };
}

let made = 0;
const makers: Record<Database, () => Promise<{ config: Instance.Config; drop(): Promise<void> }>> = {
  postgres: () => onServer('pg', services.postgres?.url as string, ' with (force)'),
  mysql: () => onServer('mysql2', services.mysql?.url as string, ''),
  async sqlite() {
    const { file, remove } = aSqliteFile();
    const pool = { afterCreate: (db: any, done: () => void) => void (db.pragma('foreign_keys = on'), done()) };
    const config = { client: Sqlite, connection: { filename: file }, useNullAsDefault: true, pool };
    return { config, drop: async () => remove() };
  },
};

async function onServer(client: string, url: string, force: string) {
  const name = `knex_${process.pid}_${++made}`;
  const admin = Knex({ client, connection: url, pool: { min: 0, max: 1 } });
  await admin.raw(`create database ${name}`);
  const connection = new URL(url);
  connection.pathname = `/${name}`;
  return {
    config: { client, connection: connection.href, pool: { min: 0, max: 5 } },
    async drop() {
      await admin.raw(`drop database ${name}${force}`);
      await admin.destroy();
    },
  };
}
