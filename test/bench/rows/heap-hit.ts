import { checked } from '../check.js';
import { ideal, lru, peers, unstale } from '../contenders/memory.js';
import { median, us } from '../harness.js';
import { atMost, type Row } from '../row.js';
import { idOf, keyAt, plainRow, rows } from '../samples.js';

/** What a hit leaves for the garbage collector. */
export const row: Row = {
  // Nothing is collected while it is counted.
  execArgv: ['--min-semi-space-size=256', '--max-semi-space-size=256'],
  async run({ quick }) {
    const task = { keyAt, load: async (key: string) => plainRow(idOf(key)) };
    const contenders = await checked(
      [unstale, ideal, lru, ...peers].map((make) => make(task)),
      task,
    );
    const figures: Record<string, number> = {};
    const hits = quick ? 2000 : 10_000;
    for (const { name, read, close } of contenders) {
      for (let at = 0; at < 20_000; at++) await read(at); // until it is compiled
      const measured: number[] = [];
      for (const _ of rows(5, Number)) {
        globalThis.gc?.();
        const before = process.memoryUsage().heapUsed;
        for (let at = 0; at < hits; at++) await read(at);
        measured.push((process.memoryUsage().heapUsed - before) / hits);
      }
      figures[name] = Math.round(median(measured));
      await close?.();
    }
    return [
      {
        title: 'heap of a hit, small row',
        unit: 'bytes',
        figures,
        targets: [atMost(350, 'bytes', figures[us] as number)],
      },
    ];
  },
};
