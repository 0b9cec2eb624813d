import { checked } from '../check.js';
import { ideal, lru, peers, unstale } from '../contenders/memory.js';
import { measure } from '../harness.js';
import { atLeast, type Row } from '../row.js';
import { idOf, keyAt, plainRow } from '../samples.js';

/** A small row out of memory. */
export const row: Row = {
  async run(setting) {
    const task = { keyAt, load: async (key: string) => plainRow(idOf(key)) };
    const contenders = [unstale, ideal, lru, ...peers].map((make) => make(task));
    const { cpu, faster } = await measure(await checked(contenders, task), setting);
    return [
      {
        title: 'L1 hit, small row',
        unit: 'CPU µs',
        figures: cpu,
        targets: [
          atLeast(0.9, '× lru-cache', faster('lru-cache')),
          atLeast(1.2, '× layered-loader', faster('layered-loader')),
          atLeast(40, '× bentocache', faster('bentocache')),
        ],
      },
    ];
  },
};
