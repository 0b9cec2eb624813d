import { tableTag } from '../core/table-tags.js';
import { type Dialect, foldName } from '../sql/index.js';
import type { Catalogue } from './catalogue.js';

/**
 * The tag of a table that was named by hand, in `table('orders')`: as the database writes it, or as somebody does who did
 * not think of the case. The catalogue knows, once it was read; before that the name must do.
 */
export function tagOf(
  { schema, name }: { schema: string | undefined; name: string },
  database: string,
  dialect: Dialect,
  { current }: Catalogue,
): string {
  const fold = (text: string) => foldName(text, dialect);
  const found =
    current?.find({ schema, name }) ??
    current?.find({ schema: schema === undefined ? undefined : fold(schema), name: fold(name) });
  if (found !== undefined) return found.tag;
  if (dialect.name === 'postgres') return tableTag(database, schema === 'public' ? undefined : schema, name);
  if (dialect.name === 'mysql') return tableTag(schema === undefined ? database : fold(schema), undefined, fold(name));
  return tableTag(database, schema === undefined || fold(schema) === 'main' ? undefined : fold(schema), fold(name));
}
