import { afterAll, describe, inject, test } from 'vitest';
import { adapterContract } from '../../../src/testing/index.js';
import { kyselyDriver } from './kysely.js';
import { Matrix } from './matrix.js';

const { postgres, mysql, sqlite } = inject('services');
const matrix = new Matrix();

const drivers = await Promise.all([
  ...(postgres ? [kyselyDriver({ dialect: 'postgres', url: postgres.url })] : []),
  ...(mysql ? [kyselyDriver({ dialect: 'mysql', url: mysql.url })] : []),
  ...(sqlite ? [kyselyDriver({ dialect: 'sqlite' })] : []),
]);

describe.concurrent.each(drivers)('$name, $server', (driver) => {
  for (const one of adapterContract(driver)) {
    if (one.skip === undefined) test(one.name, () => matrix.run(driver, one));
    else {
      matrix.skip(driver, one);
      test.skip(`${one.name}: ${one.skip}`);
    }
  }
});

afterAll(() => {
  console.log(matrix.report());
});
