import { AsyncLocalStorage } from 'node:async_hooks';
import type { Cache } from '../../src/index.js';

/** Ways to say for whom something is done. */
export type For = <T>(cache: Cache, tenant: string | number, fn: (cache: Cache) => T) => T;

/** What a program does for 20 tenants, in whatever way it says for whom. */
export interface Play {
  /** Caches of one store, or the only one in memory. */
  readonly caches: readonly Cache[];
  readonly ways: readonly For[];
  readonly seed: number;
}

/** The ways there are; the third has both say something, and the inner one counts. */
export const waysOfOurs: readonly For[] = [
  (cache, tenant, fn) => fn(cache.tenant(tenant)),
  (cache, tenant, fn) => cache.runAsTenant(tenant, () => fn(cache)),
  (cache, tenant, fn) => cache.runAsTenant('somebody else', () => cache.runAsTenant(tenant, () => fn(cache))),
  (cache, tenant, fn) => cache.runAsTenant('somebody else', () => fn(cache.tenant(tenant))),
];

/** Says nothing: whoever comes first has written the answer of all. */
export const forNobody: For = (cache, _, fn) => fn(cache);

/** Of the wrapped function, as a request has it. */
const current = new AsyncLocalStorage<string | number>();
const tenants = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? i / 2 : `${(i - 1) / 2}`));

/**
 * A random program: three threads of reads and writes for random tenants, in random namespaces, by every kind of call.
 * Every value names its tenant, so a value that was made for another one shows. Resolves with how many did, among how many
 * reads, of which how many were answered by something stored.
 */
export async function playTenants({ caches, ways, seed }: Play) {
  const counts = { reads: 0, crossed: 0, stored: 0 };
  const dice = random(seed);
  const pick = <T>(list: readonly T[]): T => list[dice(list.length)] as T;
  const wrapped = new Map<Cache, (n: number) => Promise<string>>();
  let loads = 0;
  const made = (tenant: string | number) => {
    loads++;
    return `${typeof tenant} ${tenant}`;
  };
  const step = async () => {
    const root = pick(caches);
    const tenant = pick(tenants);
    const n = dice(3);
    const before = loads;
    const check = (value: unknown) => {
      if (value === undefined) return;
      counts.reads++;
      if (value !== `${typeof tenant} ${tenant}`) counts.crossed++;
      if (loads === before) counts.stored++;
    };
    // The load takes a turn, so that those of others begin meanwhile.
    const load = async () => {
      const value = made(tenant);
      await new Promise((resolve) => setImmediate(resolve));
      return value;
    };
    await pick(ways)(root, tenant, async (whose) => {
      const cache = dice(4) === 0 ? whose.namespace(pick(['a', 'b'])) : whose;
      const acts: (() => Promise<unknown>)[] = [
        async () => check(await cache.getOrSet({ key: ['k', n], tags: ['t'], load })),
        async () => check((await cache.read({ key: ['k', n], load })).value),
        async () => check(await cache.getOrSet({ key: ['k', n], fresh: dice(2) === 0, load })),
        async () => check(await cache.get(['k', n])),
        async () => {
          const many = {
            inputs: [0, 1, 2],
            key: (one: number) => ['k', one],
            load: (ins: readonly number[]) => ins.map(() => made(tenant)),
          };
          for (const value of await cache.getOrSetMany(many)) check(value);
        },
        async () => cache.set(['k', n], made(tenant)),
        async () =>
          check(await cache.getOrSet({ key: ['outer', n], load: () => cache.getOrSet({ key: ['k', n], load }) })),
        async () => check(await cache.transaction(() => cache.getOrSet({ key: ['k', n], load }))),
        async () => {
          // One function of the root, whose arguments do not name the tenant; a view has no say in it.
          if (cache !== root) return;
          const fn =
            wrapped.get(root) ??
            root.withCache(async (_: number) => made(current.getStore() ?? 'nobody'), { name: 'wrapped' });
          wrapped.set(root, fn);
          check(await current.run(tenant, () => fn(n)));
        },
        async () => cache.delete(['k', n]),
        async () => cache.clear(),
        async () => cache.invalidate('t'),
      ];
      // Reads far more often than the rest, or nothing would be found.
      await acts[dice(3) === 0 ? dice(acts.length) : dice(5)]?.();
    });
  };
  const thread = async () => {
    for (let i = 0; i < 15; i++) await step();
  };
  await Promise.all([thread(), thread(), thread()]);
  return counts;
}

/** A generator of its own, so that a failure can be played again by its seed. */
function random(seed: number): (sides: number) => number {
  let state = seed + 1;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}
