import type { Cursor } from './cursor.js';
import { walk } from './expression.js';
import { targetTable } from './tables.js';
import type { StatementKind, TransactionControl } from './types.js';
import { startsQuery } from './words.js';

/**
 * Statements that are neither queries nor changes of rows. Two kinds matter: those that begin and end transactions,
 * where a word that is not understood could turn a rollback into a commit, and those that change tables as a whole.
 * For the rest it is enough to know that they are harmless; what is not surely so is unreadable.
 */
export function transaction(c: Cursor): TransactionControl {
  const control = action(c);
  if (!c.done) c.fail('the end');
  return control;
}

function action(c: Cursor): TransactionControl {
  const word = c.word;
  c.at++;
  const control = (it: TransactionControl['action'], name?: string, on = false) => ({ action: it, name, on });
  switch (word) {
    case 'START':
      c.expect('TRANSACTION');
      modes(c);
      return control('begin');
    case 'BEGIN':
      work(c);
      modes(c);
      return control('begin');
    case 'SAVEPOINT':
      return control('savepoint', c.name());
    case 'RELEASE':
      c.skip('SAVEPOINT');
      return control('release', c.name());
    case 'ROLLBACK':
    case 'ABORT':
      work(c);
      if (c.skip('TO')) {
        if (c.peek(1).kind !== 'end') c.skip('SAVEPOINT');
        return control('rollback to', c.name());
      }
      return control('rollback', undefined, chains(c));
    default: // COMMIT, END
      work(c);
      return control('commit', undefined, chains(c));
  }
}

function work(c: Cursor): void {
  if (!c.skip('WORK')) c.skip('TRANSACTION');
}

/** The isolation level and its like. */
function modes(c: Cursor): void {
  while (!c.done) {
    if (!modeWords.has(c.word) && c.kind !== ',') c.fail('a transaction mode');
    c.at++;
  }
}

const modeWords = new Set(
  `ISOLATION LEVEL SERIALIZABLE REPEATABLE READ COMMITTED UNCOMMITTED WRITE ONLY NOT DEFERRABLE WITH CONSISTENT SNAPSHOT
    DEFERRED IMMEDIATE EXCLUSIVE`.split(/\s+/),
);

function chains(c: Cursor): boolean {
  let on = false;
  if (c.skip('AND')) {
    on = !c.skip('NO');
    c.expect('CHAIN');
  }
  if (c.skip('NO')) c.expect('RELEASE');
  else c.skip('RELEASE');
  return on;
}

/** SET, USE, RESET and PRAGMA: what later statements of the connection mean. */
export function settings(c: Cursor): TransactionControl | undefined {
  const head = c.word;
  c.at++;
  let isLocal = false;
  if (head === 'SET') {
    isLocal = c.skip('LOCAL');
    if (!isLocal && !c.skip('SESSION')) c.skip('GLOBAL');
    if (c.word === 'TRANSACTION' || c.word === 'CHARACTERISTICS' || c.word === 'CONSTRAINTS') {
      c.at = c.end;
      return undefined;
    }
    if (c.dialect.name === 'mysql') {
      // MariaDB runs any statement in `SET STATEMENT … FOR …`, which the setting may give another meaning.
      if (c.word === 'STATEMENT') c.fail('a setting');
      const variable = c.token.text.replace(/^@@(session\.|local\.)?/i, '').toLowerCase();
      if (variable === 'autocommit') return autocommit(c);
      // Among several assignments it could be the second one.
      for (let at = c.at; at < c.end; at++)
        if (/autocommit$/i.test(c.tokens[at]!.text)) c.fail('autocommit on its own');
    }
  }
  const { facts } = c;
  facts.session = head === 'USE' ? 'database' : c.done ? 'all' : c.fold(c.token);
  // Nothing in a transaction comes from the cache, so for reads it does not matter.
  if (isLocal) [facts.session, facts.local] = [undefined, facts.session];
  // A function in a SET may write as it may anywhere else.
  if (c.dialect.name === 'mysql') walk(c);
  c.at = c.end;
  return undefined;
}

function autocommit(c: Cursor): TransactionControl {
  c.at++;
  if (c.kind !== 'operator') c.fail('=');
  c.at++;
  const value = c.token.text.toUpperCase();
  if (!['0', '1', 'ON', 'OFF', 'TRUE', 'FALSE', 'DEFAULT'].includes(value)) c.fail('0 or 1');
  c.at++;
  if (!c.done) c.fail('the end');
  return { action: 'autocommit', name: undefined, on: !['0', 'OFF', 'FALSE'].includes(value) };
}

export function truncate(c: Cursor): void {
  c.expect('TRUNCATE');
  c.skip('TABLE');
  do {
    if (['word', 'name', 'open'].includes(c.peek(1).kind)) c.skip('ONLY');
    c.facts.write(targetTable(c), 'truncate');
    if (c.token.text === '*') c.at++;
  } while (c.skipKind(','));
  if (c.skip('RESTART') || c.skip('CONTINUE')) c.expect('IDENTITY');
  // CASCADE empties tables that are not named, and who knows the foreign keys knows them.
  if (!c.skip('CASCADE')) c.skip('RESTRICT');
}

/** COPY of PostgreSQL, in one of two directions. */
export function copy(c: Cursor): StatementKind {
  c.expect('COPY');
  c.facts.never('COPY, which returns no rows');
  if (c.isOpen) {
    c.inside(() => c.statement(c));
    c.expect('TO');
  } else {
    const start = c.at;
    targetTable(c);
    if (c.isOpen) c.pass();
    const writes = c.skip('FROM');
    if (!writes) c.expect('TO');
    const after = c.at;
    c.at = start;
    const table = targetTable(c);
    if (writes) c.facts.write(table, 'insert');
    else c.facts.read(table);
    c.at = after;
  }
  c.at = c.end;
  return 'copy';
}

/** CREATE TABLE, DROP TABLE, indexes; everything else may change what any name means. */
export function definition(c: Cursor): void {
  if (c.skip('REFRESH', 'MATERIALIZED', 'VIEW')) {
    c.skip('CONCURRENTLY');
    c.facts.write(targetTable(c), 'ddl');
    c.at = c.end;
  } else if (c.skip('CREATE')) {
    c.skip('OR', 'REPLACE');
    if (!c.skip('GLOBAL')) c.skip('LOCAL');
    if (c.skip('TEMPORARY') || c.skip('TEMP')) c.facts.session = 'temporary table';
    c.skip('UNLOGGED');
    if (c.skip('TABLE')) createTable(c);
    else {
      c.skip('UNIQUE');
      if (!c.skip('INDEX')) c.fail('TABLE or INDEX');
      c.at = c.end;
    }
  } else {
    c.expect('DROP');
    if (c.skip('TEMPORARY')) c.facts.session = 'temporary table';
    if (c.skip('INDEX')) {
      c.at = c.end;
      return;
    }
    c.expect('TABLE');
    c.skip('IF', 'EXISTS');
    do c.facts.write(targetTable(c), 'ddl');
    while (c.skipKind(','));
    // CASCADE drops views too.
    c.skip('RESTRICT');
  }
}

function createTable(c: Cursor): void {
  c.skip('IF', 'NOT', 'EXISTS');
  c.facts.write(targetTable(c), 'ddl').creates = true;
  // Columns and options, up to the query if there is one.
  while (!c.done && c.word !== 'AS' && c.word !== 'SELECT' && c.word !== 'EXECUTE') {
    if (c.isOpen && startsQuery(c)) break;
    if (c.kind === 'open') c.pass();
    else c.at++;
  }
  if (c.done) return;
  c.skip('AS');
  // [NO] DATA stands behind the query.
  const { end } = c;
  if (c.tokens[end - 1]!.word === 'DATA') c.end -= c.tokens[end - 2]!.word === 'NO' ? 3 : 2;
  c.statement(c);
  if (!c.done) c.fail('the end');
  c.at = c.end = end;
}
