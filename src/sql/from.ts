import type { Cursor } from './cursor.js';
import { claim } from './equalities.js';
import { call, step, walk } from './expression.js';
import type { Item } from './facts.js';
import { purityOf } from './functions.js';
import { readTable } from './tables.js';
import { endsClause, isAlias, isTail, joinLength, startsQuery } from './words.js';

/**
 * The list behind FROM, and behind USING and UPDATE where they take one. Here tables have names, so here nothing is
 * guessed: whatever is not one of the known forms makes the statement unreadable.
 *
 * The conditions of joins narrow their tables. An inner join's holds for every row that comes out of it, an outer
 * join's only for the side that may be missing: the rows of the other side come out, whether it holds or not.
 */
export function fromList(c: Cursor): Item[] {
  const items = joined(c);
  while (c.skipKind(',')) {
    c.facts.joins = true;
    items.push(...joined(c));
  }
  if (!c.done) {
    if (!endsClause(c)) c.fail('the end of a list of tables');
    // A keyword with a comma or a join behind it was an alias, and the list goes on.
    const ahead = c.peek(1);
    if (ahead.kind === ',' || ahead.word === 'JOIN' || ahead.word === 'ON') c.fail('a clause');
    if (c.word === 'FOR' && !['UPDATE', 'SHARE', 'NO', 'KEY', 'READ'].includes(ahead.word)) c.fail('a lock');
  }
  return items;
}

function joined(c: Cursor): Item[] {
  const { facts } = c;
  let left = primary(c);
  // `a LEFT JOIN b JOIN c ON … ON …`: which condition is whose is not worked out.
  let nests = false;
  for (let length = joinLength(c); length > 0; length = joinLength(c)) {
    facts.joins = true;
    let side = 'inner';
    let needsCondition = true;
    let shares = false;
    for (let at = 0; at < length; at++) {
      const { word } = c.peek(at);
      if (word === 'LEFT' || word === 'RIGHT' || word === 'FULL') side = side === 'inner' ? word : 'FULL';
      if (word === 'NATURAL') facts.wholeRows = shares = true;
      if (word === 'NATURAL' || word === 'CROSS') needsCondition = false;
    }
    c.at += length;
    const right = primary(c);
    const narrowed = side === 'inner' ? [...left, ...right] : side === 'LEFT' ? right : side === 'RIGHT' ? left : [];
    left = [...left, ...right];
    if (!onHere(c) && c.word !== 'USING' && needsCondition && joinLength(c) > 0) nests = true;
    for (; onHere(c) || c.word === 'USING'; nests = nests || onHere(c)) {
      if (c.skip('USING')) {
        shares = true;
        if (!c.isOpen) c.fail('a list of columns');
        c.pass();
        if (c.skip('AS')) c.name();
      } else {
        c.at++;
        const start = c.at;
        walk(c, isConditionEnd);
        if (!nests) claim(c, start, c.at, narrowed, true);
      }
    }
    // A shared column has a value where one of the tables has no row, so a condition on it needs none of that table.
    if (shares && (side !== 'inner' || nests)) facts.combines = true;
  }
  return left;
}

function onHere(c: Cursor): boolean {
  return c.word === 'ON' && !isTail(c);
}

function isConditionEnd(c: Cursor): boolean {
  return c.kind === ',' || c.word === 'ON' || c.word === 'USING' || endsClause(c) || joinLength(c) > 0;
}

/** One table, or what stands for one. */
export function primary(c: Cursor): Item[] {
  c.skip('LATERAL');
  if (c.word === 'ROWS' && c.peek(1).word === 'FROM') {
    c.at += 2;
    step(c);
    ordinality(c);
    return [{ exposed: alias(c), schema: undefined, place: undefined }];
  }
  if (c.isOpen) return bracket(c);
  const only = c.skip('ONLY') && c.isOpen;
  let item!: Item;
  if (only) c.inside(() => (item = named(c)));
  else item = named(c);
  if (c.kind === 'operator' && c.token.text === '*' && c.dialect.name === 'postgres') c.at++;
  if (c.dialect.name === 'mysql' && c.word === 'PARTITION') bracketBehind(c, 1);
  const other = alias(c);
  const place = isRenamed(c) ? undefined : item.place;
  hints(c);
  return [other === undefined ? item : { exposed: other, schema: undefined, place }];
}

/** A table by its name, or a function. */
function named(c: Cursor): Item {
  if (!isAlias(c)) c.fail('a table');
  const start = c.at;
  const path = c.table();
  if (c.isOpen) {
    const isKnown = call(c, path.name, path.schema);
    // A virtual table of SQLite takes arguments as a function does: FROM mails('fts5').
    if (!isKnown && c.dialect.name === 'sqlite') c.facts.read(path);
    if (purityOf(path.name, c.dialect) === 'aggregate') c.fail('a table');
    step(c);
    ordinality(c);
    return { exposed: path.name, schema: undefined, place: undefined };
  }
  c.at = start;
  if (c.dialect.name === 'mysql' && c.skip('DUAL')) return { exposed: undefined, schema: undefined, place: undefined };
  const { table, place } = readTable(c);
  c.facts.exposed.add(table.name);
  return { exposed: table.name, schema: table.schema, place };
}

/** A query or a list of tables. One that has others beside it may be the side that a join leaves out. */
function bracket(c: Cursor): Item[] {
  let items: Item[] = [];
  const isQuery = startsQuery(c, c.at + 1);
  const isFirst = c.peek(-1).word === 'FROM' && c.peek(1).word === 'SELECT';
  c.inside(() => {
    if (isQuery) c.statement(c);
    else items = fromList(c);
  });
  const name = alias(c);
  if (name !== undefined && isRenamed(c)) items = [];
  if (isFirst && c.kind !== ',' && joinLength(c) === 0) c.facts.sources++;
  if (isQuery) return [{ exposed: name, schema: undefined, place: undefined }];
  // An alias for a join hides the names in it; columns without a qualifier still mean its tables.
  return name === undefined ? items : items.map(({ place }) => ({ exposed: undefined, schema: undefined, place }));
}

function ordinality(c: Cursor): void {
  if (c.word === 'WITH') {
    c.at++;
    c.expect('ORDINALITY');
  }
}

/** `[AS] name [(columns)]`, folded. */
export function alias(c: Cursor): string | undefined {
  const hasAs = c.skip('AS');
  let name: string | undefined;
  if (hasAs ? c.isName : isAlias(c)) {
    c.facts.introductions.add(c.at);
    name = c.name();
    c.facts.exposed.add(name);
  } else if (hasAs && !c.isOpen) c.fail('an alias');
  if (c.isOpen && (hasAs || name !== undefined)) {
    // `users AS u(a, b)`: columns are read by other names, and those in the result are others'.
    c.facts.wholeRows = true;
    c.facts.combines = true;
    c.pass();
  }
  return name;
}

/** Whether the alias that was read lists columns: what is said by those names is not about the table's own. */
function isRenamed(c: Cursor): boolean {
  return c.peek(-1).kind === 'close';
}

/** What may stand behind a table and says nothing about which rows. */
function hints(c: Cursor): void {
  if (c.dialect.name === 'mysql') {
    while (isIndexHint(c)) {
      c.at += 2;
      if (c.skip('FOR') && !c.skip('JOIN')) c.at += 2;
      bracketBehind(c, 0);
      if (c.kind === ',' && ['USE', 'FORCE', 'IGNORE'].includes(c.peek(1).word)) c.at++;
    }
  } else if (c.dialect.name === 'sqlite') {
    if (c.skip('INDEXED', 'BY')) c.name();
    else c.skip('NOT', 'INDEXED');
  } else if (c.skip('TABLESAMPLE')) {
    c.facts.varies('a random sample');
    c.table();
    bracketBehind(c, 0);
    if (c.word === 'REPEATABLE') bracketBehind(c, 1);
  }
}

function isIndexHint(c: Cursor): boolean {
  const next = c.peek(1).word;
  return ['USE', 'FORCE', 'IGNORE'].includes(c.word) && (next === 'INDEX' || next === 'KEY');
}

function bracketBehind(c: Cursor, words: number): void {
  c.at += words;
  if (!c.isOpen) c.fail('a bracket');
  c.pass();
}
