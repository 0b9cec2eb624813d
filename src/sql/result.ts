import { aloneness } from './aloneness.js';
import type { Cursor } from './cursor.js';
import { type Dialect, foldName } from './dialect.js';
import type { Facts } from './facts.js';
import type { Token } from './lexer.js';
import { outputOf } from './output.js';
import type { Read, RowOutput, Statement, StatementKind, TransactionControl } from './types.js';

/** What was found, in the form in which it is told: {@link Statement}. */
export function resultOf(c: Cursor, kind: StatementKind, control?: TransactionControl): Statement {
  const { facts } = c;
  const named = namesOf(c);
  if (facts.writes.length > 0) facts.never('a statement that writes');
  if (kind !== 'select') facts.never('a statement that is no query');
  return {
    kind,
    opaque: undefined,
    reads: readsOf(facts),
    writes: facts.writes,
    uncacheable: facts.uncacheable,
    untracked: facts.untracked,
    functions: [...facts.functions],
    transaction: control,
    session: facts.session,
    local: facts.local,
    // A comment alone is nothing.
    commitsImplicitly:
      c.dialect.name === 'mysql' &&
      c.end > c.start &&
      (control?.action === 'begin' || (commits.has(kind) && facts.session !== 'temporary table')),
    ...aloneness(c.tokens.slice(c.start, c.end), c.dialect, control),
    parts: [],
    names: named.names,
    readsWholeRows: facts.wholeRows || named.hasWholeRows,
    rowOutput: kind === 'select' ? rowOutput(c) : undefined,
    needsRows: kind === 'select' && isOfRows(c),
  };
}

const commits = new Set<StatementKind>(['ddl', 'truncate', 'other', 'opaque']);

const nothing: ReadonlySet<string> = new Set();

export function opaque(reason: string, dialect: Dialect, session?: string): Statement {
  return {
    kind: 'opaque',
    opaque: reason,
    reads: [],
    writes: [],
    uncacheable: reason,
    untracked: reason,
    functions: [],
    transaction: undefined,
    session,
    local: undefined,
    commitsImplicitly: dialect.name === 'mysql',
    refusesTransaction: false,
    holdsTables: undefined,
    parts: [],
    names: nothing,
    readsWholeRows: true,
    rowOutput: undefined,
    needsRows: false,
  };
}

/** Each table once. It is narrowed only if nothing else in the statement has its name, in whatever schema. */
function readsOf(facts: Facts): Read[] {
  const reads = new Map<string, Read>();
  for (const { table, equalities, isTarget } of facts.places) {
    if (isTarget) continue;
    const once = facts.places.every((other) => other.equalities === equalities || other.table.name !== table.name);
    reads.set(`${table.schema ?? ''}.${table.name}`, { table, once, equalities: once ? equalities : [] });
  }
  return [...reads.values()];
}

function namesOf(c: Cursor): { names: Set<string>; hasWholeRows: boolean } {
  const names = new Set<string>();
  const { exposed, introductions } = c.facts;
  let hasWholeRows = false;
  for (let at = c.start; at < c.end; at++) {
    const token = c.tokens[at]!;
    if (token.kind === 'word' || token.kind === 'name') {
      const name = c.fold(token);
      names.add(name);
      // PostgreSQL: the name of a table where a value is expected is its whole row.
      const isValue = exposed.has(name) && !introductions.has(at);
      if (isValue && c.tokens[at + 1]?.kind !== '.' && c.tokens[at - 1]?.kind !== '.') hasWholeRows = true;
    } else if (token.kind === 'string' && c.dialect.name === 'sqlite') {
      names.add(foldName(token.text, c.dialect)); // a name where it can be no value
    } else if (token.kind === 'operator' && token.text === '*') {
      hasWholeRows ||= isStar(c.tokens[at - 1], c.tokens[at + 1]);
    }
  }
  return { names, hasWholeRows };
}

/** Whether a `*` means all columns: not between two operands, and not `count(*)`. */
function isStar(before: Token | undefined, after: Token | undefined): boolean {
  if (before?.kind === '.' || before?.kind === ',' || before === undefined || before.kind === 'operator') return true;
  if (before.kind === 'open') return after?.kind !== 'close';
  return (
    after === undefined ||
    [',', 'close', ';'].includes(after.kind) ||
    starNeighbours.test(after.word) ||
    starNeighbours.test(before.word)
  );
}

const starNeighbours =
  /^(SELECT|DISTINCT|ALL|RETURNING|FROM|INTO|WHERE|UNION|EXCEPT|INTERSECT|ORDER|LIMIT|SQL_\w+|STRAIGHT_JOIN)$/;

/** See {@link Statement.rowOutput}. */
function rowOutput(c: Cursor): RowOutput | undefined {
  const { queries, joins, merges, places, list } = c.facts;
  const isOfOne = queries === 1 && !joins && !merges && places.length === 1;
  return isOfOne && isOfRows(c) ? outputOf(c, list[0], list[1]) : undefined;
}

/** See {@link Statement.needsRows}. Any other query may have rows where this one has none. */
function isOfRows({ facts: { queries, sources, combines, writes } }: Cursor): boolean {
  return queries - sources === 1 && !combines && writes.length === 0;
}
