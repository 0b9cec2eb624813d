import { type Dialect, foldName } from './dialect.js';
import type { Facts } from './facts.js';
import type { Token } from './lexer.js';
import type { Table } from './types.js';
import { Unreadable } from './unreadable.js';

/**
 * A place in a statement, and how far the part goes that is being read. Inside a bracket the part ends with it, so
 * nothing that is read there can run out of it.
 *
 * `ctes` are the names that stand for a `WITH` here and therefore for no table. They are a value, not a stack: what a
 * subquery adds is gone behind it.
 */
export class Cursor {
  at: number;
  end: number;
  readonly start: number;
  ctes: readonly string[] = [];
  /** Reads a whole statement up to the end: the one who knows all kinds lends it to those who find one in theirs. */
  readonly statement: (cursor: Cursor) => void;

  constructor(
    readonly tokens: readonly Token[],
    start: number,
    end: number,
    readonly dialect: Dialect,
    readonly facts: Facts,
    statement: (cursor: Cursor) => void,
  ) {
    this.at = start;
    this.start = start;
    this.end = end;
    this.statement = statement;
  }

  get token(): Token {
    return this.peek(0);
  }

  get kind(): Token['kind'] {
    return this.peek(0).kind;
  }

  /** The keyword here, in capitals; empty for anything that is not a bare word. */
  get word(): string {
    return this.peek(0).word;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  peek(offset: number): Token {
    const at = this.at + offset;
    return at >= 0 && at < this.end ? this.tokens[at]! : nothing;
  }

  /** Goes on if these keywords stand here, one after the other. */
  skip(...words: string[]): boolean {
    for (let at = 0; at < words.length; at++) if (this.peek(at).word !== words[at]) return false;
    this.at += words.length;
    return true;
  }

  skipAny(words: ReadonlySet<string>): void {
    while (words.has(this.word)) this.at++;
  }

  skipKind(kind: Token['kind']): boolean {
    if (this.kind !== kind) return false;
    this.at++;
    return true;
  }

  expect(word: string): void {
    if (!this.skip(word)) this.fail(word);
  }

  fail(wanted: string): never {
    throw new Unreadable(`${wanted} was expected before ${this.describe()}`);
  }

  /** Never with the values of literals: reasons are logged. */
  describe(): string {
    return this.done ? 'the end' : this.token.word || `a ${this.kind}`;
  }

  get isOpen(): boolean {
    return this.kind === 'open' && this.token.text === '(';
  }

  /** Reads the inside of the bracket here with `read`, which must use it up, and goes behind it. */
  inside(read: () => void): void {
    const { end, ctes } = this;
    this.end = this.token.at as number;
    this.at++;
    read();
    if (!this.done) this.fail('a bracket');
    this.at = this.end + 1;
    this.end = end;
    this.ctes = ctes;
  }

  /** Goes behind the bracket here. */
  pass(): void {
    this.at = (this.token.at as number) + 1;
  }

  /** Whether a name can stand here. SQLite takes a string for a name where it cannot be a value. */
  get isName(): boolean {
    return this.kind === 'word' || this.kind === 'name' || (this.kind === 'string' && this.dialect.name === 'sqlite');
  }

  /** A name, folded. */
  name(): string {
    if (!this.isName) this.fail('a name');
    return this.fold(this.tokens[this.at++]!);
  }

  fold(token: Token): string {
    return foldName(token.text, this.dialect, token.kind !== 'word');
  }

  /** `schema.table`, or more; the last two are what identifies it. */
  table(): Table {
    let schema: string | undefined;
    let name = this.name();
    while (this.kind === '.') {
      this.at++;
      schema = name;
      name = this.name();
    }
    return { schema, name };
  }
}

const nothing: Token = { kind: 'end', text: '', word: '', at: -1 };
