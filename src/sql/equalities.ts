import type { Cursor } from './cursor.js';
import type { Item } from './facts.js';
import { bareFunctions } from './functions.js';
import type { Token } from './lexer.js';
import type { Equality, Value } from './types.js';

/**
 * What a condition demands of the rows of its tables: `column = value`, `column IN (values)`, the same for rows of
 * columns, and `= ANY (parameter)`. A claim here means that a row that fails it cannot matter, so there is only one
 * way to be wrong, and everything that is not exactly one of these forms claims nothing.
 *
 * Only parts that AND puts together count, in brackets or not. One OR among them, or a word whose reach is not worked
 * out, and none of them counts; but an OR of nothing but values of one column is an IN.
 *
 * @param joins - it is the condition of a join
 */
export function claim(c: Cursor, start: number, end: number, items: readonly Item[], joins = false): void {
  if (!items.some((item) => item.place !== undefined)) return;
  const note = ({ qualifiers, equality }: Demand) => {
    for (const { place } of matching(qualifiers, items))
      place?.equalities.push(joins ? { ...equality, joins } : equality);
  };
  const either = alternatives(c, start, end);
  if (either !== undefined) return note(either);
  for (const [from, to] of conjuncts(c, start, end)) {
    const { kind, text, at } = c.tokens[from]!;
    if (kind === 'open' && text === '(' && at === to - 1) {
      claim(c, from + 1, to - 1, items, joins);
      continue;
    }
    const found = demand(c, from, to);
    if (found !== undefined) note(found);
  }
}

/** `id = 1 OR id = 3`, which says no more and no less than `id IN (1, 3)`. */
function alternatives(c: Cursor, start: number, end: number): Demand | undefined {
  let whole: Demand | undefined;
  let from = start;
  for (let at = start; at <= end; at++) {
    const { kind, word, at: partner } = at < end ? c.tokens[at]! : or;
    if (kind === 'open') at = partner as number;
    else if (kind === '.') at++;
    else if (word === 'OR') {
      // There is none.
      if (at === end && from === start) return undefined;
      const found = demand(c, from, at);
      if (found === undefined || (whole !== undefined && !isAlike(whole, found))) return undefined;
      const { columns, rows } = found.equality;
      whole = { ...found, equality: { columns, rows: [...(whole?.equality.rows ?? []), ...rows] } };
      from = at + 1;
    }
  }
  return from > end ? whole : undefined;
}

const or: Pick<Token, 'kind' | 'word' | 'at'> = { kind: 'word', word: 'OR', at: -1 };

function isAlike(one: Demand, other: Demand): boolean {
  const nameOf = ({ qualifiers, equality }: Demand) => JSON.stringify([qualifiers, equality.columns]);
  return nameOf(one) === nameOf(other);
}

/** The parts between the ANDs of this level. */
function conjuncts(c: Cursor, start: number, end: number): [number, number][] {
  const mysql = c.dialect.name === 'mysql';
  const parts: [number, number][] = [];
  let from = start;
  let betweens = 0;
  for (let at = start; at < end; at++) {
    const { kind, word, text, at: partner } = c.tokens[at]!;
    if (kind === 'open') at = partner as number;
    else if (kind === '.') at++;
    else if (kind === 'operator') {
      if (text === ':=' || (mysql && text === '||')) return [];
      if (mysql && text === '&&') {
        parts.push([from, at]);
        from = at + 1;
      }
    } else if (word === 'OR' || word === 'XOR' || word === 'CASE' || word === 'SELECT') return [];
    else if (word === 'BETWEEN') betweens++;
    else if (word === 'AND') {
      // The AND of a BETWEEN separates its limits.
      if (betweens > 0) betweens--;
      else {
        parts.push([from, at]);
        from = at + 1;
      }
    }
  }
  parts.push([from, end]);
  // A part without tokens shows that this was no list of conditions.
  return parts.every(([a, b]) => a < b) ? parts : [];
}

interface Demand {
  readonly qualifiers: readonly string[];
  readonly equality: Equality;
}

function demand(c: Cursor, start: number, end: number): Demand | undefined {
  const left = columnsAt(c, start, end);
  if (left === undefined) {
    // `7 = id`
    const value = valueAt(c, start, end);
    if (value === undefined || !isEquals(c, value.end, end)) return undefined;
    const column = columnAt(c, value.end + 1, end);
    if (column?.end !== end) return undefined;
    return { qualifiers: column.qualifiers, equality: { columns: [column.name], rows: [[value.value]] } };
  }
  const { qualifiers, columns, isRow } = left;
  const rows = rowsAt(c, left.end, end, columns.length, isRow);
  return rows === undefined ? undefined : { qualifiers, equality: { columns, rows } };
}

/** `column`, or `(column, column)`, where something follows. */
function columnsAt(c: Cursor, start: number, end: number) {
  const first = columnAt(c, start, end);
  if (first !== undefined) return { ...first, columns: [first.name], isRow: false };
  const open = c.tokens[start];
  if (open?.kind !== 'open' || open.text !== '(') return undefined;
  const close = open.at as number;
  const columns: string[] = [];
  let qualifiers: readonly string[] | undefined;
  for (let at = start + 1; at < close; at++) {
    const column = columnAt(c, at, close);
    if (column === undefined || (column.end < close && c.tokens[column.end]!.kind !== ',')) return undefined;
    qualifiers ??= column.qualifiers;
    if (qualifiers.join('.') !== column.qualifiers.join('.')) return undefined;
    columns.push(column.name);
    at = column.end;
  }
  return qualifiers === undefined ? undefined : { qualifiers, columns, end: close + 1, isRow: columns.length > 1 };
}

function columnAt(c: Cursor, start: number, end: number) {
  const path: string[] = [];
  let at = start;
  for (; ; at += 2) {
    const token = c.tokens[at];
    if (at >= end || (token!.kind !== 'word' && token!.kind !== 'name')) return undefined;
    path.push(c.fold(token!));
    if (at + 1 >= end || c.tokens[at + 1]!.kind !== '.') break;
  }
  const { word } = c.tokens[at]!;
  if (path.length === 1 && (constants.has(word) || bareFunctions[c.dialect.name].has(word))) return undefined;
  return { qualifiers: path.slice(0, -1), name: path.at(-1)!, end: at + 1 };
}

const constants = new Set(['TRUE', 'FALSE', 'NULL', 'DEFAULT', 'UNKNOWN', 'NOT']);

function isEquals(c: Cursor, at: number, end: number): boolean {
  if (at >= end) return false;
  const { kind, text } = c.tokens[at]!;
  return kind === 'operator' && (text === '=' || (text === '==' && c.dialect.name === 'sqlite'));
}

/** What the columns are said to be, if that is all there is up to the end. */
function rowsAt(c: Cursor, start: number, end: number, width: number, isRow: boolean): Value[][] | undefined {
  const row = (at: number): { value: Value[]; end: number } | undefined => {
    if (isRow) return tupleAt(c, at, end, width);
    const found = valueAt(c, at, end);
    return found && { value: [found.value], end: found.end };
  };
  if (isEquals(c, start, end)) {
    const one = row(start + 1);
    if (one?.end === end) return [one.value];
    return isRow ? undefined : anyAt(c, start + 1, end);
  }
  const open = c.tokens[start + 1];
  if (c.tokens[start]?.word !== 'IN' || open?.kind !== 'open' || open.at !== end - 1) return undefined;
  const rows: Value[][] = [];
  for (let at = start + 2; at < end - 1; at++) {
    const one = row(at);
    if (one === undefined || (one.end < end - 1 && c.tokens[one.end]!.kind !== ',')) return undefined;
    rows.push(one.value);
    at = one.end;
  }
  return rows;
}

function tupleAt(c: Cursor, start: number, end: number, width: number): { value: Value[]; end: number } | undefined {
  const open = c.tokens[start];
  if (start >= end || open!.kind !== 'open' || open!.text !== '(') return undefined;
  const close = open!.at as number;
  const value: Value[] = [];
  for (let at = start + 1; at < close; at++) {
    const one = valueAt(c, at, close);
    if (one === undefined || (one.end < close && c.tokens[one.end]!.kind !== ',')) return undefined;
    value.push(one.value);
    at = one.end;
  }
  return value.length === width ? { value, end: close + 1 } : undefined;
}

/** `ANY ($1)`: the parameter is an array. */
function anyAt(c: Cursor, start: number, end: number): Value[][] | undefined {
  const { word } = c.tokens[start]!;
  if ((word !== 'ANY' && word !== 'SOME') || c.dialect.name !== 'postgres') return undefined;
  if (c.tokens[start + 1]?.at !== end - 1) return undefined;
  const inner = valueAt(c, start + 2, end - 1);
  if (inner?.end !== end - 1 || inner.value.kind !== 'parameter') return undefined;
  return [[{ ...inner.value, each: true }]];
}

/** A literal or a parameter, perhaps with a cast, and where it ends. */
export function valueAt(c: Cursor, start: number, end: number): { value: Value; end: number } | undefined {
  if (start >= end) return undefined;
  const token = c.tokens[start]!;
  let value: Value;
  let at = start + 1;
  if (token.kind === 'open' && token.text === '(') {
    const inner = valueAt(c, at, token.at as number);
    if (inner?.end !== token.at) return undefined;
    value = inner.value;
    at = inner.end + 1;
  } else if (token.kind === 'operator' && token.text === '-' && c.tokens[at]?.kind === 'number' && at < end) {
    value = { kind: 'number', text: `-${c.tokens[at]!.text}` };
    at++;
  } else if (token.kind === 'parameter' && token.at !== -1) {
    value = { kind: 'parameter', at: token.at };
  } else if (token.kind === 'string' || token.kind === 'number') {
    value = { kind: token.kind, text: token.text };
  } else return undefined;
  while (at < end && c.tokens[at]!.text === '::' && c.tokens[at]!.kind === 'operator') {
    const type = typeAt(c, at + 1, end);
    if (type === undefined) return undefined;
    // Two casts in a row may each change the value; the last one does not tell what the first one did.
    value = { ...value, cast: value.cast === undefined ? type.name : `${value.cast}::${type.name}` };
    at = type.end;
  }
  return { value, end: at };
}

function typeAt(c: Cursor, start: number, end: number): { name: string; end: number } | undefined {
  const column = columnAt(c, start, end);
  if (column === undefined) return undefined;
  let { end: at } = column;
  let name = [...column.qualifiers, column.name].join('.');
  while (at < end && c.tokens[at]!.kind === 'open') {
    const close = c.tokens[at]!.at as number;
    for (; at <= close; at++) name += c.tokens[at]!.text;
  }
  return { name, end: at };
}

/** The tables that a column with these qualifiers may belong to. */
function matching(qualifiers: readonly string[], items: readonly Item[]): readonly Item[] {
  if (qualifiers.length === 0) return items;
  const name = qualifiers.at(-1);
  const schema = qualifiers.at(-2);
  const found = items.filter((item) => item.exposed === name && (schema === undefined || item.schema === schema));
  return found.length === 1 ? found : [];
}
