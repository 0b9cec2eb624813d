import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';

auditAfterEach();

// Ages of entries of another process come from estimates of the store's time, so an age can be below 0. That was less
// than the default `tolerate` of 0, and an invalidated value was served. Found by the race of the demo.
test('an invalidated value whose age seems to be below 0 is not tolerated', async () => {
  const clock = fakeClock();
  const store = memoryStore();
  const ahead = watch(createCache({ clock, store: faultyStore(store, { skew: 50 }) }), clock);
  const cache = watch(createCache({ clock, store }), clock);
  let row = 'old';
  const read = (from: typeof cache) => from.getOrSet({ key: 'row', tags: ['t'], load: async () => row });
  await read(ahead);
  await read(cache);
  row = 'new';
  await cache.invalidate('t');
  expect(await read(cache)).toBe('new');
});
