import type { Key, Query, ReaderSetup, SetterSetup, Setup, WriterSetup } from './setup.js';

/**
 * The small worlds that are walked. Each is as small as it can be and still show what it is for; `larger` has the ones
 * with more of everybody, for the run by name.
 */
const query = (row: number, how: 'known' | 'observed' | 'learned' = 'known', tag = row): Query => ({ row, tag, how });
const reads = (process: number, times = 1, key = 0): ReaderSetup => ({ process, key, reads: times });
/** Reads once more when all is over. */
const last = (process: number, key = 0): ReaderSetup => ({ process, key, reads: 1, last: true });
const writes = (process: number, ...rows: number[]): WriterSetup => ({
  process,
  rows,
  raises: [rows],
  by: 'invalidate',
});

/** One row under one tag, known beforehand. */
const plain: Key = { known: [0], queries: [query(0)] };
const one = { tags: ['a'], keys: [plain] };
const two = { tags: ['a', 'b'] };
const both: Key = { known: [0, 1], queries: [query(0), query(1)] };

/** With the tags that come with a key: `~*` in two copies, of which the key has the first, its `~k`, its `~d`. */
const [star, otherStar, keyTag, deleteTag] = [1, 2, 3, 4] as const;
const standing = {
  tags: ['a', '~*0', '~*1', '~k', '~d'],
  keys: [{ known: [star, keyTag, 0], queries: [query(0)], keyTag, deleteTag }],
};
const sets = (process: number, more: Partial<SetterSetup> = {}): SetterSetup => ({
  process,
  key: 0,
  since: [0],
  standing: [star, otherStar, deleteTag],
  ...more,
});
const deletes = (process: number): WriterSetup => ({
  process,
  rows: [0],
  raises: [[deleteTag], [keyTag]],
  by: 'delete',
});
const clears = (process: number): WriterSetup => ({ process, rows: [0], raises: [[star, otherStar]], by: 'clear' });

export const worlds = {
  'two readers of one process, a writer in another': {
    ...one,
    processes: 2,
    readers: [reads(0), reads(0), last(1)],
    writers: [writes(1, 0)],
  },
  'two readers in two processes, two writers': {
    ...one,
    processes: 2,
    readers: [reads(0), reads(1), last(0)],
    writers: [writes(0, 0), writes(1, 0)],
  },
  'readers who read again': {
    ...one,
    processes: 2,
    readers: [reads(0, 2), reads(0), last(1)],
    writers: [writes(1, 0)],
  },
  'nobody writes': { ...one, processes: 1, readers: [reads(0), reads(0), reads(0)], writers: [] },
  'two tags, nodes of a Cluster': {
    ...two,
    keys: [both],
    cluster: true,
    processes: 2,
    readers: [reads(0), last(0)],
    writers: [writes(0, 0, 1), writes(1, 1)],
  },
  'a write of two tags, of which a value has the second': {
    ...two,
    keys: [{ known: [1], queries: [query(1)] }],
    processes: 2,
    readers: [reads(0, 2), last(0)],
    writers: [writes(1, 0, 1)],
  },
  'tags of two queries, seen by an adapter': {
    ...two,
    keys: [{ known: [], queries: [query(0, 'observed'), query(1, 'observed')] }],
    processes: 2,
    readers: [reads(0), last(1)],
    writers: [writes(0, 0), writes(1, 1)],
  },
  'one tag of a query and of a cached call': {
    tags: ['a'],
    keys: [
      { known: [], queries: [query(0, 'observed'), { inner: 1 }] },
      { known: [0], queries: [query(1, 'known', 0)] },
    ],
    processes: 1,
    readers: [reads(0), last(0)],
    writers: [writes(0, 0)],
  },
  'a tag learned from the result': {
    ...two,
    keys: [{ known: [0], queries: [query(0), query(1, 'learned')] }],
    processes: 2,
    readers: [reads(0, 2), last(1)],
    writers: [writes(0, 0), writes(1, 1)],
  },
  'a cached call inside a load': {
    ...two,
    keys: [
      { known: [], queries: [{ inner: 1 }, query(0, 'observed')] },
      { known: [1], queries: [query(1)] },
    ],
    processes: 1,
    readers: [reads(0), reads(0), last(0)],
    writers: [writes(0, 1)],
  },
  'tags and entries are evicted': {
    ...one,
    processes: 2,
    readers: [reads(0, 2), last(1)],
    writers: [writes(0, 0)],
    accidents: { 'evicted tag': 1, 'evicted entry': 1 },
  },
  'the store has no versions yet': {
    ...one,
    empty: true,
    processes: 2,
    readers: [reads(0), reads(1), last(1)],
    writers: [writes(0, 0)],
    accidents: { 'evicted tag': 1 },
  },
  'leases, which may run out': {
    ...one,
    leases: true,
    processes: 2,
    readers: [reads(0), reads(1), last(0)],
    writers: [writes(0, 0)],
    accidents: { 'lease lapse': 1 },
  },
  'set under a snapshot, and delete': {
    ...standing,
    processes: 2,
    readers: [last(0), last(1)],
    writers: [deletes(1)],
    setters: [sets(0)],
  },
  'set under a snapshot, and clear': {
    ...standing,
    processes: 2,
    readers: [last(0), last(1)],
    writers: [clears(1)],
    setters: [sets(0)],
  },
  'set under a snapshot, and invalidate': {
    ...standing,
    processes: 2,
    readers: [reads(1), last(0), last(1)],
    writers: [writes(1, 0)],
    setters: [sets(0)],
  },
  'a load, and delete': { ...standing, processes: 2, readers: [reads(0), last(0), last(1)], writers: [deletes(1)] },
  'a load, and clear': { ...standing, processes: 2, readers: [reads(0), last(0), last(1)], writers: [clears(1)] },
  'a load, and a write that is told by set': {
    ...standing,
    processes: 2,
    readers: [reads(0), last(0), last(1)],
    writers: [],
    setters: [sets(1, { writes: [0] })],
  },
  'a read inside a transaction, which may be rolled back': {
    ...one,
    processes: 1,
    readers: [{ ...reads(0), inside: 0 }, reads(0), last(0)],
    writers: [writes(0, 0), writes(0, 0)],
    accidents: { rollback: 1 },
  },
  'a COMMIT whose outcome is unknown': {
    ...one,
    processes: 2,
    readers: [reads(0), reads(1), last(0)],
    writers: [writes(1, 0)],
    accidents: { 'unknown outcome': 1 },
  },
  'the store does not answer in time': {
    ...one,
    processes: 2,
    readers: [reads(0), reads(1), last(1)],
    writers: [writes(0, 0)],
    accidents: { 'time-out': 1 },
  },
  'two refusals of one tag': {
    ...one,
    processes: 2,
    readers: [reads(0), last(1)],
    writers: [writes(0, 0), writes(0, 0)],
    accidents: { 'time-out': 2 },
  },
  'the store restarts from what it had saved': {
    ...one,
    processes: 2,
    readers: [reads(0), last(1)],
    writers: [writes(1, 0)],
    accidents: { loss: 1 },
  },
  'the writer dies': {
    ...one,
    processes: 2,
    readers: [reads(0), last(0)],
    writers: [writes(1, 0)],
    accidents: { crash: 1 },
  },
  'of two programs that set, one writes': {
    ...standing,
    processes: 2,
    readers: [last(0), last(1)],
    writers: [],
    setters: [sets(0), sets(1, { writes: [0] })],
  },
} satisfies Record<string, Setup>;

const strict = { ...one, strict: true, processes: 2 };

export const strictWorlds = {
  'strict: two writers, one dies': {
    ...strict,
    readers: [reads(0), last(1)],
    writers: [writes(0, 0), writes(1, 0)],
    accidents: { crash: 1 },
  },
  'strict: two readers, one writer who dies': {
    ...strict,
    readers: [reads(0), reads(0), last(1)],
    writers: [writes(0, 0)],
    accidents: { crash: 1 },
  },
  'strict: a COMMIT whose outcome is unknown': {
    ...strict,
    readers: [reads(0), reads(1), last(1)],
    writers: [writes(0, 0)],
    accidents: { 'unknown outcome': 1 },
  },
  'strict: rollback, and a tag is evicted': {
    ...strict,
    readers: [reads(0, 2), last(1)],
    writers: [writes(0, 0)],
    accidents: { rollback: 1, 'evicted tag': 1, crash: 1 },
  },
  'strict: two tags, nodes of a Cluster': {
    ...strict,
    ...two,
    keys: [both],
    cluster: true,
    readers: [reads(0), last(0)],
    writers: [writes(1, 0, 1)],
    accidents: { crash: 1 },
  },
  'strict: the store restarts from what it had saved': {
    ...strict,
    processes: 1,
    readers: [reads(0), last(0)],
    writers: [writes(0, 0)],
    accidents: { loss: 1, crash: 1 },
  },
} satisfies Record<string, Setup>;

export const larger = {
  'two readers twice, two writers': {
    ...one,
    processes: 2,
    readers: [reads(0, 2), reads(1, 2), last(0)],
    writers: [writes(0, 0), writes(1, 0)],
  },
  'three readers of one process, two writers': {
    ...one,
    processes: 2,
    readers: [reads(0), reads(0), reads(0), last(1)],
    writers: [writes(1, 0), writes(1, 0)],
  },
  'two keys that share a tag': {
    ...two,
    keys: [plain, both],
    processes: 2,
    readers: [reads(0, 2, 0), reads(0, 1, 1), last(1, 1)],
    writers: [writes(0, 0), writes(1, 1)],
  },
  'two readers, two tags, nodes of a Cluster': {
    ...two,
    keys: [both],
    cluster: true,
    processes: 2,
    readers: [reads(0), reads(1), last(0)],
    writers: [writes(0, 0, 1), writes(1, 1)],
    accidents: { 'evicted tag': 1 },
  },
  'two readers, tags of two queries': {
    ...two,
    keys: [{ known: [], queries: [query(0, 'observed'), query(1, 'observed')] }],
    processes: 2,
    readers: [reads(0, 2), reads(0), last(1)],
    writers: [writes(0, 0), writes(1, 1)],
  },
  'two readers, a learned tag, an eviction': {
    ...two,
    keys: [{ known: [0], queries: [query(0), query(1, 'learned')] }],
    processes: 2,
    readers: [reads(0, 2), reads(1), last(1)],
    writers: [writes(0, 0), writes(1, 1)],
    accidents: { 'evicted tag': 1 },
  },
  'a cached call inside a load, two writers': {
    ...two,
    keys: [
      { known: [], queries: [{ inner: 1 }, query(0, 'observed')] },
      { known: [1], queries: [query(1)] },
    ],
    processes: 2,
    readers: [reads(0), reads(0), reads(1, 1, 1), last(0)],
    writers: [writes(0, 0), writes(0, 1)],
  },
  'set, delete, clear and loads': {
    ...standing,
    processes: 2,
    readers: [reads(0), last(0), last(1)],
    writers: [deletes(1), clears(1)],
    setters: [sets(0)],
  },
  'two readers, two time-outs': {
    ...one,
    processes: 2,
    readers: [reads(0, 2), reads(1), last(1)],
    writers: [writes(0, 0)],
    accidents: { 'time-out': 2 },
  },
  'a restart, two readers': {
    ...one,
    processes: 2,
    readers: [reads(0), reads(1), last(1)],
    writers: [writes(0, 0)],
    accidents: { loss: 1 },
  },
  'a restart, two writers': {
    ...one,
    processes: 2,
    readers: [reads(0), last(1)],
    writers: [writes(0, 0), writes(1, 0)],
    accidents: { loss: 1 },
  },
  'a restart, and set under a snapshot': {
    ...standing,
    processes: 2,
    readers: [reads(1), last(0)],
    writers: [deletes(1)],
    setters: [sets(0)],
    accidents: { loss: 1 },
  },
  'leases, three processes': {
    ...one,
    leases: true,
    processes: 3,
    readers: [reads(0), reads(1), reads(2), last(0)],
    writers: [writes(0, 0)],
    accidents: { 'lease lapse': 1 },
  },
  'strict: two readers, two writers, one dies': {
    ...strict,
    readers: [reads(0), reads(1), last(1)],
    writers: [writes(0, 0), writes(1, 0)],
    accidents: { crash: 1, rollback: 1 },
  },
  'strict: two readers, two writers, all accidents': {
    ...strict,
    readers: [reads(0), last(1)],
    writers: [writes(0, 0), writes(1, 0)],
    accidents: { crash: 1, 'unknown outcome': 1, rollback: 1, 'evicted tag': 1, 'evicted entry': 1 },
  },
  'strict: two tags each, two writers, nodes of a Cluster': {
    ...strict,
    ...two,
    keys: [both],
    cluster: true,
    readers: [reads(0), last(0)],
    writers: [writes(0, 0, 1), writes(1, 0, 1)],
    accidents: { crash: 1, 'unknown outcome': 1 },
  },
  'strict: a restart, two writers, one dies': {
    ...strict,
    processes: 1,
    readers: [reads(0), last(0)],
    writers: [writes(0, 0), writes(0, 0)],
    accidents: { loss: 1, crash: 1 },
  },
} satisfies Record<string, Setup>;
