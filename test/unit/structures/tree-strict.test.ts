import { describe, expect, test } from 'vitest';
import type { Cache, Tree } from '../../../src/index.js';
import { processes, turns } from '../core/a-cache.js';
import { portIn } from '../core/strict-world.js';

interface Row {
  id: number;
  parent: number | null;
  name: string;
}

describe.each(['whole', 'levels'] as const)('a strict tree by %s', (form) => {
  const plant = (cache: Cache, rows: readonly Row[], asked: { count: number }) => {
    const answer = async (wanted: (row: Row) => boolean) => {
      asked.count++;
      return rows.filter(wanted).map((row) => ({ ...row }));
    };
    const ways = {
      whole: { rows: () => answer(() => true) },
      levels: {
        load: (ids: readonly number[]) => answer(({ id }) => ids.includes(id)),
        children: (parents: readonly (number | null)[]) => answer(({ parent }) => parents.includes(parent)),
      },
    };
    const options = { id: 'id', parent: 'parent', table: 'boxes', ttl: '1h', ...ways[form] };
    return cache.tree<Row>()('boxes', options as never) as Tree<Row, number>;
  };

  test('gives the committed rows while they are being written, and keeps them again afterwards', async () => {
    const { here } = processes({ count: 1, strict: true });
    const rows: Row[] = [
      { id: 1, parent: null, name: 'root' },
      { id: 2, parent: 1, name: 'old' },
    ];
    const asked = { count: 0 };
    const tree = plant(here, rows, asked);
    const read = async () => ((await tree.get(2)) as Row).name;
    expect(await read()).toBe('old');
    await turns();
    const port = portIn(here);
    await port.fence(['table:boxes'], 'writer', 5000);
    // Once before COMMIT and once after it, both under one fence.
    expect(await read()).toBe('old');
    rows[1] = { id: 2, parent: 1, name: 'new' };
    expect(await read()).toBe('new');
    await port.acknowledge(['table:boxes'], undefined, 'writer');
    expect(await read()).toBe('new');
    await turns();
    const { count } = asked;
    expect(await read()).toBe('new');
    expect(asked.count).toBe(count);
  });
});
