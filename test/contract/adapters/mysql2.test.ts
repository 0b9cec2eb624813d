import { afterAll, describe, inject, test } from 'vitest';
import { adapterContract } from '../../../src/testing/index.js';
import { Matrix } from './matrix.js';
import { mysql2Driver } from './mysql2.js';

const { mysql } = inject('services');
const matrix = new Matrix();
const drivers = mysql ? [await mysql2Driver({ url: mysql.url })] : [];

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
