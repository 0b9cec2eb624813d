import type { Cursor } from './cursor.js';
import type { Token } from './lexer.js';
import type { RowOutput } from './types.js';

/**
 * What a list of columns makes of a row of one table, behind SELECT or RETURNING. Two columns under one name, and
 * neither of them is told. With `exposed`, other tables may be in the list too: those columns count that are the
 * table's for sure.
 */
export function outputOf(c: Cursor, start: number, end: number, exposed?: string): RowOutput {
  const output = new Map<string, string>();
  const seen = new Set<string>();
  const columns = columnsOf(c, start, end, exposed);
  const stars = columns.filter((it) => it?.column === '*').length;
  if (stars === 1 && columns.length === 1) return 'all';
  if (stars > 0) return new Map();
  for (const it of columns) {
    // What it is called is known only of columns and of what has an alias: it may take a column's place.
    if (it === undefined) return new Map();
    if (seen.has(it.as)) {
      for (const [column, as] of output) if (as === it.as) output.delete(column);
      continue;
    }
    seen.add(it.as);
    if (it.column !== undefined) output.set(it.column, it.as);
  }
  return output;
}

interface Shown {
  readonly column: string | undefined;
  readonly as: string;
}

/** The parts of a list of columns: the column if it is one, and its name in the result if that is known. */
function columnsOf(c: Cursor, start: number, end: number, exposed: string | undefined): (Shown | undefined)[] {
  const columns: (Shown | undefined)[] = [];
  let from = start;
  for (let at = start; at <= end; at++) {
    const token = c.tokens[at]!;
    if (at < end && token.kind === 'open') at = token.at as number;
    else if (at === end || token.kind === ',') {
      columns.push(columnOf(c, from, at, exposed));
      from = at + 1;
    }
  }
  return columns;
}

function columnOf(c: Cursor, start: number, end: number, exposed: string | undefined): Shown | undefined {
  let at = start;
  while (at + 1 < end && isNamed(c.tokens[at]!) && c.tokens[at + 1]!.kind === '.') at += 2;
  const token = c.tokens[at]!;
  const isOwn = exposed === undefined || at === start || c.fold(c.tokens[at - 2]!) === exposed;
  if (at === end - 1 && token.text === '*') return isOwn ? { column: '*', as: '*' } : undefined;
  const name = at < end && isNamed(token) ? c.fold(token) : undefined;
  const column = isOwn ? name : undefined;
  if (name !== undefined && at === end - 1) return { column, as: shown(c, token) };
  const hasAs = c.tokens[end - 2]?.word === 'AS' && end - 2 > start;
  const last = c.tokens[end - 1];
  if (last === undefined || !isNamed(last)) return undefined;
  if (hasAs) return { column: at === end - 3 ? column : undefined, as: shown(c, last) };
  return at === end - 2 ? { column, as: shown(c, last) } : undefined;
}

function isNamed(token: Token): boolean {
  return token.kind === 'word' || token.kind === 'name';
}

/** The name as the driver tells it: only PostgreSQL folds those. */
function shown(c: Cursor, token: Token): string {
  return c.dialect.name === 'postgres' ? c.fold(token) : token.text;
}
