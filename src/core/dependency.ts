import { expected } from './errors.js';
import { ownTag } from './identity.js';
import { ignoredStar, rowsStar, tenantsStar } from './table-tags.js';
import { warnOnce } from './warn.js';

const brand: unique symbol = Symbol.for('unstale.dependency');

/** Rows of a table, as something to depend on or to invalidate. Made by {@link table}. */
export interface Dependency {
  readonly [brand]: true;
}

/** A table as somebody names it by hand. */
export interface NamedTable {
  readonly database: string | undefined;
  readonly schema: string | undefined;
  readonly name: string;
}

/** What is inside: which database it belongs to turns out when a cache uses it. */
interface Held extends Dependency {
  readonly table: NamedTable;
  /** What stands behind the table's tag in those of its rows and its tenant, as far as they are named. */
  readonly rows: readonly string[];
  readonly tenant: string | undefined;
}

export function makeDependency(table: NamedTable, rows: readonly string[], tenant: string | undefined): Dependency {
  return Object.freeze({ [brand]: true, table, rows, tenant } satisfies Held as Held);
}

/** A tag, or a dependency such as `table('orders', { tenant: 'acme' })`. */
export type What<Tag extends string> = Tag | Dependency;

/** The same after it was checked: a tag as the cache keeps it, or a dependency. */
export type Checked = string | Held;

/** Who knows the databases that tables belong to. */
export interface Tables {
  /** The tags of the table as a whole. */
  tagsOf(table: NamedTable): readonly string[];
}

/** `user:undefined`, `user:[object Object]`: no error, and no row either. */
const suspicious = /\[object |[:=](?:undefined|null|NaN)$/;

/** @throws TypeError */
export function checkWhat(what: readonly unknown[]): Checked[] {
  return what.map((one) => {
    if (typeof one === 'string' && one !== '') {
      if (suspicious.test(one))
        warnOnce(`tag:${one}`, `The tag '${one}' looks as if something was missing when it was made.`);
      return ownTag(one);
    }
    if (typeof one === 'object' && one !== null && brand in one) return one as Held;
    throw expected('tag', 'a non-empty text or table(…)', one);
  });
}

/** The same of an option, which may be anything. @throws TypeError */
export function checkTags(tags: unknown): Checked[] {
  if (!Array.isArray(tags)) throw expected('tags', 'a list of texts or table(…)', tags);
  return checkWhat(tags);
}

/** Tags as the cache keeps them: for those who read what was said, or for those who wrote it. */
export function tagsOf(
  cache: { readonly clients: Tables },
  what: readonly Checked[],
  side: 'reads' | 'writes',
): string[] {
  const tags: string[] = [];
  for (const one of what) {
    if (typeof one === 'string') tags.push(one);
    else tags.push(...(side === 'reads' ? readTags : writeTags)(cache.clients, one));
  }
  return tags;
}

/** Both in one. @throws TypeError */
export function tagsOfWhat(
  cache: { readonly clients: Tables },
  what: readonly unknown[],
  side: 'reads' | 'writes',
): string[] {
  return tagsOf(cache, checkWhat(what), side);
}

/** What a value depends on that was read from these rows. */
function readTags(tables: Tables, { table, rows, tenant }: Held): string[] {
  return tables.tagsOf(table).flatMap((whole) => {
    // A row narrows further than its tenant. It may not be there yet: whoever inserts it names it, or names the table.
    if (rows.length > 0) return [...rows.map((row) => whole + row), rowsStar(whole)];
    return tenant === undefined ? [whole] : [whole + tenant, tenantsStar(whole)];
  });
}

/** What a write of these rows ends. Which columns it changed nobody says, so those count that are often ignored. */
function writeTags(tables: Tables, { table, rows, tenant }: Held): string[] {
  return tables
    .tagsOf(table)
    .flatMap((whole) => [
      whole,
      ...(rows.length > 0 ? rows.map((row) => whole + row) : [rowsStar(whole)]),
      tenant === undefined ? tenantsStar(whole) : whole + tenant,
      ignoredStar(whole),
    ]);
}
