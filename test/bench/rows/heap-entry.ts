import { bento, cacheable, dedupe, layered, lru, type Make, type Task, unstale } from '../contenders/memory.js';
import { median, us } from '../harness.js';
import { atMost, type Row } from '../row.js';
import { rows, tags, wideRow } from '../samples.js';

/** What an entry takes in memory, key and value included; against a Map that holds the same. */
export const row: Row = {
  async run({ quick }) {
    const entries = quick ? 2000 : 10_000;
    const withTags: Make = (task) => ({ ...unstale({ ...task, tags }), name: `${us}, 3 tags` });
    const figures: Record<string, number> = {};
    for (const make of [unstale, withTags, map, lru, layered, dedupe, bento, cacheable]) {
      await heapOf(make, 100); // what is made once
      const measured = [];
      for (const _ of rows(quick ? 1 : 3, Number)) measured.push(await heapOf(make, entries));
      figures[make(task).name] = Math.round(median(measured));
    }
    const timesMap = (name: string) => (figures[name] as number) / (figures.Map as number);
    return [
      {
        title: 'heap of a small entry',
        unit: 'bytes',
        figures,
        targets: [atMost(1.12, '× Map', timesMap(us)), atMost(1.3, '× Map with 3 tags', timesMap(`${us}, 3 tags`))],
      },
    ];
  },
};

const task: Task = {
  keyAt: (at) => `user:${at + 100_000}`,
  load: async (key) => wideRow(Number(key.slice(5))),
};

async function heapOf(make: Make, count: number): Promise<number> {
  const before = await settledHeap();
  const { read, close } = make(task);
  for (let at = 0; at < count; at++) await read(at);
  const after = await settledHeap();
  await read(0);
  await close?.();
  return (after - before) / count;
}

async function settledHeap(): Promise<number> {
  for (const _ of rows(3, Number)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

const map: Make = ({ load, keyAt }) => {
  const values = new Map<string, unknown>();
  return {
    name: 'Map',
    read: async (at) => {
      const key = keyAt(at);
      const known = values.get(key);
      if (known !== undefined) return known;
      const value = await load(key);
      values.set(key, value);
      return value;
    },
  };
};
