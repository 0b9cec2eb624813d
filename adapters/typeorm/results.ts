import { asks, asRows, type Dialect, type PackedRows, packRows, unpackRows } from '../../src/adapter/index.js';
import type { Driver, Result } from './internals.js';

/** What query runners answer: where the rows are, and how those of a query are kept in the cache, as plain data. */
export function resultsOf(dialect: Dialect['name'], driver: Driver) {
  const rowsOf = ({ raw, records }: Result) => asRows(dialect === 'mysql' ? raw : records);
  // Of an UPDATE or a DELETE.
  const hideRows = (it: Result): Result => Object.assign(it, { records: [], raw: [[], it.raw[1]] });
  // The driver's own parser knows the class of intervals, and makes an empty one of an empty text.
  const empty = () => driver.postgres.types.getTypeParser(1186, 'text')('');
  return {
    ask: asks[dialect],
    rowsOf,
    ...(dialect === 'postgres' && { hideRows }),
    // Rows of `mysql2` are of a class that has nothing but a name.
    pack: (result: Result) => packRows((rowsOf(result) ?? []).map((row) => ({ ...row }))),
    unpack(packed: PackedRows): Result {
      const rows = unpackRows(packed, empty);
      return { raw: rows, records: rows, ...(dialect === 'postgres' && { affected: rows.length }) };
    },
  };
}
