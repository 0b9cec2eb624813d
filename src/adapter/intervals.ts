/**
 * Of all values that `pg` makes by itself, intervals alone are of a class of their own. They are known by what they can
 * do, since not every adapter is told the types of columns, and the class is nowhere to be had but from a parser.
 */
export interface PackedRows {
  readonly rows: readonly any[];
  /** Columns that have some: names, or places where rows are arrays. */
  readonly intervals?: readonly string[];
}

export function packRows(rows: readonly any[]): PackedRows {
  const intervals = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => isInterval(row[name])));
  return intervals.length === 0 ? { rows } : { rows: changed(rows, intervals, (it) => ({ ...it })), intervals };
}

/** @param empty - makes an interval without a part */
export function unpackRows({ rows, intervals = [] }: PackedRows, empty: () => object): readonly any[] {
  return intervals.length === 0 ? rows : changed(rows, intervals, (it) => Object.assign(empty(), it));
}

function isInterval(value: any): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(isInterval);
  return typeof value.toPostgres === 'function' && typeof value.toISOString === 'function';
}

function changed(rows: readonly any[], columns: readonly string[], to: (interval: object) => object) {
  const deep = (value: any): unknown => (Array.isArray(value) ? value.map(deep) : value && to(value));
  return rows.map((row) =>
    Object.assign(Array.isArray(row) ? [...row] : { ...row }, ...columns.map((name) => ({ [name]: deep(row[name]) }))),
  );
}
