import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { signal, turn } from '../support/database.js';
import { scheduled } from '../support/scheduled.js';

auditAfterEach();

// A delete goes in two steps. A `set` of the same process, older than the delete, that came between the confirmations
// of the two looked into memory, which had not heard of the first one yet, and was stored for good. Found by
// test/race/schedules.test.ts.
test('a value from before a delete is not stored by a set that comes between its two steps', async () => {
  const clock = fakeClock();
  const [go, late] = [signal(), signal()];
  let raises = 0;
  const store = scheduled(memoryStore(), async (label) => {
    if (label === 'raise answers' && ++raises === 2) await go.fired;
    // The delete also removes what it finds, so the value has to arrive after that.
    if (label === 'write leaves') await late.fired;
  });
  const cache = watch(createCache({ clock, store }), clock);
  const since = await cache.snapshot('rows');
  const deleting = cache.delete('row');
  while (raises < 2) await null;
  await cache.set('row', 'old', { since });
  go.fire();
  await deleting;
  late.fire();
  await turn();
  expect(await cache.get('row')).toBeUndefined();
});
