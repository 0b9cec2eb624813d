import { afterAll, describe, test } from 'vitest';
import type { AdapterCase, AdapterDriver, AdapterSafety } from '../../../src/testing/adapter-contract.js';
import { adapterContract } from '../../../src/testing/index.js';
import { Matrix } from './matrix.js';

/** That the cases run in both of their forms, whatever it takes. */
export const inBothForms = () => false;

/**
 * The contract of each driver as tests, and the matrix of how they went.
 *
 * @param once - drivers that in CI run each case in one of its two forms, with a cache each for reader and writer, which
 * is the stricter one; left out, those on servers of an adapter that runs both on SQLite, which takes no time
 */
export function declareContract(
  drivers: readonly AdapterDriver[],
  once = ({ dialect }: AdapterDriver) => dialect !== 'sqlite' && drivers.some((one) => one.dialect === 'sqlite'),
): void {
  const matrix = new Matrix();
  // Cases have a database each, so several run at a time.
  describe.concurrent.each(drivers)('$name, $server', (driver) => {
    const all = adapterContract(driver, safety);
    // Caches that share nothing have nothing to be safe from.
    for (const one of safety || (process.env.CI && once(driver)) ? apart(all) : all) {
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
}

/** By name: `UNSTALE_SAFETY=strict` or `outbox`. */
const safeties: Readonly<Record<string, AdapterSafety>> = { strict: { strict: true }, outbox: { crashSafe: 'outbox' } };
const safety = safeties[process.env.UNSTALE_SAFETY ?? ''];

/** Each case once, with a cache each for reader and writer where there is such a form. */
export function apart(all: readonly AdapterCase[]): AdapterCase[] {
  const names = new Set(all.map(({ name }) => name));
  return all.filter(({ name }) => !name.endsWith(one) || !names.has(name.replace(one, '(two processes)')));
}

const one = '(one process)';
