import type { Violation } from './explore.js';
import type { Flaw } from './flaws.js';
import { fresh } from './seen.js';
import type { Accident, Setup } from './setup.js';

/**
 * The small world in which the protocol is walked: one database, one store, some processes of one cache, and in them
 * readers, writers and programs that `set`. Everything here is data; what may happen to it is in `reader`, `load`,
 * `writer`, `setter`, `store` and `accidents`.
 *
 * What is left out, so that the world stays small: ages, values (a value *is* the set of writes that it contains), and
 * tags that nobody raises in the scenario, since their pairs hold anyway.
 */
export interface State {
  /** Committed writes, a bit for each row of each. */
  db: Commits;
  /** Acknowledged ones. */
  acked: Commits;
  /** Those that somebody was served; counted only for MONO. */
  shown: Commits;
  store: StoreState;
  processes: Process[];
  readers: Reader[];
  writers: Writer[];
  setters: Setter[];
  /** Writes of entries on their way to the store. Nobody waits for them, so each may arrive at any later moment. */
  sent: Sent[];
  /** Raises that somebody has stopped waiting for: tags that the store may still raise, a list for each. */
  late: Bits[];
  /** How many accidents of each kind are still to come. */
  left: { [kind in Accident]: number };
}

/** A set of writes, tags, frames or nodes: a bit for each. */
export type Commits = number;
export type Bits = number;
/** 0: none. Negative: fenced. */
export type Version = number;

export interface Entry {
  readonly value: Commits;
  /** False for what only leaves its tags behind. */
  readonly hasValue: boolean;
  readonly tags: Bits;
  /** By tag. */
  readonly versions: readonly Version[];
  readonly epoch: number;
}

export interface StoreState {
  versions: Version[];
  /** By tag: the writers that fence it. Only strict mode has any. */
  owners: Bits[];
  entries: (Entry | null)[];
  /** Who has the lease of each key: a reader's frame, or -1. */
  leases: number[];
  /** The record of trust: the epoch, and the run that it belongs to. */
  epoch: number;
  recorded: number;
  /** Which run of the server this is. */
  run: number;
  /** What it will find when it is restarted. */
  saved: SavedState | null;
  /** Strict: transactions that may have been fenced in what was lost; until they are over nothing is served. */
  quarantine: Bits;
}

type SavedState = Readonly<Pick<StoreState, 'versions' | 'owners' | 'entries' | 'epoch' | 'recorded'>>;

export interface Process {
  /** The run of the server that it is connected to; 0 between two connections. */
  run: number;
  /** 0 while nothing is trusted. */
  epoch: number;
  /** Of a flawed one: it trusts a server that it has not looked at. */
  blind: boolean;
  /** By key: the entry in memory. */
  near: (Entry | null)[];
  /** By key. */
  flights: (Flight | null)[];
  /** By tag: which refusal is undelivered, 0 for none; while there is one, the tag is distrusted. */
  pending: number[];
  distrusted: Bits;
  /** By tag: writes that wait for a delivery. */
  refused: Commits[];
  /** What is being delivered; null while nothing is. */
  delivery: { ids: number[]; open: Bits } | null;
  /** Writes of this process that have resolved, acknowledged or not. */
  own: Commits;
}

/** A load under way, which others may join. */
export interface Flight {
  by: number;
  /** Frames that had begun when its look began. */
  older: Bits;
}

export interface Reader {
  left: number;
  /** The database as its transaction sees it, -1 while there is none. */
  snapshot: number;
  /** A cached call inside a load is a frame on top of the load's. */
  frames: Frame[];
}

/** Those of the second line pass at once. */
export type At =
  | ('sent' | 'answered' | 'joined' | 'waits' | 'query' | 'loaded' | 'inside')
  | ('again' | 'still' | 'inner' | 'goes on' | 'pair' | 'late');

/** What a question is asked for, hence where its answer leads. */
export type Purpose = '' | 'recheck' | 'look' | 'more' | 'pair' | 'still' | 'late' | 'lease' | 'put' | 'snapshot';

/** One read on its way through look, fill and load. */
export interface Frame {
  key: number;
  at: At;
  /** What was acknowledged, resolved here, committed, shown when the read began. */
  acked: Commits;
  own: Commits;
  committed: Commits;
  shown: Commits;
  question: Question;
  /** Versions that the look has come to know, by tag. */
  known: Version[];
  /** The epoch they belong to, 0 when the store could not be asked. */
  epoch: number;
  /** Frames of the same key and process that had begun when the look began. */
  older: Bits;
  /** Tags that were distrusted when the look began. */
  distrusted: Bits;
  /** What was in memory when the look began. */
  near: Entry | null;
  found: Entry | null;
  /** The load: which query comes next, what was read, under which versions. */
  query: number;
  value: Commits;
  pairs: Version[];
  torn: boolean;
  learned: Bits;
  leased: boolean;
}

/** Reads that were sent in one tick, and what has been answered. */
export interface Question {
  purpose: Purpose;
  tags: Bits;
  entry: boolean;
  /** Nodes that have not answered; of a single server there is one. */
  open: Bits;
  /** Gives versions to tags that have none. */
  creates: boolean;
  answer: Version[];
}

export interface Writer {
  at: 'idle' | 'fencing' | 'open' | 'commits' | 'raise' | 'raised' | 'again' | 'done' | 'gone';
  /** What the database says of its transaction. */
  transaction: 'none' | 'open' | 'unknown' | 'committed' | 'aborted';
  /** The outcome of its COMMIT was unknown to it; and it has raised a second time. */
  doubt: boolean;
  twice: boolean;
  round: number;
  /** Tags of the round that the store has yet to raise. */
  open: Bits;
}

export interface Setter {
  at: 'idle' | 'commits' | 'snapshot' | 'query' | 'raise' | 'raised' | 'put' | 'done';
  question: Question;
  since: Version[];
  epoch: number;
  own: Version;
  value: Commits;
}

export interface Sent {
  key: number;
  /** Null: removes what is there. */
  entry: Entry | null;
  /** Whose lease is given back once it has arrived; -1: nobody's. */
  release: number;
}

/** What all steps need in hand. */
export interface World {
  readonly setup: Setup;
  readonly flaws: ReadonlySet<Flaw>;
  readonly broken: Violation[];
  /** By row: the writes that change it. A write of two rows is two bits, so that half of it is seen to be half. */
  readonly writesOf: readonly Commits[];
  /** By writer, then by setter: what it writes. */
  readonly written: readonly Commits[];
  /** By key: all writes that its value must show. */
  readonly contents: readonly Commits[];
}

export function startOf({ setup, flaws }: World): State {
  const { tags, keys, accidents = {} } = setup;
  const none = () => tags.map(() => 0);
  const counts = flaws.has('counts the versions of each tag from 1');
  const epoch = fresh();
  return {
    db: 0,
    acked: 0,
    shown: 0,
    store: {
      versions: tags.map(() => (setup.empty === true || counts ? 0 : fresh())),
      owners: none(),
      entries: keys.map(() => null),
      leases: setup.leases === true ? keys.map(() => -1) : [],
      epoch,
      recorded: 1,
      run: 1,
      saved: null,
      quarantine: 0,
    },
    processes: Array.from({ length: setup.processes }, () => ({
      run: 1,
      epoch,
      blind: false,
      near: keys.map(() => null),
      flights: keys.map(() => null),
      pending: none(),
      distrusted: 0,
      refused: none(),
      delivery: null,
      own: 0,
    })),
    readers: setup.readers.map(({ reads }) => ({ left: reads, snapshot: -1, frames: [] })),
    writers: setup.writers.map(() => ({
      at: 'idle',
      transaction: 'none',
      doubt: false,
      twice: false,
      round: 0,
      open: 0,
    })),
    setters: (setup.setters ?? []).map(() => ({
      at: 'idle',
      question: noQuestion(),
      since: [],
      epoch: 0,
      own: 0,
      value: 0,
    })),
    sent: [],
    late: [],
    left: {
      'evicted tag': 0,
      'evicted entry': 0,
      loss: 0,
      'time-out': 0,
      crash: 0,
      rollback: 0,
      'unknown outcome': 0,
      'lease lapse': 0,
      ...accidents,
    },
  };
}

export function noQuestion(): Question {
  return { purpose: '', tags: 0, entry: false, open: 0, creates: false, answer: [] };
}

export function bitsOf(numbers: readonly number[]): Bits {
  return numbers.reduce((bits, n) => bits | (1 << n), 0);
}

export function* each(bits: Bits): Generator<number> {
  for (let n = 0; bits >> n !== 0; n++) if ((bits >> n) & 1) yield n;
}

export function isFenced(version: Version): boolean {
  return version < 0;
}

/** Which of the writes of these rows somebody can see. */
export function seenBy(world: World, rows: readonly number[], committed: Commits): Commits {
  return rows.reduce((all, row) => all | (world.writesOf[row] as Commits), 0) & committed;
}
