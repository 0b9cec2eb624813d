import { describe, expected } from '../core/errors.js';

/** Which rows of a tree are wanted, and what the table calls its columns. */
export interface TreeQuery {
  /** As the database writes it: `'capabilities'`, or `'sales.capabilities'` in another schema. */
  table: string;
  /** The column that names a row. */
  id: string;
  /** The column that names its parent. With `'ltree'`, the column of the path. */
  parent: string;
  /** What is selected. @defaultValue all columns */
  columns?: readonly string[];
  /** Ids of the rows to begin with. @defaultValue the roots */
  from?: readonly unknown[];
  /** Levels below them. @defaultValue all */
  depth?: number;
}

/** How the database writes it; `ltree` is PostgreSQL with a column of that type. */
export type TreeDialect = 'postgres' | 'ltree' | 'mysql' | 'sqlite';

/**
 * One statement for rows and all that is below them: a recursive query, or a look at the paths. It ends where rows form
 * a cycle, too, and gives each row once. MySQL and MariaDB give up beyond 1,000 levels, unless
 * `cte_max_recursion_depth` or `max_recursive_iterations` says more.
 *
 * @returns the text with `$1` (PostgreSQL) or `?`, and its values
 * @throws TypeError for a dialect that is not known, and for names and numbers that are none
 */
export function treeQuery(dialect: TreeDialect, query: TreeQuery): { sql: string; params: readonly unknown[] } {
  if (!['postgres', 'ltree', 'mysql', 'sqlite'].includes(dialect))
    throw expected('dialect', "'postgres', 'ltree', 'mysql' or 'sqlite'", dialect);
  const { id, parent, columns, from, depth } = query;
  const quote = (name: unknown, what: string) => {
    if (typeof name !== 'string' || name === '' || name.includes('\0')) throw expected(what, 'a name', name);
    return dialect === 'mysql' ? `\`${name.replaceAll('`', '``')}\`` : `"${name.replaceAll('"', '""')}"`;
  };
  if (depth !== undefined && !(Number.isSafeInteger(depth) && depth >= 0))
    throw expected('depth', 'a whole number of at least 0', depth);
  if (from !== undefined && !Array.isArray(from)) throw expected('from', 'a list of ids', from);
  if (columns !== undefined && !(Array.isArray(columns) && columns.length > 0))
    throw new TypeError(`Expected \`columns\` to be a list with a name at least, got ${describe(columns)}`);
  const table = String(query.table)
    .split('.')
    .map((part) => quote(part, 'table'))
    .join('.');
  const parts: Parts = {
    table,
    id: quote(id, 'id'),
    parent: quote(parent, 'parent'),
    selected: columns === undefined ? 'n.*' : columns.map((column) => `n.${quote(column, 'columns')}`).join(', '),
    begins: from === undefined ? undefined : isOneOf(dialect, from.length),
    depth,
  };
  const params = from === undefined ? [] : dialect === 'postgres' || dialect === 'ltree' ? [[...from]] : [...from];
  return { sql: dialect === 'ltree' ? byPath(parts) : byParent(parts), params };
}

interface Parts {
  readonly table: string;
  readonly id: string;
  readonly parent: string;
  readonly selected: string;
  /** What stands behind the id of a row to begin with; undefined for the roots. */
  readonly begins: string | undefined;
  readonly depth: number | undefined;
}

function isOneOf(dialect: TreeDialect, count: number): string {
  if (dialect === 'postgres' || dialect === 'ltree') return '= any($1)';
  return count === 0 ? 'is null and 1 = 0' : `in (${Array(count).fill('?').join(', ')})`;
}

/** UNION drops what was found before, which ends a cycle; a depth would make it another row, and ends it by itself. */
function byParent({ table, id, parent, selected, begins, depth }: Parts): string {
  const counts = depth !== undefined;
  return [
    `with recursive unstale_tree (id${counts ? ', depth' : ''}) as (`,
    `select f.${id}${counts ? ', 0' : ''} from ${table} f where ${begins === undefined ? `f.${parent} is null` : `f.${id} ${begins}`}`,
    `union select c.${id}${counts ? ', t.depth + 1' : ''} from ${table} c join unstale_tree t on c.${parent} = t.id`,
    ...(counts ? [`where t.depth < ${depth}`] : []),
    `) select ${selected} from ${table} n where n.${id} in (select id from unstale_tree)`,
  ].join(' ');
}

function byPath({ table, id, parent: path, selected, begins, depth }: Parts): string {
  const first = begins === undefined ? `nlevel(f.${path}) = 1` : `f.${id} ${begins}`;
  const near = depth === undefined ? '' : ` and nlevel(n.${path}) <= nlevel(f.${path}) + ${depth}`;
  return `select ${selected} from ${table} n where exists (select 1 from ${table} f where ${first} and n.${path} <@ f.${path}${near})`;
}
