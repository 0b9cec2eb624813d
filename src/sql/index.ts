/**
 * Reads statements: what kind they are, which tables they read and change, which rows at most. It knows no cache and
 * no client, and parses no grammar: a lexer, and readers of the few places in which tables have names. What it does
 * not understand it calls opaque, which costs entries; see `docs/decisions/020-statements.md`.
 */
import { type Dialect, escapesByBackslash } from './dialect.js';
import { read } from './statement.js';
import type { Statement } from './types.js';

export { type Dialect, foldName } from './dialect.js';
export { type Fingerprint, fingerprint } from './fingerprint.js';
export type * from './types.js';

/**
 * What is known of a text that is about to be sent to the database. It never throws, and the same text is read once:
 * the answer is kept, so treat it as frozen.
 */
export function readStatement(sql: string, dialect: Dialect): Statement {
  const memory = memoryOf(dialect);
  const known = memory.young.get(sql);
  if (known !== undefined) return known;
  const statement = memory.old.get(sql) ?? read(sql, dialect);
  if (sql.length > maxLength) return statement;
  // Two halves: what is asked for stays in the young one, and the old one goes when that is full.
  if (memory.young.size >= maxStatements / 2) {
    memory.old = memory.young;
    memory.young = new Map();
  }
  memory.young.set(sql, statement);
  return statement;
}

/** How many statements are remembered in each dialect. Texts with values in them are as many as there are values. */
export const maxStatements = 2_000;

/** Longer texts, mostly inserts of many rows, hardly come twice. */
const maxLength = 16_384;

interface Memory {
  young: Map<string, Statement>;
  old: Map<string, Statement>;
}

const memories: Memory[] = [];
const places = { postgres: 0, mysql: 4, sqlite: 8 };

/** The same text in another mode is another statement. */
function memoryOf(dialect: Dialect): Memory {
  const place = places[dialect.name] + (escapesByBackslash(dialect) ? 1 : 0) + (dialect.ansiQuotes ? 2 : 0);
  memories[place] ??= { young: new Map(), old: new Map() };
  return memories[place];
}
