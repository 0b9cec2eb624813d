import { checked } from '../check.js';
import { bento, ideal, lru, type Make, peers, type Task, unstale } from '../contenders/memory.js';
import { measure, us } from '../harness.js';
import { atLeast, atMost, type Row, type Setting } from '../row.js';
import { datedRow, fewKeyAt, idOf, keyAt, plainRow, rows } from '../samples.js';

const listOf = (row: (at: number) => unknown): Task => ({
  keyAt: fewKeyAt,
  load: async (key) => rows(2000, (at) => row(idOf(key) + at)),
});

/** 2,000 rows out of memory: shared, with a column that cannot be shared, and as private copies. */
export const row: Row = {
  async run(setting) {
    const small = { keyAt, load: async (key: string) => plainRow(idOf(key)) };
    const smallRow = `${us}, one row`;
    const [one] = await checked([unstale(small, {}, smallRow)], small);
    const shared = await run(setting, listOf(plainRow), [unstale, ideal, lru, ...peers], [one!]);
    const dated = await run(setting, listOf(datedRow), [unstale, lru, ...peers]);
    const clone: Make = (task) => unstale(task, { copy: 'clone' });
    const copies = await run(setting, listOf(plainRow), [clone, bento]);
    return [
      {
        title: 'L1 hit, 2,000 rows',
        unit: 'CPU µs',
        figures: shared.cpu,
        targets: [atMost(1.15, 'of the time of one row', 1 / shared.faster(smallRow))],
      },
      {
        title: 'L1 hit, 2,000 rows with a Date',
        unit: 'CPU µs',
        figures: dated.cpu,
        targets: [atLeast(3, '× bentocache', dated.faster('bentocache'))],
      },
      {
        title: "L1 hit, 2,000 rows, copy: 'clone'",
        unit: 'CPU µs',
        figures: copies.cpu,
        targets: [atLeast(3, '× bentocache', copies.faster('bentocache'))],
      },
    ];
  },
};

async function run(setting: Setting, task: Task, makes: readonly Make[], others: Parameters<typeof measure>[0] = []) {
  const contenders = makes.map((make) => make(task));
  return measure([...(await checked(contenders, task, true, 64)), ...others], setting);
}
