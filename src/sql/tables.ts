import type { Cursor } from './cursor.js';
import type { Place } from './facts.js';
import type { Table } from './types.js';

/** Reads the name of a table whose rows the statement reads. @returns undefined when the name stands for a WITH */
export function readTable(c: Cursor): { table: Table; place: Place | undefined } {
  const start = c.at;
  const table = c.table();
  for (let at = start; at < c.at; at++) c.facts.introductions.add(at);
  if (table.schema === undefined && c.ctes.includes(table.name)) return { table, place: undefined };
  if (isSystem(table, c)) c.facts.never(`the system table ${table.name}, which changes without a write`);
  return { table, place: c.facts.read(table) };
}

/** Reads the name of a table that the statement changes; that is never the name of a WITH. */
export function targetTable(c: Cursor): Table {
  const start = c.at;
  const table = c.table();
  for (let at = start; at < c.at; at++) c.facts.introductions.add(at);
  return table;
}

function isSystem({ schema, name }: Table, c: Cursor): boolean {
  if (schema !== undefined && systemSchemas.has(schema)) return true;
  return c.dialect.name === 'postgres' ? name.startsWith('pg_') : c.dialect.name === 'sqlite' && systemTable.test(name);
}

const systemSchemas = new Set(['information_schema', 'pg_catalog', 'performance_schema', 'mysql', 'sys']);
const systemTable = /^(sqlite|pragma)_|^dbstat$/;
