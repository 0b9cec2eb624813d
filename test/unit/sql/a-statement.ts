import { type Dialect, type Equality, readStatement, type Statement, type Value } from '../../../src/sql/index.js';

export const postgres: Dialect = { name: 'postgres' };
export const mysql: Dialect = { name: 'mysql' };
export const sqlite: Dialect = { name: 'sqlite' };

export function reads(sql: string, dialect = postgres): string[] {
  return understood(sql, dialect).reads.map(({ table }) => table.name);
}

export function writes(sql: string, dialect = postgres): string[] {
  return understood(sql, dialect).writes.map(({ table, how }) => `${how} ${table.name}`);
}

/** What is demanded of each table that is read, as text: `users.id = $1`. */
export function narrowed(sql: string, dialect = postgres): string[] {
  return understood(sql, dialect).reads.flatMap(({ table, equalities }) =>
    equalities.map((it) => told(table.name, it)),
  );
}

export function changed(sql: string, dialect = postgres): string[] {
  return understood(sql, dialect).writes.flatMap(({ table, equalities }) =>
    equalities.map((it) => told(table.name, it)),
  );
}

export function understood(sql: string, dialect = postgres): Statement {
  const statement = readStatement(sql, dialect);
  if (statement.opaque !== undefined) throw new Error(`${statement.opaque}: ${sql}`);
  return statement;
}

function told(table: string, { columns, rows }: Equality): string {
  const values = rows.map((row) => row.map(valueText).join(','));
  return `${table}.${columns.join(',')} = ${values.join(' or ')}`;
}

export function valueText(value: Value | undefined): string {
  if (value === undefined) return '…';
  const cast = value.cast === undefined ? '' : `::${value.cast}`;
  if (value.kind !== 'parameter') return `${value.kind === 'string' ? `'${value.text}'` : value.text}${cast}`;
  const name = typeof value.at === 'number' ? `$${value.at + 1}` : value.at;
  return value.each ? `each ${name}${cast}` : name + cast;
}
