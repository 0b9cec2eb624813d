import type { Dialect } from './dialect.js';
import type { Token } from './lexer.js';
import type { Statement, TransactionControl } from './types.js';

/**
 * What a statement says about a BEGIN before it: PostgreSQL refuses some definitions in a transaction, and in MySQL a
 * BEGIN lets go of tables that were locked. Words tell, wherever comments stand; a text or a quoted name is none.
 */
export function aloneness(
  tokens: readonly Token[],
  { name }: Dialect,
  control?: TransactionControl,
): Pick<Statement, 'refusesTransaction' | 'holdsTables'> {
  const [first = '', second = ''] = [tokens[0]?.word, tokens[1]?.word];
  return {
    refusesTransaction: name === 'postgres' && defines.has(first) && (outside.has(second) || isConcurrent(tokens)),
    holdsTables: name === 'mysql' ? (tables.has(second) ? locks[first] : begins(control)) : undefined,
  };
}

/** `false`: whoever begins a transaction, also behind a COMMIT AND CHAIN, lets go of all tables. */
function begins(control: TransactionControl | undefined): false | undefined {
  if (control?.action === 'begin') return false;
  return control?.on && control.action !== 'autocommit' ? false : undefined;
}

/** REFRESH … CONCURRENTLY is none of them. */
const defines = new Set(['CREATE', 'ALTER', 'DROP']);
const outside = new Set(['DATABASE', 'TABLESPACE', 'SUBSCRIPTION', 'SYSTEM']);

function isConcurrent(tokens: readonly Token[]): boolean {
  return tokens.some(({ word }) => word === 'CONCURRENTLY');
}

const tables = new Set(['TABLE', 'TABLES']);
const locks: Readonly<Record<string, boolean>> = { LOCK: true, UNLOCK: false };
