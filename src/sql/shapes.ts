import { Unreadable } from './unreadable.js';

/** What the pieces of a statement look like. Every pattern is sticky, and none goes back: a text of megabytes is read. */
/** Where a comment ends. PostgreSQL's may stand in each other. */
export function behindComment(sql: string, start: number, nests: boolean): number {
  let depth = 0;
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  for (let found = edge.exec(sql); found !== null; found = edge.exec(sql)) {
    if (found[0] === '*/') depth--;
    else if (depth === 0 || nests) depth++;
    if (depth === 0) return edge.lastIndex;
    // `/*/` opens a comment and does not close it.
    if (depth === 1 && found.index === start) edge.lastIndex = start + 2;
  }
  throw new Unreadable('a comment that is not closed');
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isWordStart(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code >= 0x80;
}

export const commonWord = /[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*/y;
export const mysqlWord = /[\w$\x80-\uffff]+/y;
export const digitWord = /\d+[A-Za-z_$\x80-\uffff][\w$\x80-\uffff]*/y;
export const asciiWord = /^\w+$/;
export const numeral = /0[xX][\da-fA-F_]+|0[bBoO][0-7_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
export const plainNumber = /^\d+(\.\d+)?$/;
export const single = /'[^']*(?:''[^']*)*'/y;
export const double = /"[^"]*(?:""[^"]*)*"/y;
export const escapedSingle = /'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/y;
export const escapedDouble = /"[^"\\]*(?:(?:""|\\[\s\S])[^"\\]*)*"/y;
export const backtick = /`[^`]*(?:``[^`]*)*`/y;
export const bracket = /\[[^\]]*\]/y;
export const dashes = /^--($|[\0-\x20\x7f])/;
export const executable = /\/\*M?!(?:\d{5,6})?/y;
export const dollarTag = /\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$/y;
export const userVariable = /@@?(?:[\w.$\x80-\uffff]+|`[^`]*`|'[^'\\]*'|"[^"\\]*")/y;
export const namedParameter = /[:@$][\w$\x80-\uffff]+(?:::[\w$\x80-\uffff]+)*/y;
export const postgresOperator = /::|:=|:|=>|[-+*/<>=~!@#%^&|`?]+/y;
export const operators = /<=>|->>|<=|>=|<>|!=|==|\|\||&&|:=|->|<<|>>|[-+*/<>=~!%^&|]/y;
