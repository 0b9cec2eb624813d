import { createCache, type Node, type Receipt, type Tree } from 'unstale';
import { expectTypeOf, test } from 'vitest';

interface Unit {
  id: number;
  parentId: number | null;
  org: string;
  name: string;
}
declare const db: {
  all(): Promise<Unit[]>;
  byId(ids: readonly number[]): Promise<Unit[]>;
  below(ids: readonly (number | null)[]): Promise<Unit[]>;
};
const cache = createCache();

test('a tree of rows knows its rows and its ids', () => {
  const tree = cache.tree('unit', { rows: () => db.all(), id: 'id', parent: 'parentId', ttl: '1h' });
  expectTypeOf(tree).toEqualTypeOf<Tree<Unit, number>>();
  expectTypeOf(tree.get(1)).resolves.toEqualTypeOf<Unit | null>();
  expectTypeOf(tree.children(null)).resolves.toEqualTypeOf<readonly Unit[]>();
  expectTypeOf(tree.subtree(1, { depth: 2 })).resolves.toEqualTypeOf<Node<Unit> | null>();
  expectTypeOf(tree.move(1, { to: null })).resolves.toEqualTypeOf<Receipt>();
  // @ts-expect-error an id is a number
  void tree.get('1');
});

test('a tree by level, with the type of its rows named', () => {
  const tree = cache.tree<Unit>()('unit', {
    load: (ids) => db.byId(ids),
    children: (parents) => db.below(parents),
    id: 'id',
    parent: 'parentId',
    tenant: 'org',
    table: 'units',
  });
  expectTypeOf(tree.ancestors(1)).resolves.toEqualTypeOf<readonly Unit[]>();
});

test('columns are those of the rows, and of their types', () => {
  // @ts-expect-error there is no such column
  cache.tree('a', { rows: () => db.all(), id: 'uid', parent: 'parentId' });
  // @ts-expect-error a parent is named by an id
  cache.tree('b', { rows: () => db.all(), id: 'id', parent: 'name' });
  // @ts-expect-error `children` is missing
  cache.tree<Unit>()('c', { load: (ids) => db.byId(ids), id: 'id', parent: 'parentId' });
});
