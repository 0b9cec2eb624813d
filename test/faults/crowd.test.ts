import { describe, expect, inject, test } from 'vitest';
import { herd } from './crowd/herd.js';
import { hot } from './crowd/hot.js';
import { many } from './crowd/many.js';

// Many who want the same, and many things wanted once. The figures are those that a quiet machine has to reach, which the
// long form holds it to; here times may be three times as much, and where they are, one process more loses patience.
// That form: npx tsx test/faults/crowd/run.ts; what it said last stands in crowd/results.md.

describe.skipIf(!inject('services').redis)(
  '100 readers in each of 8 processes (skipped where there is no Redis)',
  () => {
    const readers = { processes: 8, readers: 100, loading: 500, isKnown: true };

    test('cause one load of what nobody has', { timeout: 60_000 }, async () => {
      const { loads, slowest, values } = await herd({ ...readers, isKnown: false });
      expect(values).toEqual([0]);
      expect(loads).toBe(1);
      expect(slowest).toBeLessThan(3 * (2 * readers.loading + 150));
    });

    test.each([
      ['what it takes is known', { ...readers, killedAt: 0.9 }],
      ['what it takes is not known', { ...readers, killedAt: 0.5, isKnown: false }],
    ])('cause one more when the process that loads it is killed, and %s', { timeout: 60_000 }, async (_, how) => {
      const { loads, slowest, values } = await herd(how);
      expect(values).toEqual([0]);
      expect(loads).toBeLessThanOrEqual(3);
      expect(slowest).toBeLessThan(3 * (2 * how.loading + 150));
    });
  },
);

test.skipIf(!inject('services').redis)(
  '10,000 readers of one key at a time cost Redis two commands in each `maxStale`',
  { timeout: 60_000 },
  async () => {
    const { loads, reads, commands } = await hot({ maxStale: 200, seconds: 1 });
    expect(loads).toBeLessThanOrEqual(2);
    expect(reads).toBeGreaterThan(20_000);
    expect(commands).toBeLessThanOrEqual(2);
  },
);

test('a memory through which 200,000 keys with tags have gone holds what it was given', {
  timeout: 120_000,
}, async () => {
  const { held, told, limit } = await many({ keys: 200_000, limit: 128 * 2 ** 20 });
  expect(told).toBeGreaterThan(0.9 * limit);
  expect(told).toBeLessThanOrEqual(limit);
  expect(held).toBeLessThan(1.1 * limit);
});
