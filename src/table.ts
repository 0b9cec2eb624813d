import { type Dependency, makeDependency } from './core/dependency.js';
import { expected } from './core/errors.js';
import { rowMark, tenantMark } from './core/table-tags.js';
import type { KeyPart } from './values/index.js';

/** Which rows of a {@link table} are meant. */
export interface TableRows {
  /** One primary key, or a list of them; of several columns: a list of lists, each in the order of the key's columns. */
  id?: KeyPart | readonly KeyPart[];
  /** The value of the tenant column, or of the column that the table's `grain` names. */
  tenant?: KeyPart;
  /** The database, where the cache cannot know it. @defaultValue those of the clients that are wrapped for the cache */
  database?: string;
}

/**
 * TableRows of a table, to depend on them or to invalidate them by hand: `cache.invalidate(table('orders', { id: 7 }))`. For
 * jobs, and for code that no adapter watches.
 *
 * A cache that has wrapped clients takes the name for a table of their databases. One that has none does not know what
 * the others call theirs: in a process without a wrapped client, name the `database`.
 *
 * @param name - as the database writes it: `'orders'` in the default schema, `'sales.orders'` in another one
 * @param where - without it, all rows
 * @throws TypeError when `name` is not the name of a table, or `where` says nothing or something else
 */
export function table(name: string, where?: TableRows): Dependency {
  if (typeof name !== 'string' || !/^[^.]+(\.[^.]+)?$/.test(name))
    throw expected('name', "the name of a table, such as 'orders' or 'sales.orders'", name);
  const { id, tenant, database } = checkRows(where);
  const [own, schema] = name.split('.').reverse() as [string, string | undefined];
  return makeDependency(
    { database, schema, name: own },
    id === undefined ? [] : (Array.isArray(id) ? id : [id]).map(rowMark),
    tenant === undefined ? undefined : tenantMark(tenant),
  );
}

/** A `where` in which nothing is left was meant to say something. */
function checkRows(where: TableRows | undefined): TableRows {
  if (where === undefined) return {};
  if (typeof where !== 'object' || where === null) throw expected('where', meant, where);
  const said = Object.keys(where).filter((key) => where[key as keyof TableRows] !== undefined);
  if (said.length === 0 || said.some((key) => !names.includes(key))) throw expected('where', meant, where);
  if (where.database !== undefined && (typeof where.database !== 'string' || where.database === ''))
    throw expected('database', 'a non-empty text', where.database);
  return where;
}

const names = ['id', 'tenant', 'database'];
const meant = '{ id }, { tenant } or { database }, or several of them';
