import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';

// A store that took 50 ms for an answer was asked for the right to load by every miss, and once more after that whether
// somebody had loaded meanwhile: 100 ms more, for a load of 20.

async function leasesOf(loading: number): Promise<number> {
  const clock = fakeClock();
  const store = faultyStore(memoryStore(), { delay: 50 });
  const cache = createCache({ clock, store, jitter: 0 });
  const load = () => new Promise<number>((resolve) => void clock.after(loading, () => resolve(1)));
  const read = async (id: number) => {
    const reading = cache.getOrSet({ key: ['row', id], load });
    await clock.advance(1000);
    await reading;
  };
  await read(1); // now it is known what one costs
  store.forget();
  await read(2);
  const { lease } = store.counts;
  await cache.close();
  return lease;
}

test('a load that takes less time than a look at the store needs no lease', async () => {
  expect(await leasesOf(20)).toBe(0);
});

test('a load that takes longer than that has one', async () => {
  expect(await leasesOf(300)).toBe(1);
});
