import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { signal, turn } from '../support/database.js';

// Those who joined in passing and could not have the value had the first reader's function called for them, after the
// first reader had been answered and had given back its connection.
test("a reader's function is not called after the reader was answered", async () => {
  const store = faultyStore(memoryStore());
  const cache = createCache({ clock: fakeClock(), store });
  const go = signal();
  let open = true;
  const first = cache
    .getOrSet({
      key: 'k',
      tags: ['t'],
      load: async () => {
        if (!open) throw new Error('the connection was given back');
        await go.fired;
        return 'first';
      },
    })
    .finally(() => {
      open = false;
    });
  await turn();
  const second = cache.getOrSet({ key: 'k', tags: ['t'], load: async () => 'second' });
  await cache.invalidate('t');
  const held = store.hold('read');
  go.fire();
  await first;
  await turn();
  held.release();
  expect(await second).toBe('second');
});
