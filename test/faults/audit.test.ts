import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTables, flaws, openShop, type ShopOptions } from './audit/shop.js';
import { type Visited, visit } from './audit/visit.js';
import { createDatabase, type OwnDatabase } from './history/database.js';

// A small service whose every hit is compared with the database. The long form, a million of them in several processes:
// npx tsx test/faults/audit/run.ts; what it said last stands in audit/results.md.

const { postgres, redis } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));

describe.skipIf(!postgres || !redis)(
  'a service that audits all its hits (skipped without PostgreSQL and Redis)',
  () => {
    let database: OwnDatabase;
    beforeAll(async () => {
      database = await createDatabase(postgres?.url as string, `audit_${seed}`, 1);
      await createTables(database.url.href);
    });
    afterAll(() => database?.drop());

    /** Two of them, as if each were a process. */
    const visited = async (audits: number, more: Partial<ShopOptions> = {}): Promise<[Visited, Visited]> => {
      const name = `audit-${seed}-${more.planted ?? false}-${more.mode ?? 'on'}`;
      const options = { postgres: database.url.href, redis: redis?.url as string, name, ackTimeout: 2000, ...more };
      const shops = [openShop(options), openShop(options)] as const;
      const go = { share: 0.05, audits, atMost: 60_000 };
      try {
        return await Promise.all([visit(shops[0], { ...go, seed }), visit(shops[1], { ...go, seed: seed + 1 })]);
      } finally {
        await Promise.all(shops.map((shop) => shop.close()));
      }
    };

    test('finds nothing wrong, whoever writes what', { timeout: 120_000 }, async () => {
      const both = await visited(300);
      const text = `seed ${seed}: ${JSON.stringify(both)}`;
      for (const { audited, mismatches, writes, hits, failed, found } of both) {
        expect(audited, text).toBeGreaterThanOrEqual(300);
        expect([mismatches, failed, found], text).toEqual([0, 0, []]);
        expect(writes, text).toBeGreaterThan(10);
        expect(hits, text).toBeGreaterThan(audited);
      }
    });

    for (const mode of ['on', 'shadow'] as const)
      test(`finds a forgotten tag and a key that says too little (mode ${mode})`, { timeout: 120_000 }, async () => {
        const both = await visited(500, { planted: true, mode });
        const text = `seed ${seed}: ${JSON.stringify(both)}`;
        const found = new Set(both.flatMap((one) => one.found));
        expect([...found].sort(), text).toEqual(Object.values(flaws).sort());
        // In shadow mode nothing is served.
        expect(both[0].hits > 0, text).toBe(mode === 'on');
      });
  },
);
