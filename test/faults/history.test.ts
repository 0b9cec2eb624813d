import { describe, expect, inject, test } from 'vitest';
import type { Verdict } from './history/check.js';
import { play } from './history/play.js';
import { describeVerdict, holds, serves } from './history/verdict.js';

// Histories of real processes on a real Redis and a real PostgreSQL, under faults. The long form, 120 s for each of five seeds:
// npx tsx test/faults/history/run.ts; what it said last stands in history/results.md.

const { postgres } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));

describe.skipIf(postgres === undefined)('a history of three processes (skipped where there is no PostgreSQL)', () => {
  const url = postgres?.url as string;
  const told = (title: string, verdict: Verdict) => {
    const text = describeVerdict(`${title}, seed ${seed}`, verdict);
    console.log(text);
    return text;
  };

  test('under faults contains every acknowledged write in every later read', { timeout: 240_000 }, async () => {
    const verdict = await play({ subject: 'unstale', seed, seconds: 20, postgres: url });
    const text = told('unstale', verdict);
    expect(holds(verdict), text).toBe(true);
    // A cache that caches nothing would have passed as well.
    expect(verdict.reads, text).toBeGreaterThan(5000);
    expect(verdict.acknowledged / verdict.reads, text).toBeGreaterThan(0.04);
    expect(serves(verdict, { short: true }), text).toBe(true);
  });

  test('and, when it is strict, every committed one', { timeout: 240_000 }, async () => {
    const faults = ['kill', 'stop', 'evict', 'drop', 'hang', 'restart', 'lose'];
    const verdict = await play({ subject: 'unstale', strict: true, seed, seconds: 20, faults, postgres: url });
    const text = told('unstale, strict', verdict);
    expect(holds(verdict, true), text).toBe(true);
    expect(verdict.reads, text).toBeGreaterThan(2000);
    expect(serves(verdict, { strict: true, short: true }), text).toBe(true);
  });

  // Both wait for servers most of the time.
  test.concurrent.each(['cluster', 'sentinel'] as const)(
    'does so on a %s that fails over and moves its keys',
    { timeout: 240_000 },
    async (redis) => {
      const verdict = await play({ subject: 'unstale', redis, seed, seconds: 8, postgres: url });
      const text = told(`unstale on a ${redis}`, verdict);
      expect(holds(verdict), text).toBe(true);
      expect(verdict.reads, text).toBeGreaterThan(5000);
      expect(verdict.hitRatio, text).toBeGreaterThan(0.3);
    },
  );

  test('with subscribers that have gone deaf gives nothing older than `maxStale`', { timeout: 120_000 }, async () => {
    const faults = ['deafen'];
    const verdict = await play({
      subject: 'unstale',
      seed,
      seconds: 10,
      rows: 100,
      maxStale: 200,
      faults,
      postgres: url,
    });
    const text = told('unstale, maxStale 200 ms', verdict);
    expect(holds(verdict), text).toBe(true);
    // What is not acknowledged for longer is served: the bound is in use, and was measured.
    expect(verdict.oldest, text).toBeGreaterThan(20);
    expect(verdict.oldest, text).toBeLessThan(250);
  });
});
