import { describe, expect, inject, test } from 'vitest';
import { soak } from './soak/play.js';
import { describeTrend, growthOf } from './soak/vitals.js';

// Processes that work under faults have as much of everything after a while as before, and nothing is left of them after
// `close`. The long form, ten minutes: npx tsx test/faults/soak/run.ts; what it said last stands in soak/results.md.

const { postgres } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));
// Eight seconds are no trend of megabytes: what a busy machine compiles late is among them.
const slack = { mebibytes: 8, handles: 20, listeners: 120 };

describe.skipIf(postgres === undefined)('a process under faults (skipped where there is no PostgreSQL)', () => {
  const url = postgres?.url as string;

  test('keeps nothing that it does not need, and ends by itself', { timeout: 90_000 }, async () => {
    for (const it of await soak({ seed, seconds: 8, reads: 600, every: 0.3, rows: 40, maxStale: 200, postgres: url })) {
      const text = `seed ${seed}: ${it.reads} reads, ${it.writes} writes, ${it.samples} samples, ${describeTrend(it.trend)}`;
      console.log(text);
      expect(it.failures, text).toEqual([]);
      expect(it.stale, text).toBe(0);
      expect(growthOf(it.trend, slack), text).toEqual([]);
      expect(it.left, text).toEqual([]);
      expect(it.exit, text).toBe(0);
      expect(it.reads, text).toBeGreaterThanOrEqual(600);
      expect(it.writes, text).toBeGreaterThan(20);
    }
  });

  test('that keeps a little of each read is found out', { timeout: 60_000 }, async () => {
    const options = { seconds: 3, reads: 600, every: 0.2, rows: 40, processes: 1, keeps: 100_000, faults: [] };
    const [it] = await soak({ seed: seed + 1, ...options, postgres: url });
    expect(it).toBeDefined();
    expect(growthOf(it!.trend, slack), describeTrend(it!.trend)).toContainEqual(expect.stringContaining('heap'));
  });
});
