import { expect, test } from 'vitest';
import { createCache, type Store } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';

// A store that takes no entries was taken for none, and nothing that was in memory counted.

/** The same store, for versions alone. */
function versionsAlone(store: Store): Store {
  return {
    kind: store.kind,
    open(context) {
      const session = store.open(context);
      return new Proxy(session, {
        get(of, name) {
          if (name === 'maxEntryBytes') return 0;
          const value = Reflect.get(of, name);
          return typeof value === 'function' ? value.bind(of) : value;
        },
      });
    },
  };
}

test('a store that takes no entries still tells of what other processes have invalidated', async () => {
  const store = memoryStore();
  const [one, other] = [1, 2].map(() => createCache({ store: versionsAlone(store) }));
  let value = 1;
  const read = () => one!.getOrSet({ key: 'a', tags: ['t'], load: () => value });
  expect([await read(), await read()]).toEqual([1, 1]);
  expect(one!.stats().counts().loads).toBe(1); // it is kept in memory
  value = 2;
  await other!.invalidate('t');
  expect(await read()).toBe(2);
  value = 3;
  await other!.clear();
  expect(await read()).toBe(3);
  await Promise.all([one!.close(), other!.close()]);
});
