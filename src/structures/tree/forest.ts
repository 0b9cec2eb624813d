import type { Version } from '../../core/store.js';
import { treeBucket, treeBuckets } from '../../core/tree-tags.js';
import type { KeyPart } from '../../values/index.js';
import { type Item, isSame, keyOf, type List, type Shape, type Shelved, top, type Versions } from './item.js';
import type { Node } from './types.js';

/**
 * The rows of a tree that this process knows, and which of them may still be believed.
 *
 * A forest is changed in place, while what it hands out is not: rows and nodes are frozen, and one that has changed is
 * replaced together with those above it. What was loaded from a share whose version has moved stays, not fresh, so that
 * a row which turns out to be the same is the same object again, and with it everything that is made of it.
 *
 * Its one promise: whatever is fresh was loaded after the version of its share was read that `versions` has. Two loads
 * may run at a time, and one of them may be older; so what a load brings counts only where no share was given another
 * version since it began.
 */
export class Forest<Row> {
  readonly items = new Map<string, Item<Row>>();
  readonly lists = new Map<string, List<Row>>();
  /** Nothing else exists. */
  readonly isComplete: boolean;
  /** Belongs to one read: not kept, and its versions mean nothing. */
  readonly isDetached: boolean;
  /** What it depends on besides its shares, with the versions of the last time somebody looked. */
  guards = new Map<string, Version>();
  versions: Versions = { rows: [], lists: [] };
  epoch = '';
  /** Its oldest row ends then. In the clock's milliseconds. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** Counts changes of what it knows. */
  version = 1;
  /** Counts the times that shares were given other versions. */
  era = 0;
  /** About how many bytes of heap it takes. */
  bytes = 0;
  /** What was found in the store, and in which era; the lists are kept until somebody wants them. */
  readonly shelved = new Map<string, Shelved>();
  /** What is in the store may be older than what nobody has told: it is not looked at. */
  ignoresStore = false;
  /** Loads of parts that are under way. */
  readonly loading = new Map<string, { readonly era: number; readonly done: Promise<unknown> }>();
  /** Subtrees down to some depth, by that depth. */
  readonly cuts = new Map<number, Map<string, { readonly node: Node<Row>; readonly at: number }>>();
  #orphans: readonly Row[] | undefined;
  readonly #shape: Shape<Row>;
  readonly #eras = { rows: new Float64Array(treeBuckets), lists: new Float64Array(treeBuckets) };

  constructor(shape: Shape<Row>, isComplete: boolean, isDetached = false) {
    this.#shape = shape;
    this.isComplete = isComplete;
    this.isDetached = isDetached;
  }

  /** Takes in a row, or that there is none. @param listed - its parent's list is being taken in as well */
  put(id: unknown, row: Row | null, listed = false): Item<Row> {
    const key = keyOf(id);
    const known = this.items.get(key);
    if (known === undefined) return this.#plant(key, id, row, listed);
    known.isFresh = true;
    known.seenAt = this.version;
    known.filledAt = this.version;
    if (known.row === row || isSame(known.row, row)) return known;
    this.touch(known);
    const before = known.parent;
    this.bytes -= known.bytes;
    known.bytes = 0;
    known.row = row;
    if (row !== null) this.#take(known, row);
    this.bytes += known.bytes;
    // A list is one answer of the database: it is asked for again rather than mended, which could give one that never was.
    if ((row === null || known.parent !== before) && this.lists.get(before)?.keys.includes(key)) this.#distrust(before);
    // It came from elsewhere, or another value may have given it another place.
    if (row !== null && !listed) this.#distrust(known.parent);
    this.#touchUnder(known.parent);
    return known;
  }

  /** Takes in all rows below one, in their order. */
  putList(parent: unknown, rows: readonly Row[]): void {
    const key = keyOf(parent);
    const keys = rows.map((row) => this.put(this.#shape.idOf(row), row, true).key);
    const known = this.lists.get(key);
    if (known === undefined) {
      this.addList(parent, keys);
      return this.#touchUnder(key);
    }
    known.isFresh = true;
    known.filledAt = this.version;
    if (keys.length === known.keys.length && keys.every((one, at) => one === known.keys[at])) return;
    const present = new Set(keys);
    for (const gone of known.keys) {
      const item = this.items.get(gone);
      // Nobody knows yet what became of it.
      if (!present.has(gone) && item?.parent === key) this.doubt(item);
    }
    this.bytes += (keys.length - known.keys.length) * bytesPerPlace;
    known.keys = keys;
    this.#touchUnder(key);
  }

  /** Before any change: what was built until now may have to be built anew. */
  begin(): void {
    this.version++;
  }

  /** Takes over other versions, and no longer believes what was loaded under the old ones. */
  advance(versions: Versions, all: boolean): void {
    this.begin();
    this.era++;
    const moved = (old: readonly Version[], now: readonly Version[], eras: Float64Array) => {
      const buckets = new Set<number>();
      for (let at = 0; at < treeBuckets; at++) if (all || old[at] !== now[at]) buckets.add(at);
      for (const at of buckets) eras[at] = this.era;
      return buckets;
    };
    const rows = moved(this.versions.rows, versions.rows, this.#eras.rows);
    const lists = moved(this.versions.lists, versions.lists, this.#eras.lists);
    this.versions = versions;
    if (rows.size > 0) for (const item of this.items.values()) if (rows.has(item.bucket)) this.doubt(item);
    if (lists.size === 0) return;
    for (const [key, list] of this.lists) if (lists.has(list.bucket)) this.#distrust(key);
  }

  /** The id of the row above one. */
  parentIdOf({ row }: Item<Row>): unknown {
    return row === null ? null : this.#shape.parentOf(row);
  }

  /** Rows whose parent is missing. */
  orphans(): readonly Row[] {
    if (this.#orphans === undefined) {
      const items = [...this.items.values()];
      const rows = items.filter(({ parent }) => parent !== top && !this.items.has(parent)).map(({ row }) => row as Row);
      this.#orphans = Object.freeze(rows);
    }
    return this.#orphans;
  }

  /** Whether a share has had its version since `era`: what was asked for then may be taken in. */
  isSince(kind: keyof Versions, bucket: number, era: number): boolean {
    return (this.#eras[kind][bucket] as number) <= era;
  }

  /** Another one that knows the same and believes nothing: this one may still be served meanwhile. */
  copy(): Forest<Row> {
    const copy = new Forest<Row>(this.#shape, this.isComplete, this.isDetached);
    for (const [key, item] of this.items) if (item.row !== null) copy.items.set(key, { ...item, isFresh: false });
    for (const [key, list] of this.lists) copy.lists.set(key, { ...list, isFresh: false });
    copy.bytes = this.bytes;
    copy.version = this.version + 1;
    for (const item of copy.items.values()) item.changedAt = copy.version;
    for (const list of copy.lists.values()) list.changedAt = copy.version;
    return copy;
  }

  /** Something about the row, or below it, has changed: so has everything that holds it. */
  touch(item: Item<Row> | undefined): void {
    for (let at = item; at !== undefined && at.changedAt !== this.version; at = this.items.get(at.parent)) {
      at.changedAt = this.version;
      const list = this.lists.get(at.parent);
      if (list !== undefined) list.changedAt = this.version;
    }
  }

  /** The row may have changed. */
  doubt(item: Item<Row>): void {
    item.isFresh = false;
    this.touch(item);
  }

  /** Adds a row that is not known, and nothing else. */
  add(key: string, id: unknown, row: Row | null): Item<Row> {
    const item: Item<Row> = {
      ...{
        key,
        id,
        row,
        parent: top,
        bucket: treeBucket(id as KeyPart),
        bytes: 0,
        isFresh: true,
        seenAt: this.version,
        filledAt: this.version,
      },
      ...{ node: undefined, builtAt: 0, changedAt: this.version },
    };
    this.items.set(key, item);
    if (row !== null) this.#take(item, row);
    this.bytes += item.bytes + bytesPerItem;
    return item;
  }

  /** Adds a row of an older forest, which is the same. */
  adopt(old: Item<Row>): Item<Row> {
    const item = { ...old, isFresh: true, builtAt: 0, changedAt: this.version };
    this.items.set(item.key, item);
    this.bytes += item.bytes + bytesPerItem;
    return item;
  }

  /** Adds a list that is not known, and nothing else. */
  addList(id: unknown, keys: readonly string[]): List<Row> {
    this.bytes += bytesPerList + keys.length * bytesPerPlace;
    const bucket = treeBucket((id ?? null) as KeyPart);
    const { version } = this;
    const list = { id, keys, isFresh: true, bucket, rows: undefined, filledAt: version, rowsAt: 0, changedAt: version };
    this.lists.set(keyOf(id), list);
    return list;
  }

  #plant(key: string, id: unknown, row: Row | null, listed: boolean): Item<Row> {
    const item = this.add(key, id, row);
    if (row !== null && !listed && this.lists.has(item.parent)) this.#distrust(item.parent);
    this.#touchUnder(item.parent);
    return item;
  }

  #take(item: Item<Row>, row: Row): void {
    const { row: frozen, bytes } = this.#shape.freeze(row);
    item.row = frozen;
    item.bytes = bytes;
    item.parent = keyOf(this.#shape.parentOf(frozen));
  }

  #distrust(parent: string): void {
    const list = this.lists.get(parent);
    if (list === undefined) return;
    list.isFresh = false;
    this.#touchUnder(parent);
  }

  #touchUnder(parent: string): void {
    const list = this.lists.get(parent);
    if (list !== undefined) list.changedAt = this.version;
    this.touch(this.items.get(parent));
  }
}

/** Measured: an item, its node, its places in the maps; a list and its places. */
const bytesPerItem = 480;
const bytesPerList = 200;
const bytesPerPlace = 16;
