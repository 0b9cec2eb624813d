import { expect, test } from 'vitest';
import { createCache, InvalidationPendingError } from '../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { Database, turn } from '../support/database.js';

auditAfterEach();

// A write was refused by the store, so its process serves nothing that depends on its tag. A read begins, and asks. The
// tag is delivered, and trusted again. Then the read hears its answer, from before the delivery: by that the old value
// still holds. Found by test/model.
test('a value is not served by an answer that was on its way while its tag was delivered', async () => {
  const clock = fakeClock();
  const db = new Database();
  const store = faultyStore(memoryStore());
  const cache = watch(createCache({ clock, store }), clock);
  const read = () => cache.getOrSet({ key: 'row', tags: ['rows'], load: async () => db.read('row') });
  await read();
  await turn();

  const newest = db.commit('row');
  const heal = store.fail('raise');
  await expect(cache.invalidate('rows')).rejects.toThrow(InvalidationPendingError);
  heal();

  const answers = store.hold('read', 'reply');
  const reading = read();
  await turn();
  await clock.advance(1000);
  answers.release();
  expect(await reading).toBe(newest);
});
