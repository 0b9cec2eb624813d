import type { Dialect, Driver, Form, Row } from '../../src/adapter/index.js';
import type { KnexClient, Query } from './internals.js';

/** What a driver answers with: where the rows are, and how it is kept in the cache, as data and nothing of a class. */
export type Responses = Omit<Driver<Query>, 'ask'> & Form<Query>;

export function responsesOf(client: KnexClient, dialect: Dialect['name']): Responses {
  return dialect === 'postgres' ? postgres(client) : dialect === 'mysql' ? mysql : sqlite;
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
/** There are none that one could look into after a statement that is no query, after several, and in rows as arrays. */
const asRows = (rows: unknown) => (Array.isArray(rows) && rows.every(isObject) ? (rows as Row[]) : undefined);

const sqlite: Responses = {
  rowsOf: ({ response }) => asRows(response),
  pack: ({ response }) => response,
  unpack: (response) => ({ sql: '', response }),
};

/** `[rows, fields]`. Rows of `mysql` are of a class that has nothing but a name; `mariadb` tells names by a method. */
const mysql: Responses = {
  rowsOf: ({ response }) => asRows(response[0]),
  pack: ({ response: [rows, fields] }) => [asRows(rows)?.map((row) => ({ ...row })), fields?.map(fieldOf)],
  unpack: (response) => ({ sql: '', response }),
};

function fieldOf(field: any): object {
  const { type, columnType = type, flags } = field;
  return { name: typeof field.name === 'function' ? field.name() : field.name, type, columnType, flags };
}

/** `Result` of `pg`. Of all values that `pg` makes by itself, intervals alone are of a class of their own. */
function postgres({ connectionSettings, driver }: KnexClient): Responses {
  return {
    rowsOf: ({ response }) => asRows(response.rows),
    hideRows(query) {
      Object.assign(query.response, { rows: [], fields: [] });
      return query;
    },
    pack({ response: { command, rowCount, rows, fields } }) {
      const names: string[] = fields.map((field: any) => field.name);
      const types: number[] = fields.map((field: any) => field.dataTypeID);
      const plain = changeIntervals(rows, names, types, (value) => (value.toPostgres ? { ...value } : value));
      // Lists of texts and of numbers: each hit copies them.
      return { command, rowCount, rows: plain, names, types };
    },
    unpack(packed: any) {
      const { command, rowCount, names, types } = packed;
      const parsers = connectionSettings?.types ?? driver.types;
      // The driver's own parser knows the class, and makes an empty one of an empty text.
      const revive = (value: any) =>
        isObject(value) ? Object.assign(parsers.getTypeParser(1186, 'text')(''), value) : value;
      const fields = names.map((name: string, at: number) => ({ name, dataTypeID: types[at] }));
      const rows = changeIntervals(packed.rows, names, types, revive);
      return { sql: '', response: { command, rowCount, oid: null, rows, fields } };
    },
  };
}

/** Columns of intervals, and of lists of them. */
const isInterval = (type: number) => type === 1186 || type === 1187;

function changeIntervals(
  rows: readonly Row[],
  names: readonly string[],
  types: readonly number[],
  change: (value: any) => unknown,
): readonly Row[] {
  if (!types.some(isInterval)) return rows;
  const changed = names.filter((_, at) => isInterval(types[at] as number));
  const deep = (value: unknown): unknown => (Array.isArray(value) ? value.map(deep) : value && change(value));
  return rows.map((row) => ({ ...row, ...Object.fromEntries(changed.map((name) => [name, deep(row[name])])) }));
}
