import type { Cursor } from './cursor.js';
import { claim } from './equalities.js';
import { step, walk } from './expression.js';
import type { Item } from './facts.js';
import { fromList } from './from.js';
import { readTable, targetTable } from './tables.js';
import { endsClause, isSetOperation, isTail } from './words.js';

/**
 * Queries: SELECT, VALUES, TABLE, brackets around them, and unions of them. Each SELECT has its own list of tables,
 * and its WHERE narrows those and no others.
 */
export function query(c: Cursor): void {
  while (!c.done && !isTail(c)) {
    if (c.word === 'SELECT') select(c);
    else if (c.word === 'TABLE') {
      c.at++;
      c.skip('ONLY');
      readTable(c);
      c.facts.combines = true;
      c.facts.wholeRows = true;
    } else if (c.word === 'FROM' || c.word === 'WHERE') c.fail('a SELECT');
    else {
      if (c.word === 'VALUES') c.facts.combines = true;
      step(c);
    }
  }
}

const options = /^(DISTINCT|DISTINCTROW|ALL|HIGH_PRIORITY|STRAIGHT_JOIN|SQL_[A-Z_]+)$/;

function select(c: Cursor): void {
  const { facts } = c;
  facts.queries++;
  c.at++;
  const start = c.at;
  for (; options.test(c.word); c.at++) if (c.word.startsWith('DISTINCT')) facts.merges = true;
  let items: Item[] | undefined;
  while (!c.done && !isTail(c) && !isSetOperation(c)) {
    if (c.word === 'FROM' && !isDistinctFrom(c)) {
      if (items !== undefined) c.fail('one FROM');
      facts.list = [start, c.at];
      c.at++;
      items = fromList(c);
    } else if (c.word === 'WHERE') {
      where(c, items ?? []);
    } else if (c.word === 'INTO') {
      into(c);
    } else {
      if (c.word === 'GROUP' || c.word === 'HAVING') facts.combines = true;
      step(c);
    }
  }
}

/** `a IS [NOT] DISTINCT FROM b`. (In PostgreSQL `SELECT DISTINCT FROM t` is a query without columns.) */
export function isDistinctFrom(c: Cursor): boolean {
  if (c.peek(-1).word !== 'DISTINCT' || c.peek(-2).kind === '.') return false;
  return c.peek(-2).word === 'IS' || (c.peek(-2).word === 'NOT' && c.peek(-3).word === 'IS');
}

/** Goes over a WHERE and notes what it demands of the tables in `items`. */
export function where(c: Cursor, items: readonly Item[]): void {
  c.expect('WHERE');
  const start = c.at;
  walk(c, endsClause);
  // If what ended the condition was a column after all, an OR may follow and take back what was demanded.
  for (let at = c.at; at < c.end; at++) {
    const { kind, word, text, at: partner } = c.tokens[at]!;
    if (word === 'SELECT') break;
    if (word === 'OR' || word === 'XOR' || text === '||') return;
    if (kind === 'open') at = partner as number;
  }
  claim(c, start, c.at, items);
}

/** `INTO table` makes one in PostgreSQL; `INTO @a`, `INTO OUTFILE` do something outside of the result in MySQL. */
function into(c: Cursor): void {
  c.at++;
  if (c.dialect.name === 'postgres') {
    if (c.word === 'TEMPORARY' || c.word === 'TEMP') c.facts.session = 'temporary table';
    c.skipAny(new Set(['TEMPORARY', 'TEMP', 'UNLOGGED', 'LOCAL', 'GLOBAL', 'TABLE']));
    c.facts.write(targetTable(c), 'ddl').creates = true;
  } else {
    c.facts.never('INTO, which has an effect besides its result');
    if (c.kind !== 'variable' && c.word !== 'OUTFILE' && c.word !== 'DUMPFILE') c.fail('a variable');
    // Its commas separate variables, its words say how a file is written.
    while (!c.done && !c.token.word.startsWith('FROM') && !endsClause(c)) step(c);
  }
}
