import { describe, expect, test, vi } from 'vitest';
import { createCache, type Tree } from '../../src/index.js';
import { faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { aClient } from '../unit/core/a-client.js';

// A tree by level took in a part whose load had begun before a write and ended after it: beside a younger part that
// knew the newer version, and so hid the older one; or under the hands of a reader whose look had not asked for what
// that part depended on. The old row was served after the write was acknowledged, in the first case until its age ended it.
// Or the part was younger than the look, and what the look had proven was older: together they never were.

interface Row {
  id: number;
  parent: number | null;
  name: string;
}

/** A tree whose rows depend on `units`, and whose loads wait in the middle while somebody says so. */
function aTree(cache: ReturnType<typeof createCache>) {
  const { query } = aClient(cache);
  const database = { name: 'old', until: undefined as Promise<void> | undefined };
  const rowsOf = async (ids: readonly number[]) => {
    const rows = ids.map((id): Row => ({ id, parent: null, name: database.name }));
    await database.until;
    return rows;
  };
  const tree = cache.tree<Row>()('units', {
    id: 'id',
    parent: 'parent',
    load: (ids) => query({ tags: ['units'] }, () => rowsOf(ids)),
    children: () => query({ tags: ['roots'] }, () => []),
  });
  return { tree, database };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function aGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

auditAfterEach();

describe.each([
  ['in memory', () => ({})],
  ['on a store', () => ({ store: memoryStore() })],
])('%s', (_, options) => {
  test('an older load that ends after a younger one is not believed', async () => {
    const cache = watch(createCache({ jitter: 0, ...options() }));
    const { tree, database } = aTree(cache);
    await tree.roots();
    const gate = aGate();
    database.until = gate.opened;
    const early = tree.get(5);
    await turns();
    Object.assign(database, { name: 'new', until: undefined });
    await cache.invalidate('units');
    expect((await tree.get(7))?.name).toBe('new');
    gate.open();
    await early;
    expect((await tree.get(5))?.name).toBe('new');
    await turns();
    expect((await tree.get(5))?.name).toBe('new');
  });
});

test('a part that comes while a reader looks is not his', async () => {
  const store = faultyStore(memoryStore());
  const cache = watch(createCache({ jitter: 0, store }));
  const { tree, database } = aTree(cache);
  await tree.roots();
  const gate = aGate();
  database.until = gate.opened;
  const early = tree.get(5);
  await turns();
  Object.assign(database, { name: 'new', until: undefined });
  await cache.invalidate('units');
  const looking = store.hold('read', 'reply');
  const late = tree.get(5);
  await looking.arrived();
  gate.open();
  await turns();
  looking.release();
  expect((await late)?.name).toBe('new');
  await early;
});

test.each([
  ['row', (tree) => tree.get(2), (tree) => tree.ancestors(3), 2],
  [
    'row in a branch that is ready',
    (tree) => tree.subtree(2, { depth: 1 }),
    (tree) => tree.subtree(1, { depth: 2 }),
    3,
  ],
] satisfies [string, Read, Read, number][])(
  'a %s that comes while a reader looks is of a later moment than what he has seen',
  async (_, first, second, id) => {
    const shared = memoryStore();
    const store = faultyStore(shared);
    const names = new Map([1, 2, 3].map((id) => [id, 'old']));
    const database = { asked: 0, until: undefined as Promise<void> | undefined };
    const rowsOf = async (ids: readonly number[]) => {
      database.asked++;
      await database.until;
      return ids.map((id): Row => ({ id, parent: id === 1 ? null : id - 1, name: names.get(id) as string }));
    };
    const [here, there] = [store, shared].map((it) =>
      watch(createCache({ jitter: 0, store: it })).tree<Row>()('units', {
        id: 'id',
        parent: 'parent',
        load: (ids: readonly number[]) => rowsOf(ids),
        children: (parents: readonly (number | null)[]) =>
          rowsOf(parents.map((parent) => (parent ?? 0) + 1).filter((id) => names.has(id))),
      }),
    ) as unknown as [Tree<Row, number>, Tree<Row, number>];
    const rename = async (id: number, name: string) => {
      names.set(id, name);
      await there.invalidate(id);
    };
    await second(here);
    await rename(id, 'newer');
    const gate = aGate();
    Object.assign(database, { asked: 0, until: gate.opened });
    const early = first(here);
    await vi.waitFor(() => expect(database.asked).toBeGreaterThan(0));
    const looking = store.hold('read', 'reply');
    const late = second(here);
    await looking.arrived();
    database.until = undefined;
    await rename(1, 'new');
    await rename(id, 'new');
    gate.open();
    await turns();
    looking.release();
    const text = JSON.stringify(await late);
    const seen = [1, id].map((one) => new RegExp(`"id":${one},[^}]*"name":"(\\w+)"`).exec(text)?.[1]).join();
    expect(['old,newer', 'new,newer', 'new,new']).toContain(seen);
    await early;
  },
);

type Read = (tree: Tree<Row, number>) => Promise<unknown>;
