import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { turn } from '../support/database.js';

// Nobody delivers after `close`, so whoever waited for that waited for ever.
test('`settled` ends when the cache is closed with something undelivered', async () => {
  const clock = fakeClock();
  const store = faultyStore(memoryStore());
  const cache = createCache({ clock, store });
  store.down();
  await cache.invalidate('t').catch(() => {});
  let outcome = 'waiting';
  cache.settled().catch((error: Error) => {
    outcome = error.name;
  });
  const closing = cache.close({ timeout: 100 }).catch(() => {});
  await clock.advance(200);
  await closing;
  await turn();
  expect(outcome).toBe('InvalidationPendingError');
});
