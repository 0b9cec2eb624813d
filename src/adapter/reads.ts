import { ignoredStar, rowsStar, rowTag, tenantsStar, tenantTag } from '../core/table-tags.js';
import type { Equality, Statement } from '../sql/index.js';
import type { Catalog, Relation } from './catalog/types.js';
import { claimOf, type Key, shownOf } from './claims.js';
import type { Rules } from './rules.js';
import type { Params, ReadTags, Row } from './types.js';

/**
 * What a query depends on. Of each table that it reads:
 *
 * - `T`, which every write raises;
 * - or the tenants that its condition names, `T@…`, and the star of the writes that cannot name theirs;
 * - or the rows that it names, `T#…`, and the star of the writes that cannot name theirs. An INSERT names no rows, so
 *   one of the others stays beside them until the rows were seen: a row that is there nobody can insert.
 *
 * Of a join, the result has no rows unless each table has the row that WHERE names. So where it names one row of a table,
 * rows in the result show that it is there.
 *
 * A condition narrows a place of the statement. If the table has another place, be it under the name of a partition or
 * behind a view, rows matter that fail the condition, and `T` it is.
 */
export class Reads {
  readonly #places = new Map<string, Place>();
  readonly #statement: Statement;
  readonly #catalog: Catalog;
  readonly #rules: Rules;

  constructor(statement: Statement, catalog: Catalog, rules: Rules) {
    this.#statement = statement;
    this.#catalog = catalog;
    this.#rules = rules;
  }

  /** The statement reads a table, and rows that fail one of `equalities` do not matter. */
  table(relation: Relation, equalities: readonly Equality[]): void {
    this.#add(relation, equalities, this.#namesIgnored(relation));
  }

  /** All rows and columns may matter: of what is behind a view or a function, whose text is not at hand. */
  unseen(relation: Relation): void {
    this.#add(relation, [], this.#rules.isCoarse === true || this.#ignored(relation).size > 0);
    for (const base of relation.bases) this.unseen(base);
  }

  #add(relation: Relation, equalities: readonly Equality[], seesIgnored: boolean): void {
    const { tag } = relation;
    const other = this.#places.get(tag);
    if (other === undefined) this.#places.set(tag, { relation, equalities, seesIgnored });
    else this.#places.set(tag, { relation, equalities: [], seesIgnored: seesIgnored || other.seesIgnored });
  }

  #ignored(relation: Relation): ReadonlySet<string> {
    return this.#rules.of(relation, this.#catalog).ignored;
  }

  #namesIgnored(relation: Relation): boolean {
    // Somebody else may leave out a column that is none of ours.
    if (this.#rules.isCoarse) return true;
    const ignored = this.#ignored(relation);
    const { names, readsWholeRows } = this.#statement;
    if (ignored.size === 0) return false;
    if (readsWholeRows) return true;
    return [...ignored, ...rowVersions].some((column) => names.has(column));
  }

  /** The function that makes tags from values. */
  done(): (params: Params) => ReadTags {
    const parts = [...this.#places.values()].map((place) => this.#narrowed(place));
    if (parts.every((part) => part === undefined)) {
      const tags = [...this.#places.values()].flatMap(wholeOf);
      const same = always(tags);
      return () => same;
    }
    const places = [...this.#places.values()];
    if (places.length === 1) return (params) => parts[0]!(params);
    return (params) => {
      const all = places.map((place, at) => parts[at]?.(params) ?? always(wholeOf(place)));
      return {
        tags: all.flatMap(({ tags }) => tags),
        droppable: all.flatMap(({ droppable }) => droppable),
        drop: (seen) => all.flatMap(({ drop }) => drop(seen)),
      };
    };
  }

  #narrowed(place: Place): ((params: Params) => ReadTags) | undefined {
    const { relation, equalities, seesIgnored } = place;
    const { dialect } = this.#catalog;
    const { tag, primaryKey } = relation;
    const grain = this.#rules.grainOf(relation, this.#catalog);
    const { rowOutput, needsRows } = this.#statement;
    // A row that only the condition of a join names may be missing, and the result has rows.
    const named = needsRows ? equalities.filter(({ joins }) => !joins) : equalities;
    const byKey = claimOf(primaryKey, named, relation, dialect);
    const byGrain = grain === undefined ? undefined : claimOf([grain], equalities, relation, dialect);
    if (byKey === undefined && byGrain === undefined) return undefined;
    const ignored = seesIgnored ? [ignoredStar(tag)] : none;
    const isRowPerRow = rowOutput !== undefined && this.#places.size === 1;
    const properties = primaryKey.map((name) =>
      rowOutput === 'all' ? relation.columns.get(name)?.name : rowOutput?.get(name),
    );
    const shown = shownOf(primaryKey, properties, relation, dialect);
    return (params) => {
      const tenants = byGrain?.(params)?.map(([value]) => tenantTag(tag, value as string));
      const others = tenants === undefined ? [tag] : [...new Set(tenants), tenantsStar(tag)];
      const keys = byKey?.(params);
      if (keys === undefined) return always([...others, ...ignored]);
      const rows = [...new Set(keys.map((key) => rowTag(tag, key))), rowsStar(tag)];
      // `T` speaks for its rows, but not of columns that are ignored.
      if (!isRowPerRow && !(needsRows && keys.length === 1)) return always(seesIgnored ? [...rows, ...others] : others);
      return { tags: rows, droppable: others, drop: (seen) => (allSeen(keys, seen, shown) ? others : none) };
    };
  }
}

interface Place {
  readonly relation: Relation;
  readonly equalities: readonly Equality[];
  readonly seesIgnored: boolean;
}

const none: readonly string[] = [];

function always(tags: readonly string[]): ReadTags {
  return { tags, droppable: none, drop: () => none };
}

/** Of PostgreSQL's rows: they change with every column. */
const rowVersions = ['ctid', 'xmin', 'xmax', 'cmin', 'cmax'];

function wholeOf({ relation: { tag }, seesIgnored }: Place): string[] {
  return seesIgnored ? [tag, ignoredStar(tag)] : [tag];
}

/**
 * Whether every row is there that was asked for. They are counted, not compared: two keys may share a tag, or be one
 * key to the database. Each row that came has a key of its own, and was asked for by one of `keys` at least; so if there
 * are as many of them as of keys, none is missing. A result may have a row twice (`SELECT unnest(…)`).
 */
function allSeen(
  keys: readonly Key[],
  rows: readonly Row[],
  shown: ((rows: readonly Row[]) => readonly Key[] | undefined) | undefined,
): boolean {
  if (keys.length === 1) return rows.length > 0;
  return keys.length <= rows.length && shown?.(rows)?.length === keys.length;
}
