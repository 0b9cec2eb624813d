import type { Dialect } from './dialect.js';
import type { Token } from './lexer.js';
import { Unreadable } from './unreadable.js';

/** Semicolons end statements, but for those in the body of a trigger or a function. */
export function* split(tokens: readonly Token[], dialect: Dialect): Iterable<[number, number]> {
  let start = 0;
  let depth = 0;
  let hasBody = false;
  for (let at = 0; at < tokens.length; at++) {
    const { kind, word, at: partner } = tokens[at]!;
    if (kind === 'open') {
      at = partner as number;
    } else if (kind === ';') {
      if (depth > 0) continue;
      yield [start, at];
      start = at + 1;
      hasBody = false;
    } else if (word !== '') {
      if (bodies.has(word)) hasBody ||= tokens[start]!.word === 'CREATE';
      if (!hasBody) continue;
      // MySQL's bodies have loops and conditions with ends of their own: they are not worked out.
      if (dialect.name === 'mysql') throw new Unreadable('a body of statements');
      if (word === 'BEGIN' || word === 'CASE') depth++;
      if (word === 'END') depth--;
    }
  }
  yield [start, tokens.length];
}

const bodies = new Set(['TRIGGER', 'FUNCTION', 'PROCEDURE', 'EVENT', 'PACKAGE']);
