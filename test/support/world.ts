import { type CacheOptions, createCache, type Snapshot, type Store } from '../../src/index.js';
import { type FakeClock, fakeClock, memoryStore } from '../../src/testing/index.js';
import { watch } from './audit.js';
import { Database } from './database.js';
import { type Flaw, NaiveCache, NaiveServer } from './naive.js';
import { unwatched } from './unwatched.js';

/** What the tests of races ask of a cache: ours, and the small one that can be told to be wrong. */
export interface Subject {
  getOrSet<T>(query: Query<T>): Promise<T>;
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, options?: { since?: Snapshot }): Promise<void>;
  delete(key: string): Promise<unknown>;
  snapshot(...tags: string[]): Promise<Snapshot>;
  invalidate(...tags: string[]): Promise<unknown>;
  clear(): Promise<unknown>;
  transaction<T>(fn: () => Promise<T>): Promise<T>;
  namespace(name: string): Subject;
  tenant(id: string): Subject;
}

export interface Query<T> {
  readonly key: string;
  readonly tags?: readonly string[];
  readonly ttl?: number;
  readonly swr?: number;
  readonly staleOnError?: number;
  readonly timeout?: { readonly soft: number };
  readonly load: (context: { tag(...tags: string[]): void }) => Promise<T>;
}

/** How the small cache is told to refresh early; ours draws lots by what the load costs. */
export interface EarlyQuery<T> extends Query<T> {
  readonly early?: number;
}

/** Two processes and a database. Without a store they are one. */
export interface World {
  readonly here: Subject;
  readonly there: Subject;
  readonly db: Database;
  /** All time there is in this world. */
  readonly clock: FakeClock;
  /** What befalls the store, where there is one. */
  readonly store: { lose(): void; remember(): () => void };
}

/** Where a cache may keep what it knows. */
export const places = {
  'in memory': undefined,
  'on a store that reports changes': (store: Store) => store,
  'on a store that reports nothing': unwatched,
} as const;
export type Place = keyof typeof places;
export const everywhere = Object.keys(places) as Place[];
export const shared = everywhere.filter((place) => places[place] !== undefined);

export function aWorld(place: Place, options: CacheOptions = {}): World {
  const clock = fakeClock();
  // Large bounds are allocated at once, and there are many worlds.
  const store = memoryStore({ maxVersions: 1000, maxEntries: 100 });
  const way = places[place];
  const open = () =>
    watch(
      createCache({ jitter: 0, clock, memory: { maxEntries: 100 }, ...options, ...(way && { store: way(store) }) }),
      clock,
    );
  const here = open();
  return { here, there: way === undefined ? here : open(), db: new Database(), clock, store };
}

/** The same world on the small cache, right or with a flaw; `ahead` is how far the clock of `there` is. */
export function aNaiveWorld(...flaws: Flaw[]): World & { readonly server: NaiveServer } {
  return naiveWorld(flaws, 0);
}

export function naiveWorld(
  flaws: readonly Flaw[],
  ahead: number,
  tenant?: () => string | undefined,
): World & { readonly server: NaiveServer } {
  const clock = fakeClock(10_000);
  const server = new NaiveServer(new Set(flaws));
  const here = new NaiveCache(server, { now: clock.now, tenant });
  const there = new NaiveCache(server, { now: () => clock.now() + ahead, tenant });
  return { here, there, db: new Database(), clock, store: server, server };
}
