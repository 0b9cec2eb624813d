import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { hasPrisma, tellOfNoPrisma } from '../prisma/client.js';
import { countsIn } from './commit/database.js';
import { type Lost, lose } from './commit/lose.js';
import { writers } from './commit/writers.js';

// Writes whose answer is lost: nobody knows whether they were committed. The long form, 200 for each adapter:
// npx tsx --tsconfig /dev/null test/faults/commit/run.ts; what it said last stands in commit/results.md.

const services = inject('services');

/** Adapters that are not asked to lose an answer, each for its reason. */
const spared = {
  redis: 'it is a store, and writes to no database',
  nestjs: 'it wraps no client: it hands a cache to those who do',
  ...(!hasPrisma && { prisma: tellOfNoPrisma() }),
};

describe('a write whose answer is lost', () => {
  const names = Object.keys(writers).filter((name) => services[writers[name]!.database] !== undefined);
  const lost = new Map<string, Lost>();

  // All at once, since most of it is waiting for the second invalidation.
  beforeAll(async () => {
    await Promise.all(
      names.map(async (name) => {
        const { database } = writers[name]!;
        const counts = await countsIn(database, services[database]!.url, name, name === 'knex' ? 16 : 8);
        try {
          lost.set(name, await lose({ by: name, ...counts }));
        } finally {
          await counts.drop();
        }
      }),
    );
  }, 60_000);

  test.each(names)('by %s fails as unknown, and leaves nothing stale behind', (name) => {
    const { writes, carriedOut, misnamed, window, stale, unhandled } = lost.get(name)!;
    expect(misnamed).toEqual([]);
    expect(stale).toBe(0);
    expect(unhandled).toEqual([]);
    // Of four ways three end in the database.
    expect(carriedOut).toBe((writes / 4) * 3);
    // What the second invalidation is there for: without it these would be stale for ever.
    expect(window).toBeGreaterThan(0);
  });

  test('is tried with every adapter but those that are spared', () => {
    const folders = readdirSync(new URL('../../adapters/', import.meta.url));
    expect([...Object.keys(writers), ...Object.keys(spared)].sort()).toEqual(folders.sort());
  });
});
