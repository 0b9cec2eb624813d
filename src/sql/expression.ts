import type { Cursor } from './cursor.js';
import { bareFunctions, clocks, purityOf, syntax, timeFunctions } from './functions.js';
import { readTable } from './tables.js';
import { isSetOperation, startsQuery } from './words.js';

/**
 * Walks over expressions. What an expression means is of no interest here; what it may hide is: a subquery, a call that
 * asks the clock, a lock at the end. Anything that would name a table in an expression, but is none of the known
 * ways to do so, makes the statement unreadable.
 */
/** Up to where `isEnd` says so, or to the end. */
export function walk(c: Cursor, isEnd: (c: Cursor) => boolean = never): void {
  while (!c.done && !isEnd(c)) step(c);
}

function never(): boolean {
  return false;
}

/** Goes over what stands here: a token, or a bracket with all that is in it. */
export function step(c: Cursor): void {
  const { kind, word, text } = c.token;
  if (kind === 'open') {
    c.inside(() => (text === '(' && startsQuery(c) ? c.statement(c) : walk(c)));
  } else if (word !== '') {
    keyword(c, word);
  } else if (kind === 'word' || kind === 'name') {
    reference(c);
  } else if (kind === '.') {
    c.at++;
    if (c.isName) c.at++;
  } else if (kind === 'operator' && text === '::') {
    c.at++;
    typeName(c);
  } else {
    if (kind === 'variable') c.facts.never('a variable of the session');
    // PostgreSQL reads the clock when it takes such a text for a date, and it needs no cast for that.
    else if (isText(kind) && c.dialect.name === 'postgres' && text.length <= 40 && clock.test(text))
      c.facts.varies(`a text with '${clock.exec(text)![0].toLowerCase()}'`);
    c.at++;
  }
}

function isText(kind: string): boolean {
  return kind === 'string' || kind === 'literal';
}

const clock = /\b(now|today|tomorrow|yesterday)\b/i;

function keyword(c: Cursor, word: string): void {
  switch (word) {
    case 'SELECT':
      return c.statement(c);
    case 'AS':
      // What follows is a name, whatever it looks like: `SELECT a AS from FROM t`.
      c.at++;
      if (c.isName) c.at++;
      return;
    case 'JOIN':
    case 'INTO':
    case 'STRAIGHT_JOIN':
      return c.fail('an expression');
    case 'UNION':
    case 'INTERSECT':
    case 'EXCEPT':
      if (!isSetOperation(c)) break;
      c.at++;
      c.facts.combines = true;
      if (!c.skip('ALL')) c.skip('DISTINCT');
      if (c.word === 'TABLE') c.statement(c);
      return;
    case 'IN':
      c.at++;
      // In SQLite a table may stand for the list of its values.
      if (c.dialect.name === 'sqlite' && c.isName) readTable(c);
      return;
    case 'FOR':
      c.at++;
      if (locks.has(c.word)) c.facts.never('a lock on its rows');
      return;
    case 'LOCK':
      c.at++;
      if (c.word === 'IN') c.facts.never('a lock on its rows');
      return;
    case 'OVER':
      c.facts.combines = true;
      c.at++;
      return;
  }
  reference(c);
}

const locks = new Set(['UPDATE', 'SHARE', 'NO', 'KEY']);

/** A column, a call, or a keyword that says nothing about tables. */
function reference(c: Cursor): void {
  const first = c.token;
  let last = first;
  c.at++;
  while (c.kind === '.' && (c.peek(1).kind === 'word' || c.peek(1).kind === 'name')) {
    last = c.peek(1);
    c.at += 2;
  }
  if (c.isOpen) {
    if (last !== first || !syntax.has(first.word)) {
      call(c, c.fold(last), last === first ? undefined : c.fold(first));
      step(c);
    }
  } else if (last === first && bareFunctions[c.dialect.name].has(first.word)) {
    const reason = `${first.word}, which differs from call to call`;
    if (clocks.has(first.word.toLowerCase())) c.facts.varies(reason);
    else c.facts.never(reason);
  }
}

/** Notes a call whose opening bracket is here. @returns whether the function is known */
export function call(c: Cursor, name: string, schema: string | undefined): boolean {
  const { facts } = c;
  const purity = schema === undefined || schema === 'pg_catalog' ? purityOf(name, c.dialect) : 'unknown';
  if (purity === 'volatile') {
    // With arguments these two depend on nothing else.
    const isGiven = (name === 'unix_timestamp' && !isEmpty(c)) || (name === 'age' && hasComma(c));
    const reason = `${name}(), which differs from call to call`;
    if (name === 'set_config') setting(c);
    if (clocks.has(name)) {
      if (!isGiven) facts.varies(reason);
    } else facts.never(reason);
  } else if (c.dialect.name === 'sqlite' && timeFunctions.has(name)) {
    if (asksClock(c, name)) facts.varies(`${name}(), which may ask the clock`);
    return true;
  } else if (purity !== 'pure') {
    facts.combines = true;
    if (purity === 'unknown') facts.functions.add(schema === undefined ? name : `${schema}.${name}`);
  }
  return purity !== 'unknown';
}

/** `set_config(name, value, is_local)`, which is SET as a function. */
function setting(c: Cursor): void {
  const isLocal = c.tokens[(c.token.at as number) - 1]?.word === 'TRUE';
  if (isLocal) c.facts.local ??= 'set_config';
  else c.facts.session ??= 'set_config';
}

function asksClock(c: Cursor, name: string): boolean {
  if (isEmpty(c) || (name === 'strftime' && !hasComma(c))) return true;
  const end = c.token.at as number;
  for (let at = c.at + 1; at < end; at++) {
    const { kind, text } = c.tokens[at]!;
    // The parameter may be 'now'. So may a column, whose rows would then lie about their own time.
    if (kind === 'parameter' || kind === 'literal' || (kind === 'string' && text.trim().toLowerCase() === 'now'))
      return true;
  }
  return false;
}

function isEmpty(c: Cursor): boolean {
  return c.token.at === c.at + 1;
}

function hasComma(c: Cursor): boolean {
  const end = c.token.at as number;
  for (let at = c.at + 1; at < end; at++) {
    const token = c.tokens[at]!;
    if (token.kind === ',') return true;
    if (token.kind === 'open') at = token.at as number;
  }
  return false;
}

/** `x::numeric(10,2)`: a bracket behind a type is no call. */
function typeName(c: Cursor): void {
  if (!c.isName) return;
  c.table();
  if (c.isOpen) c.pass();
}
