import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock } from '../../src/testing/index.js';
import { signal, turn } from '../support/database.js';

// A flight had the hard time-out of its first reader, for everybody.
test('a reader who joins does not wait longer than its own hard time-out', async () => {
  const clock = fakeClock();
  const cache = createCache({ clock });
  const go = signal();
  const patient = cache.getOrSet({ key: 'k', load: () => go.fired.then(() => 1) });
  await turn();
  let outcome = 'waiting';
  const impatient = cache.getOrSet({ key: 'k', timeout: 100, load: async () => 2 }).then(
    () => 'answered',
    (error: Error) => error.name,
  );
  void impatient.then((what) => {
    outcome = what;
  });
  await clock.advance(1000);
  expect(outcome).toBe('LoadTimeoutError');
  go.fire();
  await patient;
});

test("a patient reader does not get an impatient one's LoadTimeoutError", async () => {
  const clock = fakeClock();
  const cache = createCache({ clock });
  const impatient = cache.getOrSet({ key: 'k', timeout: 100, load: () => new Promise(() => {}) }).catch(() => {});
  await turn();
  const patient = cache.getOrSet({ key: 'k', load: async () => 2 });
  await clock.advance(200);
  await impatient;
  expect(await patient).toBe(2);
});
