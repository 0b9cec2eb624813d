import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { auditAfterEach, watch } from '../support/audit.js';

// Two loads of all rows took over from one tree, and with it the same list of subtrees by depth. What was built of the
// older load, which was invalidated while it ran, was then served to readers of the younger one.

interface Row {
  id: number;
  parent: number | null;
  name: string;
}

auditAfterEach();

test('a subtree down to a depth is of the load that its reader may see', async () => {
  const cache = watch(createCache({ jitter: 0 }));
  const database = { name: 'a', until: undefined as Promise<void> | undefined, began: () => {} };
  const tree = cache.tree<Row>()('units', {
    id: 'id',
    parent: 'parent',
    rows: async () => {
      const { name, until, began } = database;
      began();
      await until;
      return [
        { id: 1, parent: null, name: 'root' },
        { id: 2, parent: 1, name },
      ];
    },
  });
  const below = async () => (await tree.subtree(1, { depth: 1 }))?.children[0]?.row.name;
  expect(await below()).toBe('a');
  await tree.invalidate(2);

  let open = () => {};
  const until = new Promise<void>((resolve) => {
    open = resolve;
  });
  const began = new Promise<void>((resolve) => {
    Object.assign(database, { name: 'b', until, began: resolve });
  });
  const early = below();
  await began;
  Object.assign(database, { name: 'c', until: undefined });
  await tree.invalidate(2);
  open();
  expect(await below()).toBe('c');
  await early;
  expect(await below()).toBe('c');
});
