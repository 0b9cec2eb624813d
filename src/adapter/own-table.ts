import type { Dialect } from '../sql/index.js';
import type { Catalogue } from './catalogue.js';

/**
 * What a table of the kit's own is called, so that its rows are in one place whatever became of the connection. Where
 * names mean what they mean on a new one it is found as any other table is. Behind a `SET search_path` or a `USE` there
 * may be another table of that name, of a tenant or of another service, in which nobody would look: there it is named
 * with its schema.
 *
 * @param isUsual - whether names mean on the connection what they mean on a new one
 * @throws Error when they do not, and nobody knows where the table is
 */
export function ownTable(table: string, isUsual: boolean, { name }: Dialect, catalogue: Catalogue): string {
  const { current, home } = catalogue;
  if (isUsual || name === 'sqlite') return table;
  if (name === 'mysql' && home?.server) return `\`${home.server.replaceAll('`', '``')}\`.${table}`;
  const schema =
    name === 'mysql' ? undefined : home?.path.find((it) => current?.find({ schema: it, name: table }) !== undefined);
  if (schema !== undefined) return `"${schema.replaceAll('"', '""')}".${table}`;
  // It may have come since.
  catalogue.change();
  throw new Error(
    `names mean something else on this connection than on a new one, and ${table} is not where new ones find it`,
  );
}
