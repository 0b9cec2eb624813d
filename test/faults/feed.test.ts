import { describe, expect, inject, test } from 'vitest';
import { boundsOf, described, play } from './feed/play.js';
import { ids } from './feed/stage.js';

// Somebody writes by psql, or by MariaDB's own client, and a feed tells the cache. The long form:
// npx tsx test/faults/feed/run.ts; what it said last stands in feed/results.md.

const { redis, postgres, mysql, psql, mysqlClient } = inject('services');
const port = Number(new URL(redis?.url ?? 'redis://localhost:0').port);
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));
// A machine that does other things as well is late with everything, and first of all with looking.
const busy = 10_000;

describe.skipIf(redis === undefined).concurrent('what a program writes that knows nothing of the cache', () => {
  for (const { client, title, service, found, updates } of [
    { client: 'pg', title: 'psql, by listen', service: postgres, found: psql, updates: 50 },
    { client: 'mysql2', title: 'mariadb, by poll', service: mysql, found: mysqlClient, updates: 20 },
  ] as const)
    test.skipIf(service === undefined || found === undefined)(
      `${title}: ends what was cached of it, also when the feed's process or its connection has died`,
      { timeout: 120_000 },
      async () => {
        const place = { client, server: service?.url as string, program: found?.program as string, redis: port };
        const verdict = await play({ ...place, seed, updates, cuts: 1, kills: 1 });
        const text = described(`${title}, seed ${seed}`, verdict);
        console.log(text);
        // Without a feed it stays, so there is something to be ended.
        expect(verdict.unheard, text).toBe(ids.length);
        expect(verdict.staleBefore, text).toBeGreaterThan(0);
        expect(verdict.lags, text).toHaveLength(updates);
        expect(Math.max(...verdict.lags), text).toBeLessThan(busy);
        const { ended, died } = boundsOf(client);
        expect(Math.max(...verdict.ended), text).toBeLessThan(ended + busy);
        expect(Math.max(...verdict.died), text).toBeLessThan(died + busy);
        expect(verdict.lost, text).toBeGreaterThan(0);
        expect([verdict.staleAfter, verdict.left], text).toEqual([0, 0]);
        expect(Math.max(...verdict.ready), text).toBeLessThan(busy);
      },
    );
});
