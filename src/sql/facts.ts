import type { Equality, Inserted, Table, Value, Write, WriteKind } from './types.js';

/**
 * What has been found so far, in the order of the text. A *place* is one mention of a table: a table that has two of
 * them cannot be narrowed by what is said about one.
 */
export class Facts {
  readonly places: Place[] = [];
  readonly writes: Target[] = [];
  readonly functions = new Set<string>();
  uncacheable: string | undefined;
  untracked: string | undefined;
  session: string | undefined;
  local: string | undefined;
  /** Queries, also the nested ones: only a single one can make a result of rows. */
  queries = 0;
  /** Those of them that are all that another one reads from: where they have no rows, that one has none. */
  sources = 0;
  /** A group, an aggregate, a union, VALUES: the result may have rows that no row of a table stands behind. */
  combines = false;
  /** DISTINCT: rows may be one in the result. */
  merges = false;
  /** A row of the result is made of rows of several tables, or of none of some. */
  joins = false;
  wholeRows = false;
  /** Where the list of the last SELECT begins and ends. */
  list: readonly [number, number] = [0, 0];
  /** Where tables and their aliases stand, so that other mentions of those names can be told apart. */
  readonly introductions = new Set<number>();
  readonly exposed = new Set<string>();
  readonly #placeOf = new Map<Target, Place>();

  /** The first reason stays. */
  never(reason: string): void {
    this.uncacheable ??= reason;
    this.untracked ??= reason;
  }

  /** The clock, or chance. */
  varies(reason: string): void {
    this.uncacheable ??= reason;
  }

  read(table: Table): Place {
    const place: Place = { table, equalities: [], isTarget: false };
    this.places.push(place);
    return place;
  }

  target(table: Table): Place {
    const place = this.read(table);
    place.isTarget = true;
    return place;
  }

  /** A place that is handed in stays what it was: MySQL reads the tables that it updates together. */
  write(table: Table, how: WriteKind, place: Place = this.target(table)): Target {
    const target: Target = {
      table,
      how,
      equalities: place.equalities,
      assigned: [],
      set: new Map(),
      inserted: undefined,
      conflict: undefined,
      returning: false,
      returned: undefined,
      creates: false,
    };
    this.writes.push(target);
    this.#placeOf.set(target, place);
    return target;
  }

  /** What the writes since `first` return flows into the statement around them: their targets are read, too. */
  readReturned(first: number): void {
    for (const write of this.writes.slice(first)) if (write.returning) this.#placeOf.get(write)!.isTarget = false;
  }
}

export interface Place {
  readonly table: Table;
  readonly equalities: Equality[];
  isTarget: boolean;
}

/** A write while it is being read. */
export type Target = { -readonly [K in keyof Write]: Write[K] } & {
  equalities: Equality[];
  set: ReadonlyMap<string, Value>;
  inserted: Inserted | undefined;
};

/** What a FROM list offers to its conditions: a table under the name by which columns call it, or something else. */
export interface Item {
  /** The name columns are qualified with, folded; undefined when there is none. */
  readonly exposed: string | undefined;
  /** Set when the table has no alias, so that `schema.table.column` means it too. */
  readonly schema: string | undefined;
  /** The mention of a table; undefined for subqueries, functions and names of a WITH. */
  readonly place: Place | undefined;
}
