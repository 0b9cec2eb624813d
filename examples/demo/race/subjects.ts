import type { Redis } from 'ioredis';
import { createCache } from '../../../src/index.js';
import { openShared } from '../shared-cache.js';

/** A cache in the race: how it reads a row, and what the writer of a row waits for. */
export interface Subject {
  read(row: number, load: () => Promise<number>): Promise<number>;
  written(row: number): Promise<unknown>;
  close(): Promise<unknown>;
}

export const subjectNames = ['delete on write', 'unstale'] as const;
export type SubjectName = (typeof subjectNames)[number];

const ttl = 30_000;

/** `redis`: what all processes share; without it, the memory of this one. */
export async function openSubject(name: SubjectName, redis?: { url: string; client: Redis }): Promise<Subject> {
  if (name === 'delete on write') return deleteOnWrite(redis ? inRedis(redis.client) : inMemory());
  const cache = redis ? await openShared(redis.url, 'race') : createCache();
  return {
    read: (row, load) => cache.getOrSet({ key: ['row', row], ttl, tags: [`row:${row}`], load }),
    written: (row) => cache.invalidate(`row:${row}`),
    close: () => cache.close(),
  };
}

/** The cache that everybody writes first: look, else load and keep; delete after a write. Correct, until it is raced. */
function deleteOnWrite(kept: Kept): Subject {
  return {
    async read(row, load) {
      const found = await kept.get(`row:${row}`);
      if (found !== null) return Number(found);
      const value = await load();
      await kept.set(`row:${row}`, String(value)); // and if it was deleted while we loaded?
      return value;
    },
    written: (row) => kept.delete(`row:${row}`),
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
