import type { Dialect } from '../sql/index.js';
import type { Driver } from './driver.js';
import { packRows, unpackRows } from './intervals.js';
import type { Form } from './read-through.js';
import type { Row } from './types.js';

/** What the usual driver of a database answers: where the rows are, and how it is kept: as data, nothing of a class. */
export type Answers = Omit<Driver<any>, 'ask'> & Form<any>;

/** The parsers of `pg`, or of one connection's `types`. */
export interface Parsers {
  getTypeParser(type: number, format: 'text'): (text: string) => any;
}

/**
 * Answers as `pg` gives them (`{ command, rowCount, rows, fields }`), as `mysql2` does (`[rows, fields]`), or the rows
 * alone, as drivers of SQLite do. Rows may be objects or arrays.
 *
 * @param parsers - PostgreSQL: who knows the class of intervals
 */
export function answersOf(dialect: Dialect['name'], parsers?: () => Parsers): Answers {
  if (dialect === 'mysql') return mysql;
  return dialect === 'sqlite' ? sqlite : postgres(parsers);
}

function postgres(parsers: (() => Parsers) | undefined): Answers {
  // The driver's own parser knows the class, and makes an empty one of an empty text.
  const empty = () => parsers?.().getTypeParser(1186, 'text')('') ?? {};
  return {
    rowsOf: ({ rows, fields }) => asRows(rows, fields),
    hideRows: (result) => Object.assign(result, { rows: [], fields: [] }),
    pack({ command, rowCount, rows, fields }) {
      // Lists of texts and of numbers: each hit copies them.
      const columns = { names: fields.map((it: any) => it.name), types: fields.map((it: any) => it.dataTypeID) };
      return { command, rowCount, ...packRows(rows), ...columns };
    },
    unpack({ command, rowCount, names, types, ...packed }: any) {
      const fields = names.map((name: string, at: number) => ({ name, dataTypeID: types[at] }));
      return { command, rowCount, oid: null, rows: unpackRows(packed, empty), fields };
    },
  };
}

/** Rows of `mysql2` and `mysql` are of a class that has nothing but a name; `mariadb` tells names by a method. */
const mysql: Answers = {
  rowsOf: ([rows, fields]) => asRows(rows, fields),
  pack: ([rows, fields]) => [Array.isArray(rows) ? rows.map(plain) : rows, fields?.map(fieldOf)],
  unpack: (packed) => packed,
};

const plain = (row: any) => (isObject(row) ? { ...row } : row);

function fieldOf(field: any): object {
  const { name, type, columnType = type, flags } = field;
  return { name: typeof name === 'function' ? field.name() : name, type: columnType, columnType, flags };
}

const sqlite: Answers = {
  rowsOf: (rows) => asRows(rows),
  pack: (rows) => rows,
  unpack: (packed) => packed,
};

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** There are none to look into after a statement that is no query, and after several in one text. */
export function asRows(rows: any, fields?: any): readonly Row[] | undefined {
  if (!Array.isArray(rows)) return undefined;
  if (rows.every(isObject)) return rows;
  if (typeof fields?.[0]?.name !== 'string' || !rows.every(Array.isArray)) return undefined;
  return rows.map((row) => Object.fromEntries(row.map((value, at) => [fields[at].name, value])));
}
