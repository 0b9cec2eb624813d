import { describe, expect, inject, test } from 'vitest';
import { hasPrisma } from '../../prisma/client.js';
import { type Kind, kinds } from '../../transparency/control.js';
import { described, type Outcome, playAll, summary } from '../../transparency/play.js';
import { type AdapterName, adapters, driversOf } from './drivers.js';

// `npx tsx test/transparency/run.ts --adapter kysely --database postgres --programs 5000` plays more of them.

const services = inject('services');
const all = await Promise.all(
  (Object.keys(adapters) as AdapterName[])
    .filter((name) => name !== 'prisma' || hasPrisma)
    .map(async (name) => ({ name, drivers: await driversOf(services, name) })),
);
const there = all.filter(({ drivers }) => drivers.length > 0);

/** Of each adapter, on its databases together: two hundred of all. */
const programs = 20;

describe.each(there.map((one, nth) => ({ ...one, nth })))('$name', ({ drivers, nth }) => {
  test('a program sees what it would see without a cache', { timeout: 120_000 }, async () => {
    const outcomes: Outcome[] = [];
    for (const [i, driver] of drivers.entries()) {
      // Neighbours in the list get other rules.
      const outcome = await playAll(driver, {
        programs: Math.ceil(programs / drivers.length),
        seed: 1000 + 25 * (nth + 3 * i),
      });
      console.log(`transparency: ${driver.name}, ${driver.server}: ${summary(outcome)}`);
      outcomes.push(outcome);
    }
    expect(outcomes.flatMap(({ differences }) => differences.map(described))).toEqual([]);
    // A client that caches nothing would see the same.
    const sum = (of: 'hits' | 'reads') => outcomes.reduce((all, outcome) => all + outcome[of], 0);
    expect(sum('hits') / sum('reads')).toBeGreaterThan(0.3);
  });

  const some = Object.keys(kinds) as Kind[];
  // Those of the kit, which are the same for all, are of the first one; that an adapter hands them over, of each.
  test.each(nth === 0 || !process.env.CI ? some : some.slice(0, 2))(
    'the programs notice that nobody raises tags of the kind %s',
    {
      timeout: 120_000,
    },
    async (forget) => {
      const driver = drivers.find(({ dialect }) => dialect === 'sqlite') ?? drivers[0];
      const { differences } = await playAll(driver as (typeof drivers)[0], {
        programs: 500,
        seed: 1,
        forget,
        enough: 1,
      });
      expect(differences.length).toBeGreaterThan(0);
    },
  );
});
