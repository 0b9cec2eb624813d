import { describe, expect, test } from 'vitest';
import { type Cache, createCache, TreeCycleError } from '../../../src/index.js';
import { auditAfterEach, watch } from '../../support/audit.js';
import { effort } from '../../support/effort.js';

interface Row {
  id: number;
  parent: number | null;
  name: string;
}

/** A table that counts what it is asked. */
function aTable(rows: readonly Row[]) {
  const table = new Map(rows.map((row) => [row.id, row]));
  const asked = { all: 0, load: [] as number[][], children: [] as (number | null)[][], rows: 0 };
  const answer = (found: Row[]) => {
    asked.rows += found.length;
    return found.map((row) => ({ ...row }));
  };
  let kept: Row[] | undefined;
  const sorted = () => (kept ??= [...table.values()].sort((a, b) => a.id - b.id));
  return {
    table,
    asked,
    set(row: Row) {
      table.set(row.id, row);
      kept = undefined;
    },
    delete(id: number) {
      table.delete(id);
      kept = undefined;
    },
    forget() {
      Object.assign(asked, { all: 0, load: [], children: [], rows: 0 });
    },
    whole: {
      async rows() {
        asked.all++;
        return answer(sorted());
      },
    },
    levels: {
      async load(ids: readonly number[]) {
        asked.load.push([...ids]);
        return answer(sorted().filter((row) => ids.includes(row.id)));
      },
      async children(parents: readonly (number | null)[]) {
        asked.children.push([...parents]);
        return answer(sorted().filter((row) => parents.includes(row.parent)));
      },
    },
  };
}

const row = (id: number, parent: number | null, name = `n${id}`): Row => ({ id, parent, name });
//        1          10
//      2   3
//     4 5   6
//     7
const small = () => [row(1, null), row(2, 1), row(3, 1), row(4, 2), row(5, 2), row(6, 3), row(7, 4), row(10, null)];
const columns = { id: 'id', parent: 'parent' } as const;
const aCache = (maxBytes: '64mb' | '1gb' = '64mb') => watch(createCache({ jitter: 0, memory: { maxBytes } }));
const ids = (rows: readonly Row[]) => rows.map(({ id }) => id);

auditAfterEach();

describe.each(['rows', 'levels'] as const)('a tree by %s', (form) => {
  function aTree(cache: Cache, rows: readonly Row[] = small()) {
    const db = aTable(rows);
    const tree = cache.tree<Row>()('t', { ...columns, ...(form === 'rows' ? db.whole : db.levels) } as never);
    return { db, tree: tree as import('../../../src/index.js').Tree<Row, number> };
  }

  test('answers every question', async () => {
    const { tree } = aTree(aCache());
    expect(await tree.get(5)).toEqual(row(5, 2));
    expect(await tree.get(99)).toBeNull();
    expect(ids(await tree.children(2))).toEqual([4, 5]);
    expect(ids(await tree.children(7))).toEqual([]);
    expect(ids(await tree.roots())).toEqual([1, 10]);
    expect(ids(await tree.ancestors(7))).toEqual([1, 2, 4]);
    expect(await tree.ancestors(1)).toEqual([]);
    expect(await tree.subtree(2)).toEqual({
      row: row(2, 1),
      children: [
        { row: row(4, 2), children: [{ row: row(7, 4), children: [] }] },
        { row: row(5, 2), children: [] },
      ],
    });
    expect(await tree.subtree(99)).toBeNull();
    expect(ids(await tree.descendants(1))).toEqual([2, 4, 7, 5, 3, 6]);
    expect(await tree.subtree(1, { depth: 0 })).toEqual({ row: row(1, null), children: [] });
    expect(ids(await tree.descendants(1, { depth: 1 }))).toEqual([2, 3]);
    const steps = [];
    for await (const { row, depth } of tree.walk(1, { depth: 2 })) steps.push([row.id, depth]);
    expect(steps).toEqual([
      [1, 0],
      [2, 1],
      [4, 2],
      [5, 2],
      [3, 1],
      [6, 2],
    ]);
  });

  test('asks nothing again, and gives the same objects', async () => {
    const { tree, db } = aTree(aCache());
    const first = await tree.subtree(1);
    const cut = await tree.subtree(1, { depth: 1 });
    db.forget();
    expect(await tree.subtree(1)).toBe(first);
    expect(await tree.subtree(1, { depth: 1 })).toBe(cut);
    expect(await tree.get(7)).toBe(first?.children[0]?.children[0]?.children[0]?.row);
    expect(await tree.children(1)).toBe(await tree.children(1));
    expect(await tree.descendants(1)).toBe(await tree.descendants(1));
    expect(db.asked).toEqual({ all: 0, load: [], children: [], rows: 0 });
  });

  test('a changed row is seen, and what does not contain it stays the same object', async () => {
    const { tree, db } = aTree(aCache());
    const before = await tree.subtree(1);
    db.set(row(5, 2, 'new'));
    await tree.invalidate(5);
    db.forget();
    const after = await tree.subtree(1);
    expect(after?.children[0]?.children[1]?.row.name).toBe('new');
    expect(after?.children[1]).toBe(before?.children[1]);
    expect(after?.children[0]?.children[0]).toBe(before?.children[0]?.children[0]);
    expect(after?.row).toBe(before?.row);
    if (form === 'levels') {
      // The lists that hold it and that it holds, and itself with those beside it.
      expect(db.asked.children.flat().sort()).toEqual([2, 5]);
      expect(db.asked.rows).toBeLessThanOrEqual(3);
    }
  });

  test('an insert, a delete and a move are seen', async () => {
    const { tree, db } = aTree(aCache());
    await tree.subtree(1);
    db.set(row(8, 6));
    await tree.invalidate(8);
    expect(ids(await tree.descendants(1))).toEqual([2, 4, 7, 5, 3, 6, 8]);
    db.delete(7);
    await tree.invalidate(7);
    expect(ids(await tree.descendants(1))).toEqual([2, 4, 5, 3, 6, 8]);
    expect(await tree.get(7)).toBeNull();
    db.set(row(2, 6));
    await tree.move(2, { to: 6 });
    expect(ids(await tree.descendants(1))).toEqual([3, 6, 2, 4, 5, 8]);
    expect(ids(await tree.ancestors(4))).toEqual([1, 3, 6, 2]);
    db.set(row(6, null));
    await tree.move(6, { to: null, from: 3 });
    expect(ids(await tree.roots())).toEqual([1, 6, 10]);
    expect(ids(await tree.descendants(1))).toEqual([3]);
  });

  test('a row that moved without a word about its parents is found where it is', async () => {
    const { tree, db } = aTree(aCache());
    await tree.subtree(1);
    await tree.subtree(10);
    db.set(row(2, 10));
    await tree.invalidate(2);
    expect(ids(await tree.descendants(10))).toEqual([2, 4, 7, 5]);
    expect(ids(await tree.descendants(1))).toEqual([3, 6]);
  });

  test('several roots, and a cycle beside them', async () => {
    const { tree } = aTree(aCache(), [row(1, null), row(2, 1), row(3, 5), row(4, 3), row(5, 4), row(6, 5), row(9, 9)]);
    expect(ids(await tree.roots())).toEqual([1]);
    expect(ids(await tree.descendants(1))).toEqual([2]);
    expect(await tree.get(4)).toEqual(row(4, 3));
    expect(ids(await tree.children(5))).toEqual([3, 6]);
    const error = await tree.subtree(3).catch((it: unknown) => it as TreeCycleError);
    expect(error).toBeInstanceOf(TreeCycleError);
    expect((error as TreeCycleError).cycle).toEqual([3, 4, 5, 3]);
    await expect(tree.ancestors(6)).rejects.toThrow("The tree 't' has a cycle");
    await expect(tree.subtree(9)).rejects.toThrow('9 → 9');
  });

  test('what is handed out cannot be changed', async () => {
    const { tree } = aTree(aCache());
    const node = await tree.subtree(1);
    expect(() => ((node?.row as { name: string }).name = 'x')).toThrow(TypeError);
    expect(() => (node as unknown as { children: unknown[] }).children.push(1)).toThrow(TypeError);
    expect(() => ((node as { row: unknown }).row = 1)).toThrow(TypeError);
  });

  test('inside a transaction it reads the database, and invalidates after it', async () => {
    const cache = aCache();
    const { tree, db } = aTree(cache);
    await tree.subtree(1);
    const old = db.table.get(5) as Row;
    await expect(
      cache.transaction(async () => {
        db.set(row(5, 2, 'inside'));
        await tree.invalidate(5);
        expect((await tree.get(5))?.name).toBe('inside');
        expect((await tree.subtree(2))?.children[1]?.row.name).toBe('inside');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    db.set(old);
    db.forget();
    expect((await tree.get(5))?.name).toBe('n5');
    expect(db.asked.rows).toBe(0);
    await cache.transaction(async () => {
      db.set(row(5, 2, 'after'));
      await tree.invalidate(5);
    });
    expect((await tree.get(5))?.name).toBe('after');
  });

  test('a value that contains a subtree ends with it', async () => {
    const cache = aCache();
    const { tree, db } = aTree(cache);
    const read = () => cache.read({ key: 'count', load: async () => (await tree.descendants(1)).length });
    expect((await read()).value).toBe(6);
    expect((await read()).source).toBe('near');
    db.set(row(8, 7));
    await tree.invalidate(8);
    expect((await read()).value).toBe(7);
  });

  test('cache.clear and tree.clear end all of it', async () => {
    const cache = aCache();
    const { tree, db } = aTree(cache);
    await tree.subtree(1);
    db.set(row(7, 4, 'a'));
    await cache.clear();
    expect((await tree.get(7))?.name).toBe('a');
    db.set(row(7, 4, 'b'));
    await tree.clear();
    expect((await tree.get(7))?.name).toBe('b');
  });

  test('100,000 rows, and a depth of 1,000', async () => {
    const count = form === 'rows' ? effort(100_000) : 1500;
    const rows = Array.from({ length: count }, (_, at) => row(at, at === 0 ? null : at < 1000 ? at - 1 : at % 1000));
    const { tree } = aTree(aCache('1gb'), rows);
    expect((await tree.descendants(0)).length).toBe(count - 1);
    expect((await tree.ancestors(999)).length).toBe(999);
    expect((await tree.ancestors(1499)).length).toBe(500);
  }, 120_000);
});
