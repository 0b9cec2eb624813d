import type { Cursor } from './cursor.js';
import type { Dialect } from './dialect.js';

/**
 * Which words end what. A word counts only where the dialect reserves it, or where what follows leaves no doubt:
 * `offset` is a keyword in PostgreSQL and a fine name for a table in MySQL.
 */

/** Words that end a FROM list or a condition, and can be no names. */
const reserved: Record<Dialect['name'], ReadonlySet<string>> = {
  postgres: new Set(
    words('WHERE GROUP HAVING WINDOW ORDER LIMIT OFFSET FETCH FOR UNION INTERSECT EXCEPT INTO RETURNING'),
  ),
  mysql: new Set(words('WHERE GROUP HAVING ORDER LIMIT FETCH FOR UNION INTO LOCK PROCEDURE SET')),
  sqlite: new Set(words('WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT RETURNING SET')),
};

/** Whether the clause that was being read ends here. */
export function endsClause(c: Cursor): boolean {
  const { word } = c;
  if (word === '') return false;
  if (reserved[c.dialect.name].has(word)) return true;
  switch (word) {
    case 'WINDOW':
      return c.peek(2).word === 'AS';
    case 'INTERSECT':
    case 'EXCEPT':
      return isSetOperation(c);
    default:
      return isTail(c);
  }
}

export function isSetOperation(c: Cursor): boolean {
  if (c.word !== 'UNION' && c.word !== 'INTERSECT' && c.word !== 'EXCEPT') return false;
  const next = c.peek(1);
  return queryHeads.has(next.word) || next.word === 'ALL' || next.word === 'DISTINCT' || next.text === '(';
}

/** What an INSERT, or any other change, ends with. */
export function isTail(c: Cursor): boolean {
  if (c.word === 'ON') {
    const next = c.peek(1).word;
    const third = c.peek(2);
    if (next === 'DUPLICATE') return third.word === 'KEY';
    return next === 'CONFLICT' && (third.text === '(' || third.word === 'DO' || third.word === 'ON');
  }
  if (c.word !== 'RETURNING' || c.dialect.name !== 'mysql') return c.word === 'RETURNING';
  // MariaDB has it; in MySQL it may be a column.
  const next = c.peek(1);
  return (
    next.kind !== 'end' && next.kind !== ',' && next.kind !== '.' && (next.kind !== 'operator' || next.text === '*')
  );
}

/** How many words of a join stand here (`LEFT OUTER JOIN` is 3), or 0. `LEFT(a, 1)` is none. */
export function joinLength(c: Cursor): number {
  if (c.word === 'STRAIGHT_JOIN' && c.dialect.name === 'mysql') return 1;
  for (let length = 0; length < 4; length++) {
    const { word } = c.peek(length);
    if (word === 'JOIN') return length + 1;
    if (!joins.has(word)) return 0;
  }
  return 0;
}

const joins = new Set(words('NATURAL CROSS INNER LEFT RIGHT FULL OUTER'));

export const queryHeads = new Set(words('SELECT WITH VALUES TABLE'));

/** Whether what begins here is a query, perhaps in brackets, and not an expression or a list of tables. */
export function startsQuery(c: Cursor, at = c.at): boolean {
  const token = c.tokens[at];
  if (token === undefined || at >= c.end) return false;
  if (queryHeads.has(token.word)) return c.tokens[at + 1]?.kind !== '.';
  if (token.text !== '(' || token.kind !== 'open') return false;
  if (!startsQuery(c, at + 1)) return false;
  // `((SELECT 1) UNION …)` is one; `((SELECT 1) x JOIN t …)` is a list and `((SELECT 1) + 1)` an expression.
  const next = (token.at as number) + 1;
  return next >= c.end || afterQuery.has(c.tokens[next]!.word) || c.tokens[next]!.kind === 'close';
}

const afterQuery = new Set(words('UNION INTERSECT EXCEPT ORDER LIMIT OFFSET FETCH FOR ON RETURNING'));

/** Whether the word here can be the alias of a table. Whoever takes it for one must be strict about what follows. */
export function isAlias(c: Cursor): boolean {
  if (c.kind === 'name' || (c.kind === 'string' && c.dialect.name === 'sqlite')) return true;
  return c.kind === 'word' && !notAlias.has(c.word) && joinLength(c) === 0 && !endsClause(c);
}

const notAlias = new Set(
  words(
    'ON USING SET AS TABLESAMPLE PARTITION INDEXED NOT WITH WHEN SELECT VALUES DEFAULT FROM USE FORCE IGNORE LATERAL',
  ),
);

function words(text: string): string[] {
  return text.split(' ');
}
