import { createCache } from '../../../src/index.js';
import { vitals } from '../soak/vitals.js';

export interface Many {
  readonly entries: number;
  /** Bytes: what the cache may hold, what it says it holds, and what it holds. */
  readonly limit: number;
  readonly told: number;
  readonly held: number;
}

/** Distinct keys, each with a tag of its own, read once each through a memory that has room for a part of them. */
export async function many({ keys, limit }: { keys: number; limit: number }): Promise<Many> {
  const cache = createCache({ ttl: '1h', memory: { maxEntries: keys, maxBytes: limit } });
  const read = (n: number) =>
    cache.getOrSet({ key: ['row', n], tags: [`row:${n}`], load: () => ({ id: n, name: `row ${n} `.repeat(40) }) });
  // What is compiled and made once.
  for (let n = 0; n < 100; n++) await read(-n);
  const before = vitals().heap - cache.stats().bytes;
  for (let n = 0; n < keys; n += 1000) await Promise.all(Array.from({ length: 1000 }, (_, i) => read(n + i)));
  const { entries, bytes: told } = cache.stats();
  const held = vitals().heap - before;
  await cache.close();
  return { entries, limit, told, held };
}
