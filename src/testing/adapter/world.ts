import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Duration } from '../../core/duration.js';
import { memoryStore } from '../../core/memory-store.js';
import { type Cache, type CacheOptions, createCache, fenceSql, outboxSql } from '../../index.js';
import { type FaultyStore, faultyStore } from '../faulty-store.js';
import type { AdapterDialect, AdapterDriver, AdapterRow, AdapterRules } from './driver.js';
import { counting, hour, type Prime, priming, type Sides } from './primed.js';
import { shop } from './shop.js';

/** `one`: reader and writer have one cache, in memory. `two`: a cache each, over a shared store. */
export type Processes = 'one' | 'two';

/** What a case works with. */
export interface World extends Sides {
  readonly dialect: AdapterDialect;
  readonly driver: AdapterDriver;
  readonly processes: Processes;
  /** The writer's way to the store that both share; undefined in one process. */
  readonly store: FaultyStore | undefined;
  /** Whether what is written is fenced: whoever reads it beside a COMMIT goes to the database. */
  readonly isStrict: boolean;
  /** Statements that make the tables that `crashSafe` and `strict` need, in a database beside. */
  readonly own: readonly string[];
  bare(sql: string, params?: readonly unknown[]): Promise<AdapterRow[]>;
  /** Runs `fn` as somebody else, who is in no transaction and in no load. */
  beside<T>(fn: () => Promise<T>): Promise<T>;
  /** Reads a statement in every way that stores its answer, and checks that it is stored. */
  readonly prime: Prime;
  /**
   * Lets every client read the catalogue, which it does with its first statement and after DDL; a strict cache stores
   * nothing for a moment after a client was opened, and that is waited for.
   */
  settle(): Promise<void>;
  /** How often a statement has reached the database through a wrapped client. */
  count(sql: string): number;
}

/** What a case needs beside the shop. */
export interface Setting {
  readonly rules?: AdapterRules;
  /** Statements that make what the case needs, in every dialect or by dialect. */
  readonly given?: readonly string[] | Readonly<Partial<Record<AdapterDialect, readonly string[]>>>;
  /** Wraps each client twice. */
  readonly twice?: boolean;
  /** Whether the cache may tell of errors. */
  readonly noisy?: boolean;
  /** How long a write waits for the store. A machine that is busy takes its time. @defaultValue '500ms' */
  readonly ackTimeout?: Duration;
  /** Whether each hit is compared with the database. */
  readonly audit?: boolean;
  /** Whether nobody else may say COMMIT: who empties an outbox does so on connections of the writer's. */
  readonly alone?: boolean;
}

/** What the caches want to accompany each COMMIT, where they share a store. */
export type AdapterSafety = Pick<CacheOptions, 'crashSafe' | 'strict'>;

/** Makes a world for the case, and ends it whatever happens. */
export async function inWorld(
  driver: AdapterDriver,
  processes: Processes,
  setting: Setting,
  body: (world: World) => Promise<void>,
  safety: AdapterSafety = {},
): Promise<void> {
  const ends: (() => Promise<unknown>)[] = [];
  const errors: unknown[] = [];
  const last = <T>(one: T, end: (one: T) => Promise<unknown>): T => {
    ends.unshift(() => end(one));
    return one;
  };
  const aCache = (store: FaultyStore | undefined) => {
    const cache = createCache({
      ...(store && { store, ...safety }),
      ...(store && setting.alone && safety.crashSafe !== undefined && { crashSafe: { outbox: { interval: hour } } }),
      ttl: '1h',
      jitter: 0,
      ackTimeout: setting.ackTimeout ?? '500ms',
      audit: setting.audit ? 1 : 0,
    });
    cache.on('error', ({ error }) => errors.push(error));
    return last(cache, () => cache.close({ timeout: '1s' }));
  };
  try {
    const database = last(await driver.database(shop), (it) => it.drop());
    const { given = [] } = setting;
    const more = 'length' in given ? given : (given[driver.dialect] ?? []);
    const isStrict = processes === 'two' && safety.strict === true;
    const own = [
      ...(safety.crashSafe === undefined ? [] : [outboxSql(driver.dialect).up]),
      ...(isStrict && driver.dialect === 'mysql' ? [fenceSql('mysql').up] : []),
    ];
    for (const sql of database.filled ? [...own, ...more] : [...shop, ...own, ...more]) await database.bare(sql);
    const shared = processes === 'two' ? memoryStore() : undefined;
    const store = shared && faultyStore(shared);
    const cacheOfWriter = aCache(store);
    const cacheOfReader = shared ? aCache(faultyStore(shared)) : cacheOfWriter;
    const open = async (cache: Cache) =>
      last(await database.open({ ...setting.rules, cache, ...(setting.twice && { twice: true }) }), (it) => it.close());
    const writer = await open(cacheOfWriter);
    const reader = processes === 'one' && driver.pool ? writer : await open(cacheOfReader);
    if (isStrict) {
      // Some connect with their first statement, and before that nobody can ask.
      for (const client of [writer, reader]) await client.read('select 1 as one');
      for (const cache of [cacheOfWriter, cacheOfReader]) await outOfQuarantine(cache);
      // In it nobody could agree on what to narrow by; that is asked for ten times a second.
      if (setting.rules !== undefined) await new Promise((resolve) => setTimeout(resolve, 120));
    }
    const made = { driver, database, processes, writer, reader, cacheOfWriter, cacheOfReader, store, isStrict, own };
    await body(aWorld(made));
    if (!setting.noisy) assert.deepEqual(errors, [], 'errors that the cache told of');
  } finally {
    for (const end of ends) await end();
  }
}

/** A strict cache stores nothing until what was open in its database has ended; other cases write there, too. */
async function outOfQuarantine(cache: Cache): Promise<void> {
  const key = ['out of quarantine', randomUUID()];
  for (;;) {
    await cache.getOrSet({ key, tags: [], load: () => true });
    if (await cache.has(key)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

type Made = Omit<World, 'dialect' | 'bare' | 'beside' | 'prime' | 'settle' | 'count'>;

function aWorld(made: Made): World {
  const { reader, writer, cacheOfReader, cacheOfWriter, database } = made;
  const clients = [...new Set([reader, writer])];
  const outside = AsyncLocalStorage.snapshot();
  return {
    ...made,
    dialect: made.driver.dialect,
    bare: (sql, params) => database.bare(sql, params),
    beside: (fn) => outside(fn),
    prime: priming(made),
    async settle() {
      for (const client of clients) await client.read('select count(*) as n from pairs', [], false);
      if (made.isStrict) for (const cache of [cacheOfReader, cacheOfWriter]) await outOfQuarantine(cache);
    },
    count: counting(clients),
  };
}

/** The store of cases that are about it. */
export function sharedStore(w: World): FaultyStore {
  return w.store ?? assert.fail('this case is for two processes');
}
