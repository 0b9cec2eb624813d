/**
 * The query of a `CREATE VIEW`, which SQLite keeps as it was written: what follows the first `AS` that is no name and not
 * in the list of columns.
 */
export function afterAs(sql: string): string {
  let depth = 0;
  for (const { 0: token, index } of sql.matchAll(tokens)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0 && /^as$/i.test(token)) return sql.slice(index + 2);
  }
  return '';
}

const tokens =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[()]|[\w$\u0080-\uffff]+/g;
