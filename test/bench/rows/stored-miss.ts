import { bento, cacheable, dedupe, ideal, layered, type MakeStored, unstale } from '../contenders/redis.js';
import { us } from '../harness.js';
import { atLeast, atMost, type Row } from '../row.js';
import { plainRow, tags } from '../samples.js';
import { Server } from '../server.js';
import { asOutcomes, measureStored } from '../stored.js';

/** A small row with three tags that nobody has stored yet: looked for, loaded, and stored. */
export const row: Row = {
  needsRedis: true,
  async run(setting) {
    const server = new Server(setting.redis as string);
    for (const name of [us, 'alone']) await server.season(name);
    server.close();
    const contendersOf = (makes: readonly MakeStored[]) =>
      Promise.all(
        makes.map((make) => {
          let next = 0;
          return make({
            redis: setting.redis as string,
            keyAt: () => `user:${next++}`,
            load: async () => plainRow(7),
            tags,
          });
        }),
      );
    // One after the other, so that no two share a command.
    const first: MakeStored = (task) => unstale(task, { name: 'first' }, `${us}, empty Redis`);
    const later: MakeStored = (task) => unstale(task, { name: 'alone' });
    const alone = await measureStored(await contendersOf([first, later]), { ...setting, quick: true, rounds: 1 }, 1);
    const makes = [unstale, first, ideal, layered, dedupe, bento, cacheable];
    const measured = await measureStored(await contendersOf(makes), setting, 64);
    return asOutcomes('miss and fill, 3 tags, 64 concurrent', measured, {
      cpu: [
        atLeast(0.8, '× ideal', measured.faster('ideal')),
        atLeast(2.5, '× bentocache', measured.faster('bentocache')),
      ],
      commands: [
        atMost(2, 'commands for one alone', alone.served[us]!.commands),
        atMost(2, 'commands for one alone in an empty Redis', alone.served[`${us}, empty Redis`]!.commands),
      ],
    });
  },
};
