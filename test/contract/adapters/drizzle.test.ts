import { afterAll, describe, inject, test } from 'vitest';
import { adapterContract } from '../../../src/testing/index.js';
import { drizzleMysqlDriver, drizzlePgDriver } from './drizzle.js';
import { Matrix } from './matrix.js';

const { postgres, mysql } = inject('services');
const matrix = new Matrix();

const drivers = [
  ...(postgres ? [await drizzlePgDriver({ url: postgres.url, on: 'pool' })] : []),
  ...(postgres ? [await drizzlePgDriver({ url: postgres.url, on: 'client' })] : []),
  ...(mysql ? [await drizzleMysqlDriver({ url: mysql.url })] : []),
];

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
