import { hash } from 'node:crypto';
import type { Dialect } from './dialect.js';
import { type Token, tokenize } from './lexer.js';
import { Unreadable } from './unreadable.js';

/**
 * What two statements share that differ in their values only: for statistics, never for keys. Values become `?`, lists
 * of them become one, comments and the case of bare words are gone. It holds no value, so it can be shown and logged.
 */
export interface Fingerprint {
  readonly text: string;
  /** 16 characters, the same in every process and every release. */
  readonly hash: string;
}

export function fingerprint(sql: string, dialect: Dialect): Fingerprint {
  let text: string;
  try {
    text = normalise(tokenize(sql, dialect).tokens);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    // Where its values begin and end is not known, so none of it is shown.
    text = '(unreadable)';
    return { text, hash: short(sql) };
  }
  return { text, hash: short(text) };
}

const short = (text: string) => hash('sha256', text, 'base64url').slice(0, 16);

function normalise(tokens: readonly Token[]): string {
  const parts: string[] = [];
  for (const token of tokens) {
    const part = textOf(token);
    parts.push(part);
    if (part === ')') collapse(parts);
  }
  return parts
    .join(' ')
    .replace(/ ?\. ?/g, '.')
    .replace(/ ([,;)\]])/g, '$1')
    .replace(/([([]) /g, '$1')
    .replace(/;$/, '');
}

function textOf({ kind, text }: Token): string {
  switch (kind) {
    case 'string':
    case 'number':
    case 'literal':
    case 'parameter':
      return '?';
    case 'word':
      return text.toLowerCase();
    case 'name':
      return /^[a-z_][a-z0-9_]*$/.test(text) ? text : `"${text}"`;
    default:
      return text;
  }
}

/** `( ? , ? )` is `( ?… )` whatever the count, and rows of values in a row are one. */
function collapse(parts: string[]): void {
  let at = parts.length - 2;
  while (at > 0 && (parts[at] === '?' || parts[at] === ',' || parts[at] === '?…')) at--;
  if (parts[at] !== '(' || at === parts.length - 2) return;
  parts.splice(at + 1, parts.length, '?…', ')');
  if (parts.slice(at - 4, at).join(' ') === '( ?… ) ,') parts.splice(at - 1, parts.length);
}
