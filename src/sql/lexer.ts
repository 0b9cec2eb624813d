import { type Dialect, escapesByBackslash } from './dialect.js';
import * as shape from './shapes.js';
import { Unreadable } from './unreadable.js';

/**
 * From text to tokens: the only place that knows where strings, names and comments end. What it gets wrong, everything
 * above gets wrong, and a string that ends too early hides a table. So it promises to throw {@link Unreadable} for
 * whatever it does not know, and to close every shape.bracket it opened.
 *
 * The value of a literal is told only where it is beyond doubt (`'a''b'`, `12.5`); a literal that is written in any
 * other way is a `literal` without one.
 *
 * MySQL runs what stands in `/*! … *\/`, or not, as its version goes. The caller says which of the two to read.
 */
export interface Token {
  readonly kind: Kind;
  /** A name without its quotes, the value of a string, anything else as written. */
  readonly text: string;
  /** A bare word of ASCII in capitals, to compare with keywords; else empty. */
  readonly word: string;
  /** Of a bracket: where its partner stands. Of a parameter: its place, counted from 0, or its name. */
  at: number | string;
}

/** A `word` is bare, a `name` quoted; a `variable` is of the session; brackets are `open` and `close`. */
type Kind =
  | 'word'
  | 'name'
  | 'string'
  | 'number'
  | 'literal'
  | 'parameter'
  | 'variable'
  | 'operator'
  | 'open'
  | 'close'
  | ','
  | '.'
  | ';'
  | 'end';

export interface Tokens {
  readonly tokens: Token[];
  /** Which versions stand in shape.executable comments, so that the caller knows what else the text may mean. */
  readonly versions: ReadonlySet<string>;
}

/** What is in a bracket is read by a call within the call: this keeps the stack. */
const maxDepth = 250;

const nowhere: ReadonlySet<string> = new Set();

/** @throws Unreadable when the text is not surely understood */
export function tokenize(sql: string, dialect: Dialect, executes = true): Tokens {
  const tokens: Token[] = [];
  const brackets: number[] = [];
  const mysql = dialect.name === 'mysql';
  const postgres = dialect.name === 'postgres';
  const escapes = escapesByBackslash(dialect);
  const wordShape = mysql ? shape.mysqlWord : shape.commonWord;
  let versions: Set<string> | undefined;
  let executing = false;
  let questions = 0;
  let numbered = false;
  let at = 0;

  const push = (kind: Kind, text: string, word = '', place: number | string = -1) => {
    tokens.push({ kind, text, word, at: place });
  };
  /** What a sticky pattern finds here; moves behind it. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(sql);
    if (found === null) return undefined;
    at = pattern.lastIndex;
    return found[0];
  };
  /** From an opening quote to behind the closing one; a doubled quote is a part. */
  const quoted = (quote: string, backslashes: boolean): string => {
    const pattern =
      quote === "'"
        ? backslashes
          ? shape.escapedSingle
          : shape.single
        : backslashes
          ? shape.escapedDouble
          : shape.double;
    const text = take(quote === '`' ? shape.backtick : quote === '[' ? shape.bracket : pattern);
    if (text === undefined) throw new Unreadable('a quote that is not closed');
    return text;
  };
  const name = (quote: string) => {
    const text = quoted(quote, false).slice(1, -1);
    push('name', quote === '[' || !text.includes(quote) ? text : text.replaceAll(quote + quote, quote));
  };
  const string = (quote: string, backslashes: boolean) => {
    const text = quoted(quote, backslashes).slice(1, -1);
    if (backslashes && text.includes('\\')) push('literal', text);
    else push('string', text.includes(quote) ? text.replaceAll(quote + quote, quote) : text);
  };

  while (at < sql.length) {
    const code = sql.charCodeAt(at);
    const next = sql.charCodeAt(at + 1);
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) {
      at++;
    } else if (
      (code === 0x2d && next === 0x2d && (!mysql || shape.dashes.test(sql.slice(at, at + 3)))) ||
      (code === 0x23 && mysql)
    ) {
      const end = sql.slice(at).search(postgres ? /[\r\n]/ : /\n/);
      at = end === -1 ? sql.length : at + end;
    } else if (code === 0x2f && next === 0x2a) {
      const version = mysql ? take(shape.executable) : undefined;
      if (version !== undefined) {
        versions ??= new Set();
        versions.add(version);
        if (executing) throw new Unreadable('an shape.executable comment in another');
        if (executes) executing = true;
        else {
          const end = sql.indexOf('*/', at);
          if (end === -1 || sql.slice(at, end).includes('/*')) throw new Unreadable('a comment that is not closed');
          at = end + 2;
        }
      } else at = shape.behindComment(sql, at, postgres);
    } else if (executing && code === 0x2a && next === 0x2f) {
      executing = false;
      at += 2;
    } else if (code === 0x27) {
      string("'", escapes);
    } else if (code === 0x22) {
      if (mysql && !dialect.ansiQuotes) string('"', escapes);
      else name('"');
    } else if (code === 0x60 && !postgres) {
      name('`');
    } else if (code === 0x5b && dialect.name === 'sqlite') {
      name('[');
    } else if (shape.isWordStart(code)) {
      prefixed(code, next);
    } else if (shape.isDigit(code) || (code === 0x2e && shape.isDigit(next) && !isPath())) {
      number();
    } else if (code === 0x28 || code === 0x5b) {
      if (brackets.push(tokens.length) > maxDepth) throw new Unreadable('brackets nested deeper than anybody writes');
      push('open', sql.charAt(at++));
    } else if (code === 0x29 || code === 0x5d) {
      const open = brackets.pop();
      if (open === undefined || (tokens[open]!.text === '(') !== (code === 0x29))
        throw new Unreadable('brackets that do not match');
      tokens[open]!.at = tokens.length;
      push('close', sql.charAt(at++), '', open);
    } else if (code === 0x2c || code === 0x2e || code === 0x3b) {
      push(sql.charAt(at) as ',' | '.' | ';', sql.charAt(at++));
    } else if (!parameter(code)) {
      operator();
    }
  }
  if (brackets.length > 0) throw new Unreadable('a shape.bracket that is not closed');
  if (executing) throw new Unreadable('a comment that is not closed');
  // Drivers disagree on how `?` counts beside `?1` and `:name`, so there its place is not told.
  if (numbered && questions > 0)
    for (const token of tokens) if (token.kind === 'parameter' && token.text === '?') token.at = -1;
  return { tokens, versions: versions ?? nowhere };

  /** A word, or a string with a letter before it: `E'…'`, `X'…'`, `U&'…'`. */
  function prefixed(code: number, next: number): void {
    const letter = next === 0x27 || next === 0x26 ? String.fromCharCode(code & ~0x20) : '';
    if (next === 0x26 && postgres && letter === 'U' && /^['"]/.test(sql.slice(at + 2, at + 3))) {
      at += 2;
      if (sql.charCodeAt(at) === 0x22) throw new Unreadable('a name in Unicode escapes');
      push('literal', quoted("'", false));
    } else if (next === 0x27 && 'EBXN'.includes(letter) && letter !== '') {
      if (letter === 'E' && !postgres) throw new Unreadable('a word before a string');
      at++;
      push('literal', quoted("'", letter === 'E' || (letter === 'N' && escapes)));
    } else {
      const text = take(wordShape)!;
      push('word', text, shape.asciiWord.test(text) ? text.toUpperCase() : '');
    }
  }

  function number(): void {
    // MySQL's names may begin with a digit: `2024_orders`, `db.1st`.
    const word = mysql && !/^(0[xb]|\d*e)/i.test(sql.slice(at, at + 20)) ? take(shape.digitWord) : undefined;
    if (word !== undefined || (mysql && followsName())) return push('word', word ?? take(shape.mysqlWord)!, '');
    const text = take(shape.numeral)!;
    push(shape.plainNumber.test(text) ? 'number' : 'literal', text);
    // Older PostgreSQL takes `1FROM` for two tokens, as here. The others refuse it, or take it for a name.
    if (!postgres && at < sql.length && shape.isWordStart(sql.charCodeAt(at)))
      throw new Unreadable('a number in a word');
  }

  /** Behind `t.` MySQL reads `1st` as a name. */
  function followsName(): boolean {
    return tokens.at(-1)?.kind === '.';
  }

  /** Whether the point here belongs to `t.1st` and not to `.5`. */
  function isPath(): boolean {
    return mysql && at > 0 && /[\w$`"\x80-\uffff]/.test(sql.charAt(at - 1));
  }

  function parameter(code: number): boolean {
    if (postgres) {
      if (code !== 0x24) return false;
      const place = take(/\$\d+/y);
      if (place !== undefined) push('parameter', place, '', Number(place.slice(1)) - 1);
      else {
        const tag = take(shape.dollarTag);
        const end = tag === undefined ? -1 : sql.indexOf(tag, at);
        if (end === -1) throw new Unreadable('a dollar quote that is not closed');
        push('literal', sql.slice(at, end));
        at = end + tag!.length;
      }
      return true;
    }
    if (code === 0x3f) {
      const place = take(mysql ? /\?/y : /\?\d*/y)!;
      if (place !== '?') numbered = true;
      push('parameter', place, '', place === '?' ? questions++ : Number(place.slice(1)) - 1);
      return true;
    }
    // What drivers of MySQL make `?` of before they send it.
    const isNamed = mysql && code === 0x3a && shape.isWordStart(sql.charCodeAt(at + 1));
    if (mysql && !isNamed) {
      if (code !== 0x40) return false;
      const variable = take(shape.userVariable);
      if (variable === undefined) throw new Unreadable('a variable without a name');
      push('variable', variable);
      return true;
    }
    if (code !== 0x3a && code !== 0x40 && code !== 0x24) return false;
    const named = take(shape.namedParameter);
    if (named === undefined || sql.startsWith('(', at)) throw new Unreadable('a parameter without a name');
    numbered = true;
    push('parameter', named, '', named);
    return true;
  }

  function operator(): void {
    let text = take(postgres ? shape.postgresOperator : shape.operators);
    if (text === undefined) throw new Unreadable(`the character ${JSON.stringify(sql.charAt(at))}`);
    if (postgres && text.length > 1) {
      const whole = text;
      const comment = text.search(/--|\/\*/);
      if (comment > 0) text = text.slice(0, comment);
      // Its own rule, so that `=-1` is two shape.operators and `@-` is one.
      if (!/[~!@#%^&|`?]/.test(text)) while (text.length > 1 && /[+-]$/.test(text)) text = text.slice(0, -1);
      at -= whole.length - text.length;
    }
    push('operator', text);
  }
}
