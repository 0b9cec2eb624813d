import { isDeepStrictEqual } from 'node:util';
import { type Cache, createCache } from '../../src/index.js';
import type { Database } from './database.js';
import { openShared } from './shared-cache.js';
import type { Story } from './story.js';

/** One way to come by the answer of a story, and what it cost. */
export interface Figure {
  readonly label: string;
  readonly queries: number;
  readonly ms: number;
}

/** An answer that is not the database's. */
class WrongAnswer extends Error {
  override name = 'WrongAnswer';
}

/**
 * Tells a story without a cache, and with one in each of its states. Each answer must equal the one that comes straight
 * from the database; after a write, the one that comes from it then.
 *
 * @throws WrongAnswer
 */
export async function measure(story: Story, db: Database, redis: string | undefined): Promise<Figure[]> {
  const caches: Cache[] = [createCache()];
  const figures: Figure[] = [];
  let truth = await story.direct();

  /** Runs it `times` times and keeps the median. `before`: what comes before each run, off the clock. */
  async function figure(label: string, times: number, run: () => Promise<unknown>, before = async () => {}) {
    const runs: { ms: number; queries: number }[] = [];
    for (let i = 0; i < times; i++) {
      await before();
      const sent = db.sent;
      const started = performance.now();
      const answer = await run();
      runs.push({ ms: performance.now() - started, queries: db.sent - sent });
      compare(label, answer);
    }
    const median = runs.sort((a, b) => a.ms - b.ms)[times >> 1] as { ms: number; queries: number };
    figures.push({ label, ...median });
  }

  function compare(label: string, answer: unknown): void {
    if (!isDeepStrictEqual(answer, truth))
      throw new WrongAnswer(`${story.title}, ${label}: the answer is not the one that the database gives`);
  }

  /** The story in a process that has just started: nothing is in its own memory, and Redis may have it all. */
  async function inNewProcess(url: string): Promise<{ cache: Cache; run: () => Promise<unknown> }> {
    const cache = await openShared(url, 'demo');
    caches.push(cache);
    return { cache, run: story.through(cache) };
  }

  try {
    const memory = caches[0] as Cache;
    const viaMemory = story.through(memory);
    await figure('without cache', 3, () => story.direct());
    await figure('cold', 3, viaMemory, async () => void (await memory.clear()));
    await figure('warm in memory', 11, viaMemory);

    if (redis !== undefined) {
      const first = await inNewProcess(redis);
      await first.run();
      await first.cache.has('anything'); // answered after what it has stored: that has arrived
      let { run } = first;
      await figure(
        'warm in Redis',
        7,
        () => run(),
        async () => {
          ({ run } = await inNewProcess(redis));
        },
      );
    }

    const tags = await story.write();
    truth = await story.direct();
    await memory.invalidate(...tags);
    await figure('after a write', 1, viaMemory);

    if (redis !== undefined) {
      await (await inNewProcess(redis)).cache.invalidate(...tags);
      compare('after a write, by Redis', await (await inNewProcess(redis)).run());
    }
  } finally {
    await Promise.all(caches.map((cache) => cache.close()));
  }
  return figures;
}
