import type { Cursor } from './cursor.js';
import { valueAt } from './equalities.js';
import { walk } from './expression.js';
import type { Target } from './facts.js';
import { alias } from './from.js';
import { outputOf } from './output.js';
import { query } from './query.js';
import { targetTable } from './tables.js';
import type { Value } from './types.js';
import { isTail, startsQuery } from './words.js';
import { assignments, columnPath, skipConflictRule } from './write.js';

/**
 * INSERT and REPLACE: rows are added, and what happens to those that are there already stands at the end. The values
 * are told row by row, where they are literals or parameters.
 */
export function insert(c: Cursor): 'insert' | 'upsert' | 'replace' {
  let replaces = c.skip('REPLACE');
  if (!replaces) {
    c.expect('INSERT');
    replaces = skipConflictRule(c);
  }
  const start = c.at;
  c.skipAny(modifiers);
  // With IGNORE a value that does not fit is stored as the nearest one that does.
  let adjusts = c.tokens.slice(start, c.at).some(({ word }) => word === 'IGNORE');
  if (!c.skip('INTO') && c.dialect.name !== 'mysql') c.fail('INTO');
  const target = c.facts.write(targetTable(c), replaces ? 'replace' : 'insert');
  if (c.dialect.name === 'mysql' && c.skip('PARTITION')) c.pass();
  const exposed = (c.word === 'AS' ? alias(c) : undefined) ?? target.table.name;
  const columns = c.isOpen && !startsQuery(c) ? columnList(c) : undefined;
  if (c.skip('OVERRIDING')) {
    // The sequence's value is stored then, and not the one that is said.
    adjusts = c.word === 'USER';
    c.at += 2;
  }
  if (c.skip('DEFAULT')) {
    c.expect('VALUES');
    target.inserted = { columns: [], rows: [[]] };
  } else if (c.skip('VALUES') || c.skip('VALUE')) {
    const rows = valueRows(c);
    // `VALUES (1) UNION SELECT …` is a query after all.
    if (c.done || isTail(c) || c.word === 'AS') target.inserted = { columns, rows };
    else query(c);
  } else if (c.skip('SET')) {
    target.inserted = assignedRow(c);
  } else {
    if (!startsQuery(c)) c.fail('VALUES or a query');
    // A WITH at the head of the query ends with it: behind it the same names are tables again.
    const { ctes } = c;
    c.statement(c);
    c.ctes = ctes;
  }
  if (adjusts) target.inserted = undefined;
  tail(c, target, exposed);
  return target.how as 'insert' | 'upsert' | 'replace';
}

const modifiers = new Set(['LOW_PRIORITY', 'HIGH_PRIORITY', 'DELAYED', 'IGNORE']);

function columnList(c: Cursor): string[] {
  const columns: string[] = [];
  c.inside(() => {
    // MySQL allows `()`, and takes `t.a` for `a`.
    while (!c.done) {
      columns.push(columnPath(c).at(-1)!);
      if (!c.skipKind(',') && !c.done) c.fail('a comma');
    }
  });
  return columns;
}

function valueRows(c: Cursor): (Value | undefined)[][] {
  const rows: (Value | undefined)[][] = [];
  do {
    c.skip('ROW');
    if (!c.isOpen) c.fail('a row');
    const row: (Value | undefined)[] = [];
    c.inside(() => {
      while (!c.done) {
        row.push(element(c));
        if (!c.skipKind(',') && !c.done) c.fail('a comma');
      }
    });
    rows.push(row);
  } while (c.skipKind(','));
  return rows;
}

/** The expression here, and its value if it is one. */
function element(c: Cursor): Value | undefined {
  const start = c.at;
  walk(c, isElementEnd);
  const found = valueAt(c, start, c.at);
  return found?.end === c.at ? found.value : undefined;
}

function isElementEnd(c: Cursor): boolean {
  return c.kind === ',';
}

/** MySQL: `INSERT INTO t SET a = 1, b = 2`. */
function assignedRow(c: Cursor): { columns: string[]; rows: (Value | undefined)[][] } | undefined {
  const start = c.at;
  const paths = assignments(c);
  const end = c.at;
  c.at = start;
  const row: (Value | undefined)[] = [];
  for (const _ of paths) {
    columnPath(c);
    c.at++;
    const from = c.at;
    walk(c, (at) => at.at >= end || at.kind === ',');
    const found = valueAt(c, from, c.at);
    row.push(found?.end === c.at ? found.value : undefined);
    if (c.at < end) c.at++;
  }
  c.at = end;
  return { columns: paths.map((path) => path.at(-1)!), rows: [row] };
}

function tail(c: Cursor, target: Target, exposed: string): void {
  let clauses = 0;
  if (c.word === 'AS') alias(c);
  while (!c.done) {
    if (c.skip('RETURNING')) {
      target.returning = true;
      target.returned = outputOf(c, c.at, c.end, exposed);
      walk(c);
    } else if (c.skip('ON', 'DUPLICATE', 'KEY')) {
      c.expect('UPDATE');
      changes(c, target);
    } else if (c.skip('ON', 'CONFLICT')) {
      const columns = conflictTarget(c);
      target.conflict = clauses++ === 0 ? columns : undefined;
      c.expect('DO');
      if (!c.skip('NOTHING')) {
        c.expect('UPDATE');
        c.expect('SET');
        changes(c, target);
        if (c.skip('WHERE')) walk(c, isTail);
      }
    } else c.fail('the end');
  }
}

function changes(c: Cursor, target: Target): void {
  // A REPLACE never comes here; an INSERT becomes one that may change rows.
  target.how = 'upsert';
  const columns = assignments(c).map((path) => path.at(-1)!);
  target.assigned = [...(target.assigned ?? []), ...columns];
}

/** `(a, b) [WHERE …]` or `ON CONSTRAINT name`. @returns the columns, unless one is an expression */
function conflictTarget(c: Cursor): string[] | undefined {
  if (c.skip('ON', 'CONSTRAINT')) {
    c.name();
    return undefined;
  }
  if (!c.isOpen) return undefined;
  let columns: string[] | undefined = [];
  c.inside(() => {
    while (!c.done) {
      const start = c.at;
      walk(c, isElementEnd);
      // A collation or an operator class behind it does not make it another column.
      const isColumn = c.tokens[start]!.kind === 'name' || c.tokens[start]!.kind === 'word';
      const next = c.at > start + 1 ? c.tokens[start + 1]!.kind : 'end';
      if (!isColumn || next === 'open' || next === 'operator' || next === '.') columns = undefined;
      else columns?.push(c.fold(c.tokens[start]!));
      c.skipKind(',');
    }
  });
  // With a WHERE the index covers some rows only: still the columns in which an existing row was found.
  if (c.skip('WHERE')) walk(c, (at) => at.word === 'DO');
  return columns;
}
