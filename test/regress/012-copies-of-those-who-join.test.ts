import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock } from '../../src/testing/index.js';
import { signal, turn } from '../support/database.js';

// Those who joined a flight in passing got what it landed with as it was, also when that was another reader's value by
// reference: changing it changed the entry.
test('a reader who joins in passing cannot change an entry that another one stored by reference', async () => {
  const cache = createCache({ clock: fakeClock() });
  const go = signal();
  let loads = 0;
  const load = async () => {
    if (++loads === 1) await go.fired;
    return { by: 'load' };
  };
  const read = () => cache.getOrSet({ key: 'k', tags: ['t'], load });
  const first = read();
  await turn();
  const joined = read();
  await cache.invalidate('t');
  await cache.getOrSet({
    key: 'k',
    tags: ['t'],
    fresh: true,
    copy: 'reference',
    load: async () => ({ by: 'another' }),
  });
  go.fire();
  await first;
  expect(Object.isFrozen(await joined)).toBe(true);
});

test('`get` does not hand out what was stored by reference', async () => {
  const cache = createCache({ clock: fakeClock() });
  await cache.getOrSet({ key: 'k', copy: 'reference', load: async () => ({ a: 1 }) });
  expect(Object.isFrozen(await cache.get('k'))).toBe(true);
});
