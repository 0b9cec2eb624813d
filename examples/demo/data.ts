import type { Knex } from 'knex';

/** A table of the demo: its columns, and a select that makes row number `n`. */
interface Table {
  readonly name: string;
  readonly rows: number;
  readonly columns: string;
  readonly row: string;
  readonly indexes: readonly string[];
}

// Five services in small: permissions and sites of a facility system, a reply assistant's inbox, a well-being dashboard,
// and the journeys of a messaging product. Every foreign key has its index, so that no cache shines by a missing one.
const tables: readonly Table[] = [
  {
    name: 'capability',
    rows: 6000,
    columns: 'id int primary key, parent_id int, code text, title text',
    row: `n, case when n >= 4 then n / 4 end, 'CAP' || n, 'Capability ' || n`,
    indexes: ['parent_id'],
  },
  {
    name: 'business_unit',
    rows: 60_000,
    columns: 'id int primary key, parent_id int, code text, title text',
    row: `n, case when n > 1 then n / 6 end, 'BU' || n, 'Site ' || n`,
    indexes: ['parent_id'],
  },
  {
    name: 'post',
    rows: 20_000,
    columns: 'id int primary key, client_id int, title text, body text, created_at timestamptz',
    row: `n, 1 + n % 50, 'Post ' || n, repeat('text ', 40), timestamptz '2025-01-01' + n * interval '100 s'`,
    indexes: ['client_id, created_at'],
  },
  {
    name: 'response',
    rows: 60_000,
    columns: 'id int primary key, post_id int, score int, content text',
    row: `n, 1 + (n - 1) / 3, n * 37 % 101, repeat('answer ', 30)`,
    indexes: ['post_id'],
  },
  {
    name: 'message',
    rows: 240_000,
    columns: 'id int primary key, team_id int, member_id int, channel text, mood real, created_at timestamptz',
    row: `n, 1 + n % 10, 1 + n * 7 % 900, 'channel ' || n * 11 % 12, n * 13 % 101, timestamptz '2025-01-01' + n * interval '20 s'`,
    indexes: ['team_id, created_at'],
  },
  {
    name: 'journey_node',
    rows: 20_000,
    columns: 'id int primary key, journey_id int, tenant_id int, type text, settings jsonb',
    row: `n, 1 + (n - 1) / 20, 1 + (n - 1) / 20 % 100, (array['sms', 'wait', 'branch'])[1 + n % 3], jsonb_build_object('text', repeat('hello ', 40))`,
    indexes: ['journey_id'],
  },
  { name: 'contested', rows: 24, columns: 'id int primary key, value int', row: 'n, 0', indexes: [] },
];

const all = tables.reduce((sum, table) => sum + table.rows, 0);
const portion = 20_000;

/** Makes the tables, telling the share that is done; answers with the number of rows. */
export async function loadData(knex: Knex, tell: (share: number) => void): Promise<number> {
  let done = 0;
  for (const { name, rows, columns, row, indexes } of tables) {
    await knex.raw(`create table ${name} (${columns})`);
    for (let from = 1; from <= rows; from += portion) {
      const to = Math.min(rows, from + portion - 1);
      await knex.raw(`insert into ${name} select ${row} from generate_series(?::int, ?::int) n`, [from, to]);
      done += to - from + 1;
      tell(done / all);
    }
    for (const index of indexes) await knex.raw(`create index on ${name} (${index})`);
    await knex.raw(`analyze ${name}`);
  }
  return all;
}
