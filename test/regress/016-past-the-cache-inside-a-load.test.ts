import { expect, test } from 'vitest';
import { createCache, type Mode } from '../../src/index.js';
import { fakeClock } from '../../src/testing/index.js';

// A call that goes past the cache inside a load did not leave its key's tag in that load.
test('invalidating a call ends what was made of it, also when its `when` sent it past the cache', async () => {
  const cache = createCache({ clock: fakeClock() });
  let row = 'old';
  const inner = cache.withCache(async (_id: number) => row, { name: 'inner', when: () => false });
  const outer = cache.withCache(async (id: number) => inner(id), { name: 'outer' });
  await outer(7);
  row = 'new';
  await inner.invalidate(7);
  expect(await outer(7)).toBe('new');
});

// Its tags were looked up in the table of the cache around it, where nobody raises them.
test('what another cache read past itself is not stored under tags of the wrong cache', async () => {
  const clock = fakeClock();
  const outer = createCache({ clock, name: 'outer' });
  const inner = createCache({ clock, name: 'inner', mode: (): Mode => 'bypass' });
  let row = 'old';
  const read = () =>
    outer.getOrSet({ key: 'o', load: () => inner.getOrSet({ key: 'i', tags: ['t'], load: async () => row }) });
  await read();
  row = 'new';
  await inner.invalidate('t');
  expect(await read()).toBe('new');
});
