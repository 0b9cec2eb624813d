import type { Cursor } from './cursor.js';
import { valueAt } from './equalities.js';
import { step, walk } from './expression.js';
import type { Item, Place, Target } from './facts.js';
import { alias, fromList, primary } from './from.js';
import { outputOf } from './output.js';
import { isDistinctFrom, where } from './query.js';
import { targetTable } from './tables.js';
import type { Value } from './types.js';
import { endsClause } from './words.js';

/**
 * UPDATE, DELETE and MERGE: rows that exist change. The target is one more table of the statement's list, so that the
 * WHERE tells which of its rows can be meant.
 */
export function update(c: Cursor): void {
  c.expect('UPDATE');
  const replaces = skipConflictRule(c);
  c.skipAny(modifiers);
  const items = c.dialect.name === 'mysql' ? fromList(c) : targetItem(c);
  c.expect('SET');
  const start = c.at;
  const assigned = assignments(c);
  const set = valuesSet(c, start, assigned);
  const places = chosen(items, assigned);
  const columns = assigned.map((path) => path.at(-1)!);
  const [only] = items;
  if (items.length === 1 && only?.place !== undefined) only.place.isTarget = true;
  // UPDATE OR REPLACE deletes whatever rows are in the way.
  const targets = places.map((place) => c.facts.write(place.table, replaces ? 'replace' : 'update', place));
  for (const target of targets) {
    target.assigned = columns;
    // Of several tables nobody says here which column is whose.
    if (targets.length === 1) target.set = set;
  }
  if (c.skip('FROM')) items.push(...fromList(c));
  rest(c, items, targets);
}

export function remove(c: Cursor): void {
  c.expect('DELETE');
  c.skipAny(modifiers);
  const mysql = c.dialect.name === 'mysql';
  let names: string[] | undefined;
  if (mysql && (c.word !== 'FROM' || usesList(c))) {
    const usesUsing = c.skip('FROM');
    names = targetNames(c);
    c.expect(usesUsing ? 'USING' : 'FROM');
  } else c.expect('FROM');
  const items = names === undefined ? targetItem(c) : fromList(c);
  if (names === undefined && items.length === 1 && items[0]!.place !== undefined) items[0]!.place.isTarget = true;
  const found = items.filter(({ exposed }) => exposed !== undefined && names?.includes(exposed));
  // A target that cannot be found among the tables: each of them may be it.
  const places = placesOf(names !== undefined && found.length === names.length ? found : items);
  const targets = places.map((place) => c.facts.write(place.table, 'delete', place));
  if (!mysql && c.skip('USING')) items.push(...fromList(c));
  rest(c, items, targets);
}

export function merge(c: Cursor): void {
  c.expect('MERGE');
  c.expect('INTO');
  c.skip('ONLY');
  const target = c.facts.write(targetTable(c), 'merge');
  if (c.token.text === '*') c.at++;
  alias(c);
  target.assigned = undefined;
  c.expect('USING');
  primary(c);
  c.expect('ON');
  target.returning = true;
  walk(c);
}

/** What a WITH calls its result is no target: in SQLite the table of that name is. */
function targetItem(c: Cursor): Item[] {
  const { ctes } = c;
  c.ctes = [];
  const items = primary(c);
  c.ctes = ctes;
  return items;
}

const modifiers = new Set(['LOW_PRIORITY', 'HIGH_PRIORITY', 'DELAYED', 'QUICK', 'IGNORE']);

/** `OR REPLACE`, `OR IGNORE` of SQLite. @returns whether rows that are in the way are deleted */
export function skipConflictRule(c: Cursor): boolean {
  if (!c.skip('OR')) return false;
  const replaces = c.word === 'REPLACE';
  c.at++;
  return replaces;
}

/** WHERE, and what may follow it: an order and a limit, a RETURNING. Subqueries may be anywhere. */
function rest(c: Cursor, items: readonly Item[], targets: readonly Target[]): void {
  if (targets.length === 0) c.fail('a table');
  if (c.word === 'WHERE') where(c, items);
  while (!c.done) {
    if (c.word === 'WHERE' || c.word === 'FROM') c.fail('the end');
    if (c.word === 'RETURNING') returned(c, items, targets);
    step(c);
  }
  // `replace` reaches beyond the rows that the condition names.
  for (const target of targets) if (target.how === 'replace') target.equalities = [];
}

/** What stands behind RETURNING here: of a list of tables, whose columns they are is not worked out for a `*`. */
function returned(c: Cursor, items: readonly Item[], targets: readonly Target[]): void {
  for (const target of targets) target.returning = true;
  const exposed = items[0]?.exposed;
  if (targets.length !== 1 || exposed === undefined) return;
  const output = outputOf(c, c.at + 1, c.end, exposed);
  if (output !== 'all' || items.length === 1) targets[0]!.returned = output;
}

/**
 * `column = expression, (column, column) = row`, up to the end of the clause. @returns the columns, with what stands
 * before them
 */
export function assignments(c: Cursor): string[][] {
  const paths: string[][] = [];
  do {
    if (c.isOpen) {
      c.inside(() => {
        do paths.push(columnPath(c));
        while (c.skipKind(','));
      });
    } else paths.push(columnPath(c));
    if (c.kind !== 'operator' || (c.token.text !== '=' && c.token.text !== ':=')) c.fail('=');
    c.at++;
    walk(c, isAssignmentEnd);
  } while (c.skipKind(','));
  return paths;
}

/** What the assignments from `start` until here set columns to, where that is a literal or a parameter alone. */
function valuesSet(c: Cursor, start: number, paths: readonly string[][]): Map<string, Value> {
  const values = new Map<string, Value>();
  let at = start;
  for (const path of paths) {
    // A row is set at once: `(a, b) = …`.
    if (c.tokens[at]?.kind === 'open') break;
    while (at < c.at && c.tokens[at]?.kind !== 'operator') at++;
    let end = at + 1;
    while (end < c.at && c.tokens[end]?.kind !== ',')
      end = (c.tokens[end]?.kind === 'open' ? (c.tokens[end]?.at as number) : end) + 1;
    const found = valueAt(c, at + 1, end);
    if (found?.end === end) values.set(path.at(-1) as string, found.value);
    at = end + 1;
  }
  return values;
}

function isAssignmentEnd(c: Cursor): boolean {
  return c.kind === ',' || (c.word === 'FROM' && !isDistinctFrom(c)) || endsClause(c);
}

/** Fields and elements of a column are the column: `address.street`, `tags[1]`. */
export function columnPath(c: Cursor): string[] {
  const path = [c.name()];
  while (c.kind === '.' || (c.kind === 'open' && c.token.text === '[')) {
    if (c.kind === 'open') step(c);
    else {
      c.at++;
      const part = c.name();
      if (c.dialect.name !== 'postgres') path.push(part);
    }
  }
  return path;
}

/** Which tables of a list are assigned to. Without a qualifier at each column it may be any. */
function chosen(items: readonly Item[], assigned: string[][]): Place[] {
  const named = assigned.map((path) => items.find(({ exposed }) => path.length > 1 && exposed === path.at(-2)));
  if (items.length === 1 || named.some((item) => item?.place === undefined)) return placesOf(items);
  return [...new Set(placesOf(named as Item[]))];
}

function placesOf(items: readonly Item[]): Place[] {
  return items.flatMap(({ place }) => place ?? []);
}

/** Whether a list of targets and USING follow: `DELETE FROM a, b USING t1 a JOIN t2 b`. */
function usesList(c: Cursor): boolean {
  for (let offset = 1; ; offset++) {
    const { kind, word, text } = c.peek(offset);
    if (word === 'USING') return true;
    if (kind === 'word' || kind === 'name' || kind === '.' || kind === ',') {
      if (word === 'WHERE' || word === 'AS' || word === 'JOIN') return false;
    } else if (text !== '*') return false;
  }
}

/** Names of targets, with or without `.*`: aliases, or tables of the list that follows. */
function targetNames(c: Cursor): string[] {
  const names: string[] = [];
  do {
    names.push(c.name());
    while (c.skipKind('.')) {
      if (c.token.text === '*') c.at++;
      else names[names.length - 1] = c.name();
    }
  } while (c.skipKind(','));
  return names;
}
