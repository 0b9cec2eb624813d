/**
 * Whose SQL a statement is written in, and in which mode. The same text has other tables in another mode: after a
 * backslash a quote ends the string, or it does not. So whoever opens the connection must say what the server was set
 * to; the defaults are those of a server that nobody has changed.
 */
export interface Dialect {
  /** `mysql` is MariaDB too. */
  readonly name: 'postgres' | 'mysql' | 'sqlite';
  /**
   * Whether a backslash escapes in ordinary strings: `standard_conforming_strings = off` in PostgreSQL, the absence of
   * `NO_BACKSLASH_ESCAPES` in MySQL. @defaultValue `true` for mysql, `false` otherwise
   */
  readonly backslashEscapes?: boolean;
  /** Whether `"a"` is a name in MySQL (`ANSI_QUOTES`) and no string. @defaultValue `false` */
  readonly ansiQuotes?: boolean;
}

export function escapesByBackslash(dialect: Dialect): boolean {
  return dialect.backslashEscapes ?? dialect.name === 'mysql';
}

/**
 * The one text for all spellings of a name. PostgreSQL folds ASCII letters outside quotes and cuts after 63 bytes.
 * The others compare names without regard to case, or may: there two tables that differ in case alone become one here,
 * which ends some entries too early and none too late. Compare names of tables and columns after the same folding.
 */
export function foldName(name: string, dialect: Dialect, quoted = false): string {
  if (dialect.name === 'postgres') return cut(quoted ? name : lowerAscii(name));
  if (dialect.name === 'sqlite') return lowerAscii(name);
  return /^[\x20-\x7e]*$/.test(name) ? name.toLowerCase() : name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function lowerAscii(name: string): string {
  return /[A-Z]/.test(name) ? name.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : name;
}

function cut(name: string): string {
  if (name.length <= 15 || Buffer.byteLength(name) <= 63) return name;
  let kept = '';
  let bytes = 0;
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > 63) break;
    kept += character;
  }
  return kept;
}
