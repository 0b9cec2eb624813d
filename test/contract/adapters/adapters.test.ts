import { afterAll, describe, inject, test } from 'vitest';
import { adapterContract } from '../../../src/testing/index.js';
import { knexDriver } from './knex.js';
import { Matrix } from './matrix.js';

const { postgres, mysql, sqlite } = inject('services');
const matrix = new Matrix();

const drivers = await Promise.all([
  ...(postgres ? [knexDriver({ dialect: 'postgres', url: postgres.url })] : []),
  ...(mysql ? [knexDriver({ dialect: 'mysql', url: mysql.url })] : []),
  ...(sqlite ? [knexDriver({ dialect: 'sqlite' })] : []),
]);

// Cases have a database each, so several run at a time.
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
