import type { Row } from './types.js';

/** The parsers of `pg`, or of one connection's `types`. */
export interface Parsers {
  getTypeParser(type: number, format: 'text'): (text: string) => any;
}

/** Rows of `pg` with their columns, as they are kept: data, and nothing of a class. */
export interface PackedRows {
  readonly rows: readonly Row[];
  // Lists of texts and of numbers: each hit copies them.
  readonly names: readonly string[];
  readonly types: readonly number[];
}

/** Of all values that `pg` makes by itself, intervals alone are of a class of their own. */
export function packRows(rows: readonly Row[], fields: readonly { name: string; dataTypeID: number }[]): PackedRows {
  const names = fields.map(({ name }) => name);
  const types = fields.map(({ dataTypeID }) => dataTypeID);
  return { names, types, rows: changed(rows, names, types, (value) => (value.toPostgres ? { ...value } : value)) };
}

/** The rows and columns as the driver gave them. */
export function unpackRows({ rows, names, types }: PackedRows, parsers: Parsers) {
  // The driver's own parser knows the class, and makes an empty one of an empty text.
  const revive = (value: any) =>
    typeof value === 'object' ? Object.assign(parsers.getTypeParser(interval, 'text')(''), value) : value;
  const fields = names.map((name, at) => ({ name, dataTypeID: types[at] as number }));
  return { rows: changed(rows, names, types, revive), fields };
}

const interval = 1186;
/** Columns of intervals, and of lists of them. */
const isInterval = (type: number | undefined) => type === interval || type === interval + 1;

function changed(
  rows: readonly Row[],
  names: readonly string[],
  types: readonly number[],
  change: (value: any) => unknown,
): readonly Row[] {
  if (!types.some(isInterval)) return rows;
  const columns = names.filter((_, at) => isInterval(types[at]));
  const deep = (value: unknown): unknown => (Array.isArray(value) ? value.map(deep) : value && change(value));
  return rows.map((row) => ({ ...row, ...Object.fromEntries(columns.map((name) => [name, deep(row[name])])) }));
}
