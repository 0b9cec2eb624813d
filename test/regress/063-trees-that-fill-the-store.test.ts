import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';

// A tree of `rows` wrote its chunks under a new name each time, and nobody removed the old ones: a large tree that was
// changed every few seconds filled the store with copies of itself, each of which stayed until its ttl ended it.

interface Row {
  id: number;
  parent: number | null;
  name: string;
}

auditAfterEach();

test('a tree that is loaded again and again takes a bounded number of entries', async () => {
  const store = faultyStore(memoryStore());
  const options = { store, jitter: 0, ttl: '1h', name: 'one' } as const;
  const shape = { id: 'id', parent: 'parent' } as const;
  let loads = 0;
  const rows = async (): Promise<Row[]> => [{ id: 1, parent: null, name: `load ${++loads}` }];
  const cache = watch(createCache(options));
  const other = watch(createCache(options));
  const tree = cache.tree<Row>()('units', { ...shape, rows });
  const elsewhere = other.tree<Row>()('units', { ...shape, rows });
  for (let change = 1; change <= 50; change++) {
    await tree.invalidate(1);
    expect((await tree.get(1))?.name).toBe(`load ${change}`);
    expect((await elsewhere.get(1))?.name).toBe(`load ${change}`);
  }
  const written = new Set(store.calls.flatMap(({ operation, key }) => (operation === 'write' ? [key] : [])));
  // A head and a chunk of 50 loads: the chunk in one of four places.
  expect(written.size).toBeLessThanOrEqual(8);
});
