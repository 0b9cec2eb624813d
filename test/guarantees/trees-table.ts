import Knex, { type Knex as Instance } from 'knex';

/** The table of all tests about trees, and the database that it stands in where several processes use it. */
export interface Row {
  readonly id: number;
  readonly parent_id: number | null;
  readonly name: string;
}

export async function createNodes(knex: Instance): Promise<void> {
  await knex.schema.createTable('nodes', (table) => {
    table.integer('id').primary();
    table.integer('parent_id').index();
    table.string('name', 20);
  });
}

/** The rows below these parents; null: those that have none. */
export function rowsBelow(knex: Instance, parents: readonly (number | null)[]): Instance.QueryBuilder<Row, Row[]> {
  return knex<Row>('nodes').where((or) => {
    void or.whereIn('parent_id', parents.filter((id) => id !== null) as number[]);
    if (parents.includes(null)) void or.orWhereNull('parent_id');
  }) as Instance.QueryBuilder<Row, Row[]>;
}

/** A database with the table, empty. */
export async function aTreeDatabase(server: string, name: string) {
  const at = new URL(server);
  const admin = Knex({ client: 'pg', connection: at.href, pool: { min: 0, max: 1 } });
  await admin.raw(`drop database if exists ${name}`);
  await admin.raw(`create database ${name}`);
  at.pathname = `/${name}`;
  const url = at.href;
  const knex = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } });
  await createNodes(knex);
  return {
    url,
    knex,
    async drop() {
      await knex.destroy();
      await admin.raw(`drop database ${name} with (force)`);
      await admin.destroy();
    },
  };
}
