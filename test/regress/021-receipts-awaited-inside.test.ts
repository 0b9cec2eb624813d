import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock } from '../../src/testing/index.js';
import { turn } from '../support/database.js';

// The transaction waited for the receipt, and the receipt for the end of the transaction.
test('awaiting `everywhere` inside its transaction is an error, not a standstill', async () => {
  const cache = createCache({ clock: fakeClock() });
  let outcome = 'waiting';
  const end = (what: string) => () => {
    outcome = what;
  };
  void cache
    .transaction(async () => {
      const receipt = await cache.invalidate('t');
      await receipt.everywhere;
    })
    .then(end('resolved'), end('rejected'));
  await turn();
  await turn();
  expect(outcome).not.toBe('waiting');
});
