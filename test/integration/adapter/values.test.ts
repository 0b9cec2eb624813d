import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Column } from '../../../src/adapter/catalog/types.js';
import { fitOf } from '../../../src/adapter/values.js';
import { tenantTag } from '../../../src/core/table-tags.js';
import type { Dialect } from '../../../src/sql/index.js';
import { aSqliteFile } from '../../services/sqlite.js';

interface Database {
  ask(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  end(): Promise<unknown>;
}

interface Kind {
  readonly dialect: Dialect;
  readonly server: 'postgres' | 'mysql' | 'sqlite';
  /** Types in that database of the columns below. */
  readonly types: Readonly<Record<string, string>>;
  open(url: string): Promise<Database>;
}

const columns: Record<string, Column['type']> = { n: 'integer', d: 'numeric', s: 'text', c: 'text', g: 'uuid' };

async function onMysql(url: string, how: 'query' | 'execute'): Promise<Database> {
  const client = await mysql.createConnection({ uri: url, supportBigNumbers: true });
  await client.query('CREATE DATABASE IF NOT EXISTS adapter_values');
  await client.query('USE adapter_values');
  return {
    ask: async (sql, values = []) => {
      const [rows] = how === 'query' ? await client.query(sql, values) : await client.execute(sql, values as never);
      return rows as never;
    },
    end: () => client.end(),
  };
}

const mysqlTypes = {
  n: 'bigint',
  d: 'decimal(40,20)',
  s: 'varchar(80) collate utf8mb4_general_ci',
  c: 'char(40) collate utf8mb4_bin',
};

const kinds: Record<string, Kind> = {
  PostgreSQL: {
    dialect: { name: 'postgres' },
    server: 'postgres',
    types: { n: 'bigint', d: 'numeric(40,20)', s: 'text', c: 'char(40)', g: 'uuid' },
    async open(url) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return {
        ask: async (sql, values) => {
          let at = 0;
          return (
            await client.query(
              sql.replace(/\?/g, () => `$${++at}`),
              values,
            )
          ).rows;
        },
        end: () => client.end(),
      };
    },
  },
  'MariaDB, values in the text': {
    dialect: { name: 'mysql' },
    server: 'mysql',
    types: mysqlTypes,
    open: (url) => onMysql(url, 'query'),
  },
  'MariaDB, values beside it': {
    dialect: { name: 'mysql' },
    server: 'mysql',
    types: mysqlTypes,
    open: (url) => onMysql(url, 'execute'),
  },
  SQLite: {
    dialect: { name: 'sqlite' },
    server: 'sqlite',
    types: { n: 'integer', s: 'text collate nocase', c: 'varchar(40)' },
    async open() {
      const file = aSqliteFile();
      const client = file.open();
      return {
        ask: async (sql, values = []) => {
          const statement = client.prepare(sql);
          if (statement.reader) return statement.all(...values) as never;
          (statement as never as { run(...params: unknown[]): void }).run(...values);
          return [];
        },
        end: async () => file.remove(),
      };
    },
  },
};

const uuid = '0b6ee6e3-44f2-4d11-8a0e-9a1f9c3b7a10';
/** What looks alike, to somebody. */
const values: unknown[] = [
  ...[0, 1, 7, -7, 7.5, 0.1, 0.1 + 0.2, 1e21, 2 ** 53, 2 ** 53 - 1, 123_456_789_012_345],
  ...[7n, 9007199254740993n, 1234567890123456789n],
  ...['0', '00', '-0', '+7', '7', '07', ' 7', '7 ', '7.0', '7.', '7.50', '7.5', '7e0', '0x7', '7abc', 'abc', '', ' '],
  ...['9007199254740992', '9007199254740993', '123456789012345678', '1234567890123456789', '99999999999999999999'],
  ...['0.1', '0.10', '0.10000000000000000001', '0.3', '0.30000000000000004'],
  ...['a', 'A', 'á', 'a ', ' a', 'ab', 'a-b', 'ss', 'ß', 'a\0', 'a\u00ad', 'Å', 'aa', '\u00a07'],
  ...[uuid, uuid.toUpperCase(), `{${uuid}}`, uuid.replaceAll('-', ''), ` ${uuid}`],
  ...[true, false],
];

describe.each(Object.entries(kinds))('values that %s finds equal', (_, { dialect, server, types, open }) => {
  const service = inject('services')[server];
  if (service === undefined) return it.skip('have one tag');
  let database: Database;
  beforeAll(async () => {
    database = await open('url' in service ? (service.url as string) : '');
    await database.ask('DROP TABLE IF EXISTS probe');
    const list = Object.entries(types).map(([name, type]) => `${name} ${type}`);
    await database.ask(`CREATE TABLE probe (id integer primary key, ${list.join(', ')})`);
  });
  afterAll(() => database.end());

  const fit = (name: string, use: Parameters<typeof fitOf>[2], raw: unknown) => {
    const column: Column = { name, type: columns[name]!, nullable: true, generated: false };
    const text = fitOf(column, dialect, use)(raw, false);
    return text === undefined ? undefined : tenantTag('table:t', text);
  };
  /** What the database cannot take is of no interest. */
  const tried = <T>(asked: Promise<T>) => asked.catch(() => undefined);

  it.each(Object.keys(types))('have one tag in the column %s', async (name) => {
    await database.ask('DELETE FROM probe');
    const stored = new Map<number, string | undefined>();
    for (const [id, raw] of values.entries()) {
      const done = await tried(database.ask(`INSERT INTO probe (id, ${name}) VALUES (?, ?)`, [id, raw]));
      if (done !== undefined) stored.set(id, fit(name, 'stored', raw));
    }
    let compared = 0;
    for (const raw of values) {
      const tag = fit(name, 'compared', raw);
      if (tag === undefined) continue;
      const rows = await tried(database.ask(`SELECT id, ${name} AS it FROM probe WHERE ${name} = ?`, [raw]));
      for (const { id, it: value } of rows ?? []) {
        const context = `${String(raw)} (${typeof raw}) = ${String(value)}, stored as ${String(values[Number(id)])}`;
        const shown = fit(name, 'returned', value);
        // What has no tag raises the star, or is the whole table: that is sound as well.
        if (shown !== undefined) expect(shown, context).toBe(tag);
        const written = stored.get(Number(id));
        if (written !== undefined) expect(written, context).toBe(tag);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(2);
  });
});
