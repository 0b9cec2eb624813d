import Knex, { type Knex as Instance } from 'knex';
import { aSqliteFile, sqliteDriver } from '../services/sqlite.js';

export type Database = 'postgres' | 'mysql' | 'sqlite';

const BetterSqlite3 = Knex({ client: 'better-sqlite3', useNullAsDefault: true }).client.constructor;
/** better-sqlite3 is not where Knex looks for it. */
class Sqlite extends (BetterSqlite3 as typeof Instance.Client) {
  _driver() {
    return sqliteDriver();
  }
}

let made = 0;

/** An empty database of its own. */
export async function aDatabase(
  database: Database,
  url = '',
): Promise<{ config: Instance.Config; drop(): Promise<void> }> {
  if (database === 'sqlite') {
    const { file, remove } = aSqliteFile();
    return {
      config: { client: Sqlite, connection: { filename: file }, useNullAsDefault: true },
      drop: async () => remove(),
    };
  }
  const client = database === 'postgres' ? 'pg' : 'mysql2';
  const name = `precision_${process.pid}_${++made}`;
  const admin = Knex({ client, connection: url, pool: { min: 0, max: 1 } });
  await admin.raw(`create database ${name}`);
  const at = new URL(url);
  at.pathname = `/${name}`;
  return {
    config: { client, connection: at.href, pool: { min: 0, max: 4 } },
    async drop() {
      await admin.raw(`drop database ${name}${database === 'postgres' ? ' with (force)' : ''}`);
      await admin.destroy();
    },
  };
}

/** How many there are of each; all but the tenants belong to one of them, in turn. */
export interface Size {
  readonly tenants: number;
  readonly journeys: number;
  readonly nodes: number;
  readonly contacts: number;
  readonly posts: number;
  readonly responses: number;
}

export const usual: Size = { tenants: 20, journeys: 200, nodes: 1000, contacts: 1000, posts: 200, responses: 600 };

export const tenantOf = (size: Size, id: number) => 1 + ((id - 1) % size.tenants);
/** What belongs to a journey or a post belongs to its tenant. */
export const journeyOf = (size: Size, node: number) => 1 + ((node - 1) % size.journeys);
export const postOf = (size: Size, response: number) => 1 + ((response - 1) % size.posts);

/** A team's tables as they often are: every row names its tenant, whatever else it refers to. */
export async function fill(knex: Instance, size: Size): Promise<void> {
  const make = (name: string, columns: (table: Instance.CreateTableBuilder) => void) =>
    knex.schema.createTable(name, (table) => {
      table.integer('id').primary();
      if (name !== 'tenants') table.integer('tenant_id').notNullable().index();
      columns(table);
    });
  await make('tenants', (table) => table.string('name', 50));
  await make('journeys', (table) => [table.string('name', 50), table.string('status', 10)]);
  await make('journey_nodes', (table) => [table.integer('journey_id').index(), table.string('type', 10)]);
  await make('contacts', (table) => [
    table.string('name', 50),
    table.string('phone', 20).index(),
    table.integer('seen').defaultTo(0),
  ]);
  await make('posts', (table) => [table.string('title', 50), table.integer('reviewed')]);
  await make('responses', (table) => [table.integer('post_id').index(), table.integer('score')]);

  const rows = (count: number, row: (id: number) => object) =>
    Array.from({ length: count }, (_, at) => ({ id: at + 1, ...row(at + 1) }));
  const tenant = (id: number) => ({ tenant_id: tenantOf(size, id) });
  const put = (table: string, all: readonly object[]) => knex.batchInsert(table, [...all], 100);
  await put(
    'tenants',
    rows(size.tenants, (id) => ({ name: `tenant ${id}` })),
  );
  await put(
    'journeys',
    rows(size.journeys, (id) => ({ ...tenant(id), name: `j${id}`, status: id % 3 ? 'on' : 'off' })),
  );
  await put(
    'journey_nodes',
    rows(size.nodes, (id) => ({ ...tenant(journeyOf(size, id)), journey_id: journeyOf(size, id), type: 'sms' })),
  );
  await put(
    'contacts',
    rows(size.contacts, (id) => ({ ...tenant(id), name: `c${id}`, phone: `+1${id}` })),
  );
  await put(
    'posts',
    rows(size.posts, (id) => ({ ...tenant(id), title: `p${id}`, reviewed: id % 2 })),
  );
  await put(
    'responses',
    rows(size.responses, (id) => ({ ...tenant(postOf(size, id)), post_id: postOf(size, id), score: id % 100 })),
  );
}
