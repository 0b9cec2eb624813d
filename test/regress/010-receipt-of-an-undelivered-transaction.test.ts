import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';

// The receipt of an invalidation inside a transaction resolved `everywhere` although the store had not confirmed
// anything, and another process went on serving the old value.
test('`everywhere` does not resolve when the invalidation of its transaction was not acknowledged', async () => {
  const clock = fakeClock();
  const shared = memoryStore();
  const faulty = faultyStore(shared);
  const here = createCache({ clock, store: faulty });
  const there = createCache({ clock, store: shared });
  let row = 'old';
  const read = () => there.getOrSet({ key: 'row', tags: ['t'], load: async () => row });
  await read();
  faulty.down();
  const receipt = await here.transaction(async () => {
    row = 'new';
    return here.invalidate('t');
  });
  const told = await receipt.everywhere.then(
    () => 'nobody can serve the old value',
    () => 'not known',
  );
  expect([told, await read()]).not.toEqual(['nobody can serve the old value', 'old']);
});
