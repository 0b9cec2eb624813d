import { describe, expect, inject, test } from 'vitest';
import { type Kind, kinds } from '../../transparency/control.js';
import { described, hitRatio, playAll, summary } from '../../transparency/play.js';
import { knexDriver } from './knex.js';

// `npx tsx test/transparency/run.ts --programs 5000 --database postgres` plays more of them.

const { postgres, mysql, sqlite } = inject('services');
const drivers = await Promise.all([
  ...(postgres ? [knexDriver({ dialect: 'postgres', url: postgres.url })] : []),
  ...(mysql ? [knexDriver({ dialect: 'mysql', url: mysql.url })] : []),
  ...(sqlite ? [knexDriver({ dialect: 'sqlite' })] : []),
]);

describe.each(drivers)('$name, $server', (driver) => {
  test('a program sees what it would see without a cache', { timeout: 120_000 }, async () => {
    const outcome = await playAll(driver, { programs: 67, seed: 1000 });
    console.log(`transparency: ${driver.name}, ${driver.server}: ${summary(outcome)}`);
    expect(outcome.differences.map(described)).toEqual([]);
    // A client that caches nothing would see the same.
    expect(hitRatio(outcome)).toBeGreaterThan(0.3);
  });
});

describe.skipIf(!sqlite)('the programs notice', () => {
  test.each(Object.keys(kinds) as Kind[])(
    'that nobody raises tags of the kind %s',
    { timeout: 60_000 },
    async (forget) => {
      const driver = await knexDriver({ dialect: 'sqlite' });
      const { differences } = await playAll(driver, { programs: 500, seed: 1, forget, enough: 1 });
      expect(differences.length).toBeGreaterThan(0);
    },
  );
});
