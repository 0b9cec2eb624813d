import { type Dialect, type Driver, type Form, packRows, type Row, unpackRows } from '../../src/adapter/index.js';
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

/** `Result` of `pg`. */
function postgres({ connectionSettings, driver }: KnexClient): Responses {
  return {
    rowsOf: ({ response }) => asRows(response.rows),
    hideRows(query) {
      Object.assign(query.response, { rows: [], fields: [] });
      return query;
    },
    pack: ({ response: { command, rowCount, rows, fields } }) => ({ command, rowCount, ...packRows(rows, fields) }),
    unpack({ command, rowCount, ...packed }: any) {
      const answer = unpackRows(packed, connectionSettings?.types ?? driver.types);
      return { sql: '', response: { command, rowCount, oid: null, ...answer } };
    },
  };
}
