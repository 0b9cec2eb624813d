import type { Cache } from '../../../src/index.js';
import { Random } from '../../transparency/random.js';
import type { Shop } from './shop.js';

export interface Visit {
  readonly seed: number;
  /** How many reads are to be compared with the database. */
  readonly audits: number;
  /** Writes for each read. */
  readonly share: number;
  /** Milliseconds after which it ends, however many there were. */
  readonly atMost: number;
  /** Hears how it goes, every few hundred reads. */
  tell?(audited: number): void;
}

export interface Visited {
  readonly reads: number;
  readonly hits: number;
  readonly writes: number;
  readonly failed: number;
  readonly audited: number;
  readonly mismatches: number;
  readonly undecided: number;
  readonly skipped: number;
  /** Names of what mismatched. */
  readonly found: readonly string[];
}

/** Users read and write, until so many of their reads were audited. */
export async function visit(shop: Shop, { seed, audits, share, atMost, tell = () => {} }: Visit): Promise<Visited> {
  const { cache } = shop;
  const random = new Random(seed);
  const found = new Set<string>();
  const off = cache.on('mismatch', ({ name }) => void found.add(name));
  const ends = performance.now() + atMost;
  const count = { reads: 0, writes: 0, failed: 0 };
  const failed = () => void count.failed++;
  const user = async () => {
    while (cache.stats().audits.audited < audits && performance.now() < ends) {
      count.reads++;
      await shop.read(random).catch(failed);
      if (random.chance(share)) {
        count.writes++;
        await shop.write(random).catch(failed);
      }
      if (count.reads % 500 === 0) tell(cache.stats().audits.audited);
      // Nobody is to read faster than audits go. A difference waits for long, and nobody waits for that.
      for (let i = 0; i < 3 && underWay(cache) >= users; i++) await wait(1);
    }
  };
  await Promise.all(Array.from({ length: users }, user));
  // Differences wait for what would explain them.
  await wait(shop.patience);
  off();
  const { audited, mismatches, undecided, failed: unheard, skipped: left } = cache.stats().audits;
  const { hits } = cache.stats().counts();
  return {
    ...count,
    failed: count.failed + unheard,
    hits,
    audited,
    mismatches,
    undecided,
    skipped: left,
    found: [...found],
  };
}

/** Hits that are audited at this moment. */
function underWay(cache: Cache): number {
  const done = Object.values(cache.stats().audits).reduce((sum, count) => sum + count);
  return cache.stats().counts().hits + cache.stats().audits.mismatches - done;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** As many as there are audits at once. */
const users = 4;
