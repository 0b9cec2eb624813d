import { describe, expect, inject, test } from 'vitest';
import { playShifted } from './clock/play.js';
import { describeVerdict, holds } from './history/verdict.js';

// A history in which processes disagree about the time of day by two hours, and one sleeps now and then for longer than
// any lease, as a suspended machine does. The long form, also by faketime: npx tsx test/faults/clock/run.ts; what it said
// last stands in clock/results.md.

const { postgres } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));

describe.skipIf(postgres === undefined)('processes whose clocks differ (skipped where there is no PostgreSQL)', () => {
  test('see every acknowledged write, as if they agreed', { timeout: 240_000 }, async () => {
    const faults = ['stop', 'evict', 'drop', 'hang'];
    const plan = { seed, seconds: 3, rows: 200, faults, postgres: postgres?.url as string };
    const { shifts, ...verdict } = await playShifted(plan);
    const text = describeVerdict(`shifted clocks, seed ${seed}`, verdict);
    console.log(text);
    expect(holds(verdict), text).toBe(true);
    expect(shifts).toEqual({ 0: [1, -1], 1: [-1, 1], 2: [0] });
    expect(verdict.hitRatio, text).toBeGreaterThan(0.2);
    expect(verdict.acknowledged, text).toBeGreaterThan(20);
  });
});
