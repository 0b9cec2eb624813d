import * as memory from '../contenders/memory.js';
import { connected, type MakeStored } from '../contenders/redis.js';
import { us } from '../harness.js';
import { atLeast, atMost, type Row } from '../row.js';
import { idOf, keyAt, plainRow, tags } from '../samples.js';
import { asOutcomes, measureHits } from '../stored.js';

const here =
  (make: memory.Make): MakeStored =>
  async (task) =>
    make(task);

/** A small row out of memory that Redis watches over: no more than a second behind any process. */
export const row: Row = {
  needsRedis: true,
  async run(setting) {
    const makes = [watched, ...[memory.ideal, memory.lru, memory.layered, memory.bento].map(here)];
    const measured = await measureHits(makes, { keyAt, tags, load: async (key) => plainRow(idOf(key)) }, setting);
    return asOutcomes("L1 hit, maxStale: '1s', 3 tags", measured, {
      cpu: [
        atLeast(0.9, '× lru-cache', measured.faster('lru-cache')),
        atLeast(1.2, '× layered-loader', measured.faster('layered-loader')),
        atLeast(40, '× bentocache', measured.faster('bentocache')),
      ],
      commands: [atMost(0.01, 'commands', measured.served[us]!.commands)],
    });
  },
};

const watched: MakeStored = async ({ redis, load, keyAt, tags = [] }) => {
  const cache = await connected(redis, {
    name: 'watched',
    maxStale: '1s',
    memory: { maxEntries: 10_000, maxBytes: '2gb' },
  });
  const ask = (at: number) => {
    const key = keyAt(at);
    return { key, tags, load: () => load(key) };
  };
  // Until memory answers by itself: the server has to watch every tag first.
  const keys = new Set(Array.from({ length: 1024 }, (_, at) => keyAt(at))).size;
  for (let at = 0; at < keys; at++)
    while ((await cache.read(ask(at))).source !== 'near') await new Promise((resolve) => setTimeout(resolve, 1));
  return { name: us, read: (at) => cache.getOrSet(ask(at)), close: () => cache.close() };
};
