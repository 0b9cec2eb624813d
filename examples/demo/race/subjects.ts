import type { Redis } from 'ioredis';
import type { Knex } from 'knex';
import { createCache } from '../../../src/index.js';
import type { Database } from '../database.js';
import { openShared } from '../shared-cache.js';
import { increment, readSlowly } from './contested.js';

/** A cache in the race: how it reads a row, and how a row is written that it has. */
export interface Subject {
  /** @param onLoad - told when the database is asked */
  read(row: number, onLoad: () => void): Promise<number>;
  /** Resolves with the new value when everybody has been told; rejects when that is not known. */
  write(row: number): Promise<number>;
  close(): Promise<unknown>;
}

export const subjectNames = ['delete on write', 'unstale'] as const;
export type SubjectName = (typeof subjectNames)[number];

const ttl = 30_000;

/** `redis`: what all processes share; without it, the memory of this one. */
export async function openSubject(
  name: SubjectName,
  db: Database,
  redis?: { url: string; client: Redis },
): Promise<Subject> {
  if (name === 'delete on write') return deleteOnWrite(db.plain, redis ? inRedis(redis.client) : inMemory());
  // The referee must not record a write that was not acknowledged.
  const options = { onUnacknowledged: 'throw' } as const;
  const cache = redis ? await openShared(redis.url, 'race', options) : createCache(options);
  const knex = db.through(cache);
  return {
    read: (row, onLoad) =>
      cache.getOrSet({
        key: ['row', row],
        ttl,
        load() {
          onLoad();
          return readSlowly(knex, row);
        },
      }),
    write: (row) => increment(knex, row),
    close: () => cache.close(),
  };
}

/** The cache that everybody writes first: look, else load and keep; delete after a write. Correct, until it is raced. */
function deleteOnWrite(knex: Knex, kept: Kept): Subject {
  return {
    async read(row, onLoad) {
      const found = await kept.get(`row:${row}`);
      if (found !== null) return Number(found);
      onLoad();
      const value = await readSlowly(knex, row);
      await kept.set(`row:${row}`, String(value)); // and if it was deleted while we loaded?
      return value;
    },
    async write(row) {
      const value = await increment(knex, row);
      await kept.delete(`row:${row}`);
      return value;
    },
    close: async () => {},
  };
}

interface Kept {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

const inRedis = (client: Redis): Kept => ({
  get: (key) => client.get(key),
  set: (key, value) => client.set(key, value, 'PX', ttl),
  delete: (key) => client.del(key),
});

/** Without an end of life: the race is over long before. */
function inMemory(): Kept {
  const values = new Map<string, string>();
  return {
    get: async (key) => values.get(key) ?? null,
    set: async (key, value) => values.set(key, value),
    delete: async (key) => values.delete(key),
  };
}
