import { afterAll, describe, expect, inject, test } from 'vitest';
import { adapterContract } from '../../../src/testing/index.js';
import { described, hitRatio, playAll, summary } from '../../transparency/play.js';
import { Matrix } from './matrix.js';
import { typeormDriver } from './typeorm.js';

const { postgres, mysql, sqlite } = inject('services');
const matrix = new Matrix();

const drivers = (
  await Promise.all(
    (['1', '0.3'] as const).flatMap((version) => [
      ...(postgres ? [typeormDriver({ dialect: 'postgres', url: postgres.url, version })] : []),
      ...(mysql ? [typeormDriver({ dialect: 'mysql', url: mysql.url, version })] : []),
      ...(sqlite ? [typeormDriver({ dialect: 'sqlite', version })] : []),
    ]),
  )
).sort((a, b) => a.dialect.localeCompare(b.dialect));

describe.concurrent.each(drivers)('$name, $server', (driver) => {
  for (const one of adapterContract(driver)) {
    if (one.skip === undefined) test(one.name, () => matrix.run(driver, one));
    else {
      matrix.skip(driver, one);
      test.skip(`${one.name}: ${one.skip}`);
    }
  }
});

describe.each(drivers.filter(({ name }) => name === 'typeorm'))('$name, $server', (driver) => {
  test('a program sees what it would see without a cache', { timeout: 120_000 }, async () => {
    const outcome = await playAll(driver, { programs: 40, seed: 1000 });
    console.log(`transparency: ${driver.name}, ${driver.server}: ${summary(outcome)}`);
    expect(outcome.differences.map(described)).toEqual([]);
    // A client that caches nothing would see the same.
    expect(hitRatio(outcome)).toBeGreaterThan(0.3);
  });
});

afterAll(() => {
  console.log(matrix.report());
});
