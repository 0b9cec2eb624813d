import { describe, expect, inject, test } from 'vitest';
import { explore } from './schedules/explore.js';

// One schedule after the other on a real Redis and a real PostgreSQL, whose answers come in the order that was chosen. A
// thousand random orders of three readers and two writers: npx tsx test/faults/schedules/run.ts --readers 3 --writers 2 --random 1000;
// what it said last stands in schedules/results.md.

const { postgres } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));

describe.skipIf(postgres === undefined)(
  'answers in an order of our choice (skipped where there is no PostgreSQL)',
  () => {
    const url = postgres?.url as string;
    const one = { readers: 1, writers: 1, postgres: url, orders: { all: true, most: 3000 } } as const;

    test('orders of one reader and one writer: no acknowledged write is missing', {
      timeout: 240_000,
    }, async () => {
      const { orders, complete, violations } = await explore({ ...one, subject: 'unstale' });
      expect(violations).toEqual([]);
      expect(complete).toBe(true);
      expect(orders).toBeGreaterThan(50);
    });

    test('60 random orders of three readers, whose reads may join, and two writers', { timeout: 240_000 }, async () => {
      const many = { readers: 3, writers: 2, reads: 'at once', postgres: url, orders: { random: 60, seed } } as const;
      const { violations } = await explore({ ...many, subject: 'unstale' });
      expect(violations, `seed ${seed}`).toEqual([]);
    });

    test('a cache that deletes on write is found out', { timeout: 240_000 }, async () => {
      const { violations } = await explore({ ...one, subject: 'deletes on write' });
      expect(violations.length).toBeGreaterThan(0);
    });
  },
);
