import { checked } from '../check.js';
import { ideal, peers, unstale } from '../contenders/memory.js';
import { measure } from '../harness.js';
import { atLeast, type Row } from '../row.js';
import { idOf, keyAt, plainRow, tags } from '../samples.js';

/** A small row with three tags out of memory. layered-loader knows one group for each entry. */
export const row: Row = {
  async run(setting) {
    const task = { keyAt, tags, load: async (key: string) => plainRow(idOf(key)) };
    const contenders = [unstale, ideal, ...peers].map((make) => make(task));
    const { cpu, faster } = await measure(await checked(contenders, task), setting);
    return [
      {
        title: 'L1 hit, 3 tags',
        unit: 'CPU µs',
        figures: cpu,
        targets: [
          atLeast(0.7, '× ideal', faster('ideal')),
          atLeast(1.5, '× layered-loader', faster('layered-loader')),
          atLeast(100, '× bentocache', faster('bentocache')),
        ],
      },
    ];
  },
};
