import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock } from '../../src/testing/index.js';

const settledWithin = async (promise: Promise<unknown>) => {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
};

/** Keys are nodes, `reads` says which other node the load of a node reads through the cache. */
const batch = (cache: ReturnType<typeof createCache>, inputs: number[], reads: Record<number, number>) =>
  cache.getOrSetMany({
    inputs,
    key: (id) => ['node', id],
    load: async (missing) => {
      await new Promise((resolve) => setImmediate(resolve));
      const rows: unknown[] = [];
      for (const id of missing) {
        const other = reads[id];
        rows.push(
          other === undefined ? 'leaf' : await cache.getOrSet({ key: ['node', other], load: async () => 'leaf' }),
        );
      }
      return rows;
    },
  });

// Only the first key of a batch was known to be loading, so a batch that read another of its keys waited for itself
// until the hard time-out, a minute later.
test('a batch that reads one of its own keys does not wait for itself', async () => {
  expect(await settledWithin(batch(createCache({ clock: fakeClock() }), [1, 2], { 1: 2 }))).toBe(true);
});

test('two batches that read keys of each other do not wait for each other', async () => {
  const cache = createCache({ clock: fakeClock() });
  const both = Promise.all([batch(cache, [1, 2], { 1: 3 }), batch(cache, [3, 4], { 4: 2 })]);
  expect(await settledWithin(both)).toBe(true);
});
