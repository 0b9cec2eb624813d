import { describe, expect, inject, test } from 'vitest';
import { described, patience, play } from './kill/play.js';

// The long form, 200 kills: npx tsx test/faults/kill/run.ts; what it said last stands in kill/results.md.

const { redis, postgres, mysql } = inject('services');
const port = Number(new URL(redis?.url ?? 'redis://localhost:0').port);

describe.skipIf(redis === undefined)('a process that is killed between COMMIT and invalidation', () => {
  for (const { client, service, kills } of [
    { client: 'pg', service: postgres, kills: 10 },
    { client: 'mysql2', service: mysql, kills: 2 },
  ] as const)
    test.skipIf(service === undefined)(
      `by ${client}, is made up for within the interval of the relay`,
      {
        timeout: 60_000,
      },
      async () => {
        const server = service?.url as string;
        const verdict = await play({ kills, lanes: 4, client, server, redis: port, outbox: true });
        const text = described(`${client}, with an outbox`, verdict);
        console.log(text);
        // Otherwise it would show nothing.
        expect(verdict.stale, text).toBeGreaterThan(0);
        // A machine that does other things as well is late with everything, and first of all with looking.
        expect(Math.max(...verdict.ended), text).toBeLessThan(3 * patience);
        expect(verdict.again + verdict.left, text).toBe(0);
      },
    );

  test.skipIf(postgres === undefined)(
    'leaves what it has changed in the cache without an outbox',
    {
      timeout: 60_000,
    },
    async () => {
      const server = postgres?.url as string;
      const verdict = await play({ kills: 2, lanes: 2, client: 'pg', server, redis: port, outbox: false });
      const text = described('pg, without an outbox', verdict);
      console.log(text);
      expect(Math.min(...verdict.ended), text).toBeGreaterThanOrEqual(patience);
      expect(verdict.again, text).toBe(2);
    },
  );
});
