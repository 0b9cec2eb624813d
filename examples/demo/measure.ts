import { isDeepStrictEqual } from 'node:util';
import { redisStore } from '../../adapters/redis/index.js';
import { createCache } from '../../src/index.js';
import type { Database } from './database.js';
import type { Story } from './story.js';

/** One way to come by the answer of a story, and what it cost. */
export interface Figure {
  readonly label: string;
  readonly queries: number;
  readonly ms: number;
}

/**
 * Tells a story without a cache, and with one in each of its states. Each answer must equal the one that comes straight
 * from the database; after a write, the one that comes from it then.
 */
export async function measure(story: Story, db: Database, redis: string | undefined): Promise<Figure[]> {
  let truth = await story.direct();
  const figures: Figure[] = [];

  /** Runs it `times` times and keeps the median; `before` each run, outside of the watch. */
  const figure = async (label: string, times: number, run: () => Promise<unknown>, before = async () => {}) => {
    const runs: { ms: number; queries: number }[] = [];
    for (let i = 0; i < times; i++) {
      await before();
      const sent = db.sent;
      const started = performance.now();
      const answer = await run();
      runs.push({ ms: performance.now() - started, queries: db.sent - sent });
      if (!isDeepStrictEqual(answer, truth)) throw new WrongAnswer(story.title, label);
    }
    runs.sort((a, b) => a.ms - b.ms);
    figures.push({ label, ...(runs[times >> 1] as { ms: number; queries: number }) });
  };

  const memory = createCache();
  const viaMemory = story.through(memory);
  await figure('without cache', 3, () => story.direct());
  await figure('cold', 3, viaMemory, async () => void (await memory.clear()));
  await figure('warm in memory', 11, viaMemory);

  const shared = () => createCache({ store: redisStore(redis as string), name: 'demo' });
  if (redis !== undefined) {
    const filler = shared();
    await story.through(filler)();
    await filler.close(); // waits until what it stores has arrived
    // A process that has just started: nothing in its own memory, all in Redis.
    let reader = shared();
    await figure('warm in Redis', 5, () => story.through(reader)(), async () => {
      await reader.close();
      reader = shared();
      await reader.has('anything'); // connected
    });
    await reader.close();
  }

  const tags = await story.write();
  truth = await story.direct();
  await memory.invalidate(...tags);
  await figure('after a write', 1, viaMemory);
  await memory.close();
  if (redis !== undefined) {
    const writer = shared();
    await writer.invalidate(...tags);
    await writer.close();
    const reader = shared();
    if (!isDeepStrictEqual(await story.through(reader)(), truth)) throw new WrongAnswer(story.title, 'after a write, in Redis');
    await reader.close();
  }
  return figures;
}

export class WrongAnswer extends Error {
  override name = 'WrongAnswer';
  constructor(title: string, label: string) {
    super(`${title}, ${label}: the answer is not the one that the database gives`);
  }
}
