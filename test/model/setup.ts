/** What is in a small world. */
export interface Setup {
  /** Names of tags; a tag is its place in this list. */
  readonly tags: readonly string[];
  readonly keys: readonly Key[];
  readonly processes: number;
  readonly readers: readonly ReaderSetup[];
  readonly writers: readonly WriterSetup[];
  readonly setters?: readonly SetterSetup[];
  readonly accidents?: { readonly [kind in Accident]?: number };
  /** Every tag, and every entry, on a node of its own. */
  readonly cluster?: boolean;
  readonly leases?: boolean;
  readonly strict?: boolean;
  /** No tag has a version at the start. */
  readonly empty?: boolean;
}

export interface Key {
  /** Of the key itself, and written by hand: their versions are asked for before the load. */
  readonly known: readonly number[];
  readonly queries: readonly Query[];
  /** What `delete` raises, in this order, and which of them `set` raises. */
  readonly deleteTag?: number;
  readonly keyTag?: number;
}

export type Query =
  /** Reads a row. Its tag is among the known ones, its version is taken before the query, or it is told afterwards. */
  | { readonly row: number; readonly tag: number; readonly how: 'known' | 'observed' | 'learned' }
  | { readonly inner: number };

export interface ReaderSetup {
  readonly process: number;
  readonly key: number;
  readonly reads: number;
  /** The transaction of this writer surrounds it. */
  readonly inside?: number;
  /** Begins when all else has ended: what it is served then must be what the database has. */
  readonly last?: boolean;
}

export interface WriterSetup {
  readonly process: number;
  readonly rows: readonly number[];
  /** Tags to raise, one list after the other; by which word it is said. */
  readonly raises: readonly (readonly number[])[];
  readonly by: 'invalidate' | 'delete' | 'clear';
}

export interface SetterSetup {
  readonly process: number;
  readonly key: number;
  /** Tags of its snapshot; those that every snapshot holds come on top. */
  readonly since: readonly number[];
  /** Rows that it writes itself, before the snapshot: a write that is told by `set`. */
  readonly writes?: readonly number[];
  /** All the tags that every snapshot holds. */
  readonly standing: readonly number[];
}

export type Accident =
  | 'evicted tag'
  | 'evicted entry'
  | 'loss'
  | 'time-out'
  | 'crash'
  | 'rollback'
  | 'unknown outcome'
  | 'lease lapse';
