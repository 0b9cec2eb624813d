import { describe, expect, inject, test } from 'vitest';
import { flaws } from './history/naive.js';
import { strictFlaws } from './history/naive-strict.js';
import { type Plan, play } from './history/play.js';
import { describeVerdict } from './history/verdict.js';

// That the check of histories can see: wrong caches, each on the same servers and the same rows, do not pass it.

const { postgres } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));

describe.skipIf(postgres === undefined)('the history of (skipped where there is no PostgreSQL)', () => {
  const short = { seed, rows: 10, share: 1, faults: [], postgres: postgres?.url as string };
  const told = async (plan: Plan) => {
    const verdict = await play(plan);
    const text = describeVerdict(`${plan.subject}, seed ${seed}`, verdict);
    console.log(text);
    return { ...verdict, text };
  };

  // Half of the time they start and end processes.
  describe.concurrent('a cache', () => {
    test.each(flaws)('that %s does not pass', { timeout: 240_000 }, async (subject) => {
      const { ACK, text } = await told({ ...short, subject, seconds: 5 });
      expect(ACK, text).toBeGreaterThan(0);
    });
  });

  describe.concurrent('a strict cache', () => {
    test.each(strictFlaws)('that %s does not pass', { timeout: 240_000 }, async (subject) => {
      const { COMMIT, MONO, text } = await told({ ...short, subject, strict: true, seconds: 4 });
      expect(COMMIT + MONO, text).toBeGreaterThan(0);
    });
  });
});
