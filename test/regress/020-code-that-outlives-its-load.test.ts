import { expect, test } from 'vitest';
import { currentContext } from '../../src/core/context.js';
import { createCache } from '../../src/index.js';
import { fakeClock } from '../../src/testing/index.js';
import { signal, turn } from '../support/database.js';

// What a load has started, and left, was still taken for a part of it.
test('a timer that a load has set may read its key while somebody else loads it', async () => {
  const cache = createCache({ clock: fakeClock() });
  const [wake, go] = [signal(), signal()];
  let later: Promise<unknown> = Promise.resolve();
  const read = (load: () => Promise<number>) => cache.getOrSet({ key: 'k', tags: ['t'], load });
  await read(async () => {
    later = wake.fired.then(() => read(async () => 2));
    return 1;
  });
  await cache.invalidate('t');
  const loading = read(() => go.fired.then(() => 3));
  await turn();
  wake.fire();
  await turn();
  go.fire();
  await loading;
  expect(await later).toBe(3);
});

// Each load was inside the one before it, which kept all of them in memory.
test('loads of a timer that each load sets again do not pile up inside each other', async () => {
  const cache = createCache({ clock: fakeClock() });
  cache.trace(() => {}); // from now on contexts are never out of use
  let depth = 0;
  let left = 50;
  await new Promise<void>((done) => {
    const poll = () =>
      void cache.getOrSet({
        key: 'k',
        fresh: true,
        load: async () => {
          depth = 0;
          for (let context = currentContext(); context !== undefined; context = context.outer) depth++;
          if (left-- > 0) setTimeout(poll, 0);
          else done();
          return left;
        },
      });
    poll();
  });
  expect(depth).toBeLessThan(5);
});
