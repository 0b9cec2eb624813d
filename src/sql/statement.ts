import { aloneness } from './aloneness.js';
import { copy, definition, settings, transaction, truncate } from './command.js';
import { Cursor } from './cursor.js';
import type { Dialect } from './dialect.js';
import { Facts } from './facts.js';
import { insert } from './insert.js';
import { type Token, tokenize } from './lexer.js';
import { query } from './query.js';
import { opaque, resultOf } from './result.js';
import { split } from './split.js';
import type { Read, Statement, StatementKind, Table, TransactionControl } from './types.js';
import { Unreadable } from './unreadable.js';
import { startsQuery } from './words.js';
import { merge, remove, update } from './write.js';

/**
 * From a text to what is known of it. The text is cut into statements, the first word says what each of them is, and
 * whoever knows that kind reads it to its last token. A statement of which a single token is left over, or whose first
 * word nobody knows, is opaque. So nothing is skipped: what is not understood is said to be not understood.
 */
export function read(sql: string, dialect: Dialect): Statement {
  try {
    const { tokens, versions } = tokenize(sql, dialect);
    const statement = readAll(tokens, dialect);
    if (versions.size === 0 || (versions.size === 1 && versions.has('/*!'))) return statement;
    if ([...versions].filter((version) => version !== '/*!').length > 1)
      throw new Unreadable('comments for several versions');
    return eitherWay(statement, readAll(tokenize(sql, dialect, false).tokens, dialect));
  } catch (error) {
    return opaque(reasonOf(error), dialect);
  }
}

/** The server runs what stands in comments for its version, or does not: both readings hold. */
function eitherWay(run: Statement, skipped: Statement): Statement {
  if (skipped.kind === 'other' && skipped.names.size === 0 && run.transaction === undefined) return run;
  if (run.opaque !== undefined) return run;
  if (skipped.opaque !== undefined) return skipped;
  if (run.kind !== skipped.kind || run.kind === 'several' || run.kind === 'transaction')
    throw new Unreadable('a comment that may be a statement');
  const tables = new Map<string, Table>();
  for (const { table } of [...run.reads, ...skipped.reads]) tables.set(`${table.schema}.${table.name}`, table);
  return {
    ...run,
    reads: Array.from(tables.values(), (table) => ({ table, once: false, equalities: [] })),
    writes: [...run.writes, ...skipped.writes].map((write) => ({
      ...write,
      equalities: [],
      assigned: undefined,
      set: new Map(),
      inserted: undefined,
      conflict: undefined,
      returned: undefined,
      creates: false,
      how: write.how === 'insert' ? 'upsert' : write.how,
    })),
    uncacheable: run.uncacheable ?? skipped.uncacheable,
    untracked: run.untracked ?? skipped.untracked,
    functions: [...new Set([...run.functions, ...skipped.functions])],
    readsWholeRows: run.readsWholeRows || skipped.readsWholeRows,
    rowOutput: undefined,
    needsRows: false,
  };
}

function readAll(tokens: readonly Token[], dialect: Dialect): Statement {
  const parts: Statement[] = [];
  for (const [start, end] of split(tokens, dialect)) if (start < end) parts.push(readOne(tokens, start, end, dialect));
  if (parts.length === 1) return parts[0]!;
  if (parts.length === 0) return resultOf(new Cursor(tokens, 0, 0, dialect, new Facts(), body), 'other');
  const reads = new Map<string, Read>();
  for (const part of parts)
    for (const { table } of part.reads)
      reads.set(`${table.schema}.${table.name}`, { table, once: false, equalities: [] });
  return {
    kind: 'several',
    opaque: parts.find((part) => part.opaque !== undefined)?.opaque,
    reads: [...reads.values()],
    writes: parts.flatMap((part) => part.writes),
    uncacheable: 'several statements in one text',
    untracked: 'several statements in one text',
    functions: [...new Set(parts.flatMap((part) => part.functions))],
    transaction: undefined,
    session: parts.find((part) => part.session !== undefined)?.session,
    local: parts.find((part) => part.local !== undefined)?.local,
    commitsImplicitly: parts.some((part) => part.commitsImplicitly),
    refusesTransaction: parts.some((part) => part.refusesTransaction),
    holdsTables: parts.findLast((part) => part.holdsTables !== undefined)?.holdsTables,
    parts,
    names: new Set(parts.flatMap((part) => [...part.names])),
    readsWholeRows: parts.some((part) => part.readsWholeRows),
    rowOutput: undefined,
    needsRows: false,
  };
}

function readOne(tokens: readonly Token[], start: number, end: number, dialect: Dialect): Statement {
  const facts = new Facts();
  const c = new Cursor(tokens, start, end, dialect, facts, body);
  try {
    const { kind, control } = head(c);
    if (!c.done) c.fail('the end');
    return resultOf(c, kind, control);
  } catch (error) {
    const isDefinition = dialect.name !== 'mysql' && definitions.has(tokens[start]!.word);
    return {
      ...opaque(reasonOf(error), dialect, facts.session),
      ...(isDefinition && { kind: 'ddl' }),
      ...aloneness(tokens.slice(start, end), dialect),
    };
  }
}

/** What comes behind is for the database to know; but they belong to their transaction, which MySQL's would end. */
const definitions = new Set(['ALTER', 'CREATE', 'DROP', 'GRANT', 'REVOKE', 'COMMENT']);

interface Head {
  readonly kind: StatementKind;
  readonly control?: TransactionControl;
}

function head(c: Cursor): Head {
  const { word } = c;
  switch (word) {
    case 'BEGIN':
    case 'START':
    case 'COMMIT':
    case 'END':
    case 'ROLLBACK':
    case 'ABORT':
    case 'SAVEPOINT':
    case 'RELEASE':
      return { kind: 'transaction', control: transaction(c) };
    case 'SET':
    case 'RESET':
    case 'USE':
    case 'PRAGMA':
    case 'DISCARD': {
      const control = settings(c);
      return control === undefined ? { kind: 'set' } : { kind: 'transaction', control };
    }
    case 'TRUNCATE':
      truncate(c);
      return { kind: 'truncate' };
    case 'COPY':
      return { kind: copy(c) };
    case 'CREATE':
    case 'DROP':
    case 'REFRESH':
      definition(c);
      return { kind: 'ddl' };
    case 'EXPLAIN':
    case 'ANALYZE':
    case 'DESCRIBE':
    case 'DESC':
      return explain(c);
    case 'DECLARE':
      while (!c.done && c.word !== 'FOR') c.at++;
      c.expect('FOR');
      body(c);
      return { kind: 'other' };
  }
  if (harmless.has(word)) {
    c.at = c.end;
    return { kind: 'other' };
  }
  return { kind: body(c) };
}

/** They change no rows of tables, and what they return is not cached. */
const harmless = new Set(
  `SHOW VACUUM CHECKPOINT LISTEN UNLISTEN NOTIFY DEALLOCATE FETCH MOVE CLOSE LOCK UNLOCK REINDEX CLUSTER HELP
    CHECK OPTIMIZE FLUSH KILL`.split(/\s+/),
);

/** EXPLAIN shows a plan. With ANALYZE it runs the statement, and so does MariaDB's ANALYZE. */
function explain(c: Cursor): Head {
  const analyzes = c.word === 'ANALYZE';
  let runs = analyzes && c.dialect.name === 'mysql';
  c.at++;
  c.facts.never('a plan');
  while (!c.done && !statementHeads.has(c.word) && !startsQuery(c)) {
    const last = c.isOpen ? (c.token.at as number) : c.at;
    for (; c.at <= last; c.at++) if (c.word === 'ANALYZE' || c.word === 'ANALYSE') runs ||= !analyzes;
  }
  if (runs && !c.done) head(c);
  c.at = c.end;
  return { kind: 'other' };
}

const statementHeads = new Set(
  'SELECT INSERT UPDATE DELETE REPLACE MERGE WITH VALUES EXECUTE CREATE REFRESH DECLARE CALL'.split(' '),
);

/** A query or a change of rows, up to the end or to what only the one around it understands. */
function body(c: Cursor): StatementKind {
  if (c.word === 'WITH') withClause(c);
  switch (c.word) {
    case 'INSERT':
    case 'REPLACE':
      return insert(c);
    case 'UPDATE':
      update(c);
      return 'update';
    case 'DELETE':
      remove(c);
      return 'delete';
    case 'MERGE':
      merge(c);
      return 'merge';
  }
  if (!startsQuery(c)) throw new Unreadable(c.word === '' ? 'no keyword at its start' : `${c.word} at its start`);
  query(c);
  return 'select';
}

function withClause(c: Cursor): void {
  c.at++;
  const isRecursive = c.skip('RECURSIVE') || c.dialect.name === 'sqlite';
  do {
    const start = c.at;
    const name = c.name();
    c.facts.introductions.add(start);
    if (c.isOpen) c.pass();
    c.expect('AS');
    c.skip('NOT');
    c.skip('MATERIALIZED');
    if (!c.isOpen) c.fail('a bracket');
    const before = c.facts.writes.length;
    c.inside(() => {
      if (isRecursive) c.ctes = [...c.ctes, name];
      c.statement(c);
    });
    c.facts.readReturned(before);
    c.ctes = [...c.ctes, name];
    if (c.word === 'SEARCH' || c.word === 'CYCLE')
      while (!c.done && !statementHeads.has(c.word) && !isNextName(c)) c.at++;
  } while (c.skipKind(','));
}

/** `, name AS (` or `, name (columns) AS (`, and not one more column of a CYCLE. */
function isNextName(c: Cursor): boolean {
  return c.kind === ',' && (c.peek(2).word === 'AS' || c.peek(2).kind === 'open');
}

function reasonOf(error: unknown): string {
  if (error instanceof Unreadable) return error.message;
  throw error;
}
