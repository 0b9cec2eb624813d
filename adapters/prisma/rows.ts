import type { Client, Row } from '../../src/adapter/index.js';
import type { DriverAdapterFactory, SqlResultSet } from './internals.js';

/** Where a wrapped factory keeps what belongs to it: found across both copies of the package. */
export const wrapped: unique symbol = Symbol.for('unstale.prisma') as never;

export interface Wrapped {
  readonly before: DriverAdapterFactory;
  readonly client: Client<Result>;
}

/** What a statement of a driver adapter has answered: rows, how many were changed, or both when rows were added. */
export interface Result {
  readonly set?: SqlResultSet | undefined;
  readonly count?: number | undefined;
}

/** Rows as objects. */
export function rowsOf({ set }: Result): readonly Row[] | undefined {
  return set?.rows.map((row) => Object.fromEntries(set.columnNames.map((name, at) => [name, row[at]])));
}

/** Rows of a query of ours, with values as a driver gives them to anybody else: Prisma asks for JSON and numbers as text. */
export function plainRows(set: SqlResultSet): readonly Row[] {
  const made = (value: any, at: number) => {
    const type = set.columnTypes[at]!;
    if (value !== null && type <= lastNumber) return Number(value);
    return type === json && typeof value === 'string' ? JSON.parse(value) : value;
  };
  return rowsOf({ set: { ...set, rows: set.rows.map((row) => row.map(made)) } })!;
}

// Of the types of columns that Prisma tells apart.
const lastNumber = 4;
const json = 11;
