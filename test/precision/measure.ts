import { setTimeout as sleep } from 'node:timers/promises';
import Knex, { type Knex as Instance } from 'knex';
import { type WrapOptions, withCache } from '../../adapters/knex/index.js';
import { type Cache, createCache } from '../../src/index.js';
import { Random } from '../transparency/random.js';
import { type Read, type Row, readsOf } from './entries.js';
import { aDatabase, type Database, fill, type Size } from './shop.js';
import { type Write, writes } from './writes.js';

/** What is said of the tables. */
export const variants = {
  nothing: {},
  tenant: { tenant: 'tenant_id' },
  'tenant, grain, ignoreColumns': {
    tenant: 'tenant_id',
    tables: { responses: { grain: 'post_id' }, contacts: { ignoreColumns: ['seen'] } },
  },
} as const satisfies Record<string, Omit<WrapOptions, 'cache'>>;
export type Variant = keyof typeof variants;

/** Of all entries, how many a write has ended, and how many it had to; sums over its repetitions. */
export interface Precision {
  readonly write: Write;
  /** Whose answer is another one now: these must end. */
  changed: number;
  /** That look at the written row, as it was or as it is. */
  covering: number;
  ended: number;
  /** Changed and not ended: there must be none. */
  stale: number;
  /** What ended beyond those that look at the row, by kind. */
  readonly beyond: Map<string, number>;
}

export interface Measured {
  readonly entries: number;
  readonly precisions: readonly Precision[];
}

/** Fills a database and a cache, and writes one row at a time. */
export async function measure(
  database: Database,
  url: string | undefined,
  variant: Variant,
  { size, seed, repeat }: { size: Size; seed: number; repeat: number },
): Promise<Measured> {
  const { config, drop } = await aDatabase(database, url);
  const cache = createCache({ ttl: '1h', jitter: 0 });
  const bare = Knex(config);
  const knex = withCache(Knex(config), { cache, ...variants[variant] });
  try {
    await fill(bare, size);
    const reads = readsOf(size);
    const random = new Random(seed);
    const precisions: Precision[] = [];
    let fresh = 0;
    await keep(cache, knex, reads);
    for (const write of writes) {
      const precision = { write, changed: 0, covering: 0, ended: 0, stale: 0, beyond: new Map<string, number>() };
      precisions.push(precision);
      for (let at = 0; at < repeat; at++)
        await once(precision, { cache, knex, bare, reads }, write.make(random, size, ++fresh));
    }
    return { entries: reads.length, precisions };
  } finally {
    await knex.destroy();
    await bare.destroy();
    await cache.close();
    await drop();
  }
}

interface Setting {
  readonly cache: Cache;
  readonly knex: Instance;
  readonly bare: Instance;
  readonly reads: readonly Read[];
}

async function once(to: Precision, setting: Setting, { id, run }: ReturnType<Write['make']>): Promise<void> {
  const { cache, knex, bare, reads } = setting;
  const { table } = to.write;
  // An entry that does not look at the table cannot change.
  const answers = () =>
    each(reads, async (read) => read.tables.includes(table) && JSON.stringify(await read.ask(bare)));
  const rowNow = (): Promise<Row | undefined> => bare(table).where({ id }).first();
  const [before, row] = [await answers(), await rowNow()];
  await run(knex);
  const [after, newRow] = [await answers(), await rowNow()];
  for (const [at, read] of reads.entries()) {
    const isChanged = before[at] !== after[at];
    const covers =
      read.tables.includes(table) && [row, newRow].some((it) => it !== undefined && read.covers(table, it));
    const isEnded = !(await cache.has(keyOf(at)));
    to.changed += Number(isChanged);
    to.covering += Number(covers);
    to.ended += Number(isEnded);
    to.stale += Number(isChanged && !isEnded);
    if (isEnded && !covers) to.beyond.set(read.kind, (to.beyond.get(read.kind) ?? 0) + 1);
  }
  await keep(cache, knex, reads);
}

/** Everything is stored, and was read since: a key that is never hit is not stored for long. */
async function keep(cache: Cache, knex: Instance, reads: readonly Read[]): Promise<void> {
  const read = (at: number) => cache.read({ key: keyOf(at), load: async () => reads[at]?.ask(knex) });
  const all = reads.map((_, at) => at);
  await each(all, read);
  const again = await each(all, read);
  const missing = again.find(({ source }) => source !== 'near');
  if (missing !== undefined) throw new Error(`an entry is not stored: ${missing.reason}`);
  await sleep(0);
}

const keyOf = (at: number) => ['entry', at];

/** As many at a time as the pool has connections. */
async function each<T, U>(all: readonly T[], fn: (one: T) => Promise<U>): Promise<U[]> {
  const done: U[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < all.length; at = next++) done[at] = await fn(all[at] as T);
  };
  await Promise.all([work(), work(), work(), work()]);
  return done;
}
