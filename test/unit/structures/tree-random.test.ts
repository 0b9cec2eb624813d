import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCache, type Tree } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { auditAfterEach, watch } from '../../support/audit.js';
import { effort } from '../../support/effort.js';
import { unwatched } from '../../support/unwatched.js';

/**
 * Random changes of a random tree, told by hand in one of two processes, while both read: what begins after a change was
 * acknowledged is what a plain walk over the rows gives. Loads take turns with changes, so that most of them are overtaken.
 */
interface Row {
  id: number;
  parent: number | null;
  name: string;
}
interface Op {
  readonly do: 'insert' | 'rename' | 'remove' | 'move' | 'read';
  readonly at: number;
  readonly to: number;
  readonly says: boolean;
}

const ops = fc.array(
  fc.record({
    do: fc.constantFrom('insert', 'rename', 'remove', 'move', 'move', 'read', 'read', 'read'),
    at: fc.nat(40),
    to: fc.nat(40),
    says: fc.boolean(),
  }),
  { minLength: 5, maxLength: 40 },
) as fc.Arbitrary<Op[]>;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

class Place {
  readonly table = new Map<number, Row>();
  #last = 0;

  constructor() {
    for (let at = 0; at < 12; at++) this.insert(at);
  }

  ids(): number[] {
    return [...this.table.keys()];
  }

  pick(at: number): number {
    const ids = this.ids();
    return ids[at % ids.length] ?? 0;
  }

  insert(to: number): number {
    const id = ++this.#last;
    const above = this.ids();
    const parent = to % 7 === 0 || above.length === 0 ? null : (above[to % above.length] as number);
    this.table.set(id, { id, parent, name: `n${id}` });
    return id;
  }

  isBelow(id: number, top: number): boolean {
    for (let at: number | null | undefined = id; at != null; at = this.table.get(at)?.parent)
      if (at === top) return true;
    return false;
  }

  /** As every reader must see it. */
  plain(id: number): unknown {
    const row = this.table.get(id);
    if (row === undefined) return null;
    const below = this.rows((it) => it.parent === id);
    return { row, children: below.map((it) => this.plain(it.id)) };
  }

  rows(wanted: (row: Row) => boolean): Row[] {
    const found = [...this.table.values()].filter(wanted).map((row) => ({ ...row }));
    // By name, so that a rename changes the order.
    return found.sort((a, b) => (a.name === b.name ? a.id - b.id : a.name < b.name ? -1 : 1));
  }

  loads(form: 'rows' | 'levels') {
    // Rows are read at once and arrive later, as those of a database do.
    const late = async (rows: Row[]) => {
      await turn();
      return rows;
    };
    return form === 'rows'
      ? { rows: () => late(this.rows(() => true)) }
      : {
          load: (ids: readonly number[]) => late(this.rows(({ id }) => ids.includes(id))),
          children: (parents: readonly (number | null)[]) => late(this.rows(({ parent }) => parents.includes(parent))),
        };
  }
}

const stores = {
  'in memory': () => undefined,
  'over a store': () => unwatched(memoryStore()),
  'over a store that reports': () => memoryStore(),
};

auditAfterEach();

describe.each(['rows', 'levels'] as const)('a random tree by %s', (form) => {
  test.each(Object.keys(stores) as (keyof typeof stores)[])(
    'is what a plain walk gives, %s',
    async (where) => {
      await fc.assert(
        fc.asyncProperty(ops, async (program) => {
          const place = new Place();
          const store = stores[where]();
          const maxStale = where === 'over a store that reports' ? 1 : 0;
          const open = () =>
            watch(createCache({ jitter: 0, maxStale: store ? maxStale : 0, ...(store ? { store } : {}) }));
          const here = open();
          const there = store ? open() : here;
          const own = (cache: typeof here) =>
            cache.tree<Row>()('t', { id: 'id', parent: 'parent', ...place.loads(form) } as never) as Tree<Row, number>;
          const trees = here === there ? [own(here)] : [own(here), own(there)];
          const compare = async () => {
            for (const tree of trees) {
              for (const { id } of place.rows(() => true)) expect(await tree.subtree(id)).toEqual(place.plain(id));
              expect(await tree.roots()).toEqual(place.rows(({ parent }) => parent === null));
            }
          };
          const reads: Promise<unknown>[] = [];
          for (const [turnOf, op] of program.entries()) {
            const tree = trees[turnOf % trees.length] as Tree<Row, number>;
            const id = place.pick(op.at);
            const row = place.table.get(id);
            if (op.do === 'read') {
              // Some are still under way when the next change happens.
              const read = op.to % 2 === 0 ? tree.subtree(id) : tree.ancestors(id);
              reads.push(read);
              if (op.to % 3 === 0) await read;
              continue;
            }
            if (op.do === 'insert') await tree.invalidate(place.insert(op.to));
            else if (row === undefined) continue;
            else if (op.do === 'rename') {
              place.table.set(id, { ...row, name: `n${(op.to * 7) % 50}` });
              await tree.invalidate(id);
            } else if (op.do === 'remove') {
              if (place.rows(({ parent }) => parent === id).length > 0) continue;
              place.table.delete(id);
              await tree.invalidate(id);
            } else {
              const to = op.to % 5 === 0 ? null : place.pick(op.to);
              if (to !== null && place.isBelow(to, id)) continue;
              place.table.set(id, { ...row, parent: to });
              if (op.says) await tree.move(id, { to, from: row.parent });
              else await tree.invalidate(id);
            }
            // Another process's memory may be that much older.
            if (maxStale > 0) await new Promise((resolve) => setTimeout(resolve, 3));
            if (op.to % 4 === 0) await compare();
          }
          await Promise.all(reads);
          if (maxStale > 0) await new Promise((resolve) => setTimeout(resolve, 3));
          await compare();
          await Promise.all([here.close(), there.close()]);
        }),
        { numRuns: effort(100) },
      );
    },
    120_000,
  );
});
