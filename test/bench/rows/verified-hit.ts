import { ideal, type MakeStored, unstale } from '../contenders/redis.js';
import { us } from '../harness.js';
import { atLeast, atMost, type Outcome, type Row } from '../row.js';
import { idOf, keyAt, plainRow, rows, tags } from '../samples.js';
import { asOutcomes, measureHits } from '../stored.js';

const stored = `${us}, from Redis`;

/** Values in memory whose versions are compared with Redis at each hit, against the same values out of Redis. */
export const row: Row = {
  needsRedis: true,
  async run(setting) {
    const outcomes: Outcome[] = [];
    const inMemory: MakeStored = (task) => unstale(task, { memory: { maxEntries: 10_000, maxBytes: '2gb' } });
    const fromRedis: MakeStored = (task) => unstale(task, {}, stored);
    for (const [title, bound, load] of [
      ['small row', 1.2, async (key: string) => plainRow(idOf(key))],
      ['50 rows', 5, async (key: string) => rows(50, (at) => plainRow(idOf(key) + at))],
    ] as const) {
      const measured = await measureHits([inMemory, fromRedis, ideal], { keyAt, load, tags }, setting, 64);
      outcomes.push(
        ...asOutcomes(`memory, versions checked, ${title}, 3 tags, 64 concurrent`, measured, {
          cpu: [atLeast(bound, '× our own L2 hit', measured.faster(stored))],
          commands: [atMost(1.1, 'commands for the 64 of a tick', 64 * measured.served[us]!.commands)],
        }),
      );
    }
    return outcomes;
  },
};
