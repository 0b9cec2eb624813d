import type { Dialect, Driver as KitDriver, Row } from '../../src/adapter/index.js';
import type { Driver, Result } from './internals.js';

/** What query runners answer: where the rows are, and how those of a query are kept in the cache, as plain data. */
export interface Results extends KitDriver<Result> {
  pack(result: Result): unknown;
  unpack(packed: unknown): Result;
}

export function resultsOf(dialect: Dialect['name'], driver: Driver): Results {
  return dialect === 'postgres' ? postgres(driver) : dialect === 'mysql' ? mysql : sqlite;
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
const asRows = (rows: unknown) => (Array.isArray(rows) && rows.every(isObject) ? (rows as Row[]) : undefined);

const sqlite: Results = {
  ask: async (connection: any, sql) => connection.prepare(sql).all(),
  rowsOf: ({ records }) => asRows(records),
  pack: ({ records }) => records,
  unpack: (rows: any) => ({ raw: rows, records: rows }),
};

/** Rows are of a class that has nothing but a name. */
const mysql: Results = {
  ask: (connection: any, sql) =>
    new Promise((done, failed) => {
      const query = { sql, rowsAsArray: false, nestTables: false, typeCast: true };
      connection.query(query, (error: unknown, rows: Row[]) => (error ? failed(error) : done(rows)));
    }),
  rowsOf: ({ raw }) => asRows(raw),
  pack: ({ raw }) => asRows(raw)?.map((row) => ({ ...row })),
  unpack: (rows: any) => ({ raw: rows, records: [...rows] }),
};

/** Of all values that `pg` makes by itself, intervals alone are of a class of their own. */
function postgres(driver: Driver): Results {
  return {
    ask: async (connection: any, sql) => (await connection.query(sql)).rows,
    rowsOf: ({ records }) => asRows(records),
    hideRows(result) {
      // Of an UPDATE or a DELETE.
      const [, affected] = result.raw;
      return Object.assign(result, { records: [], raw: [[], affected] });
    },
    pack({ records: rows = [] }) {
      const columns = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => hasInterval(row[name])));
      return [change(rows, columns, (interval) => ({ ...interval })), columns];
    },
    unpack(packed) {
      const [plain, columns] = packed as [Row[], string[]];
      // The driver's own parser knows the class, and makes an empty one of an empty text.
      const parse = columns.length > 0 && driver.postgres.types.getTypeParser(1186, 'text');
      const rows = change(plain, columns, (interval) => Object.assign(parse(''), interval));
      return { raw: rows, records: rows, affected: rows.length };
    },
  };
}

function hasInterval(value: any): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.some(hasInterval) : value.constructor?.name === 'PostgresInterval';
}

function change(rows: Row[], columns: readonly string[], to: (interval: object) => object): Row[] {
  if (columns.length === 0) return rows;
  const deep = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(deep) : isObject(value) ? to(value as object) : value;
  return rows.map((row) => ({ ...row, ...Object.fromEntries(columns.map((name) => [name, deep(row[name])])) }));
}
