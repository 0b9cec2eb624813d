import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { ideal, type Make, peers, type Task, unstale } from '../contenders/memory.js';
import { measure, us } from '../harness.js';
import { atMost, type Row } from '../row.js';
import { plainRow } from '../samples.js';

const callers = 1000;

/** A thousand callers of one process ask for the same missing key in one tick. */
export const row: Row = {
  async run(setting) {
    const loads: Record<string, number> = {};
    const stampedes: Record<string, number> = {};
    const contenders = [unstale, ideal, lruFetch, ...peers].map((make) => {
      const task: Task = {
        // A new key for each thousand operations.
        keyAt: (at) => `user:${Math.floor(at / callers)}`,
        load: async () => {
          loads[name] = (loads[name] ?? 0) + 1;
          await setImmediate();
          return plainRow(1);
        },
      };
      const { name, read, close } = make(task);
      return {
        name,
        read: (at: number) => {
          stampedes[name] = (stampedes[name] ?? 0) + 1;
          return Promise.all(Array.from({ length: callers }, (_, caller) => read(at * callers + caller)));
        },
        close: () => close?.(),
      };
    });
    const { cpu, faster } = await measure(contenders, setting);
    return [
      {
        title: 'stampede of 1,000, one process',
        unit: 'CPU µs',
        figures: cpu,
        targets: [
          atMost(1, 'loads each', (loads[us] ?? 0) / (stampedes[us] ?? 0)),
          atMost(1.6, 'of the time of lru-cache.fetch', 1 / faster('lru-cache.fetch')),
        ],
      },
    ];
  },
};

const lruFetch: Make = ({ load, keyAt }) => {
  const cache = new LRUCache<string, object>({ max: 10_000, fetchMethod: (key) => load(key) as Promise<object> });
  return { name: 'lru-cache.fetch', read: (at) => cache.fetch(keyAt(at)) };
};
