import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { turn } from '../support/database.js';

// A load that learned more tags than an entry may have left all of them behind; each later read asked the store for
// all of them, for nothing, since the value was never stored.
test('tags of a value that can never be stored are not left behind', async () => {
  const store = faultyStore(memoryStore());
  const cache = createCache({ clock: fakeClock(), store });
  const read = () =>
    cache.getOrSet({
      key: 'k',
      load: async (context) => {
        for (let row = 0; row < 5000; row++) context.tag(`row:${row}`);
        return 1;
      },
    });
  await read();
  await turn();
  store.forget();
  await read();
  expect(Math.max(...store.calls.map((call) => call.tags.length))).toBeLessThan(1100);
});
