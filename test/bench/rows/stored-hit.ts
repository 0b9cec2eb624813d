import { getJson, getMsgpackr, ideal, peers, unstale } from '../contenders/redis.js';
import { us } from '../harness.js';
import { atLeast, atMost, type Outcome, type Row } from '../row.js';
import { idOf, keyAt, plainRow, tags } from '../samples.js';
import { asOutcomes, measureHits, share } from '../stored.js';

/**
 * A small row out of Redis, without memory of our own: one at a time and 64 at a time, without and with tags. GET + JSON
 * and getBuffer + msgpackr have no tags, async-cache-dedupe does not look at them when it reads, and layered-loader
 * knows one group for each entry.
 */
export const row: Row = {
  needsRedis: true,
  async run(setting) {
    const outcomes: Outcome[] = [];
    const task = { keyAt, load: async (key: string) => plainRow(idOf(key)) };
    const all = [unstale, ideal, getJson, getMsgpackr, ...peers];
    const measured = (tagged: boolean, concurrent: number) =>
      measureHits(all, tagged ? { ...task, tags } : task, setting, concurrent);

    const one = await measured(false, 1);
    outcomes.push(
      ...asOutcomes('L2 hit', one, {
        cpu: [atLeast(0.9, '× GET + JSON', one.faster('GET + JSON'))],
        commands: [atMost(1, 'commands', one.served[us]!.commands), atMost(1, 'round trips', one.served[us]!.reads)],
      }),
    );
    const tagged = await measured(true, 1);
    outcomes.push(
      ...asOutcomes('L2 hit, 3 tags', tagged, {
        cpu: [atLeast(3, '× bentocache', tagged.faster('bentocache'))],
        commands: [
          atMost(1, 'commands', tagged.served[us]!.commands),
          atMost(1, 'round trips', tagged.served[us]!.reads),
        ],
      }),
    );
    const many = await measured(false, 64);
    outcomes.push(
      ...asOutcomes('L2 hit, 64 concurrent', many, {
        cpu: [atLeast(1.1, '× GET + JSON', many.faster('GET + JSON'))],
        redis: [atMost(0.3, 'of the CPU of plain GET', share(many.served, 'cpu', 'GET + JSON'))],
      }),
    );
    const manyTagged = await measured(true, 64);
    outcomes.push(
      ...asOutcomes('L2 hit, 3 tags, 64 concurrent', manyTagged, {
        cpu: [
          atLeast(1.2, '× async-cache-dedupe', manyTagged.faster('async-cache-dedupe')),
          atLeast(7, '× bentocache', manyTagged.faster('bentocache')),
        ],
        redis: [atMost(0.3, 'of the CPU of plain GET', share(manyTagged.served, 'cpu', 'GET + JSON'))],
      }),
    );
    return outcomes;
  },
};
