import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';

// A refresh that had to wait 5 ms for its lease looked again, found the very value that it was to replace, took it for
// what another process had stored meanwhile, and did not load: with a slow store nothing was ever refreshed.
test('an aged value is refreshed although the lease takes its time', async () => {
  const clock = fakeClock();
  const store = faultyStore(memoryStore());
  const cache = createCache({ clock, store, ttl: '1s', jitter: 0, swr: '10m' });
  let loads = 0;
  const load = async () => {
    await new Promise<void>((resolve) => void clock.after(50, resolve));
    return ++loads;
  };
  const read = async () => {
    const reading = cache.getOrSet({ key: 'k', load });
    await clock.advance(2000);
    return reading;
  };
  await read();
  store.delay(6);
  for (let i = 0; i < 5; i++) await read();
  expect(loads).toBeGreaterThan(2);
});
