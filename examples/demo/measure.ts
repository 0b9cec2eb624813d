import { isDeepStrictEqual } from 'node:util';
import { type Cache, createCache } from '../../src/index.js';
import type { Database } from './database.js';
import { openShared } from './shared-cache.js';
import type { Story, TellStory } from './story.js';

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

/** A process of the service: its cache, and its client, which is wrapped for it. */
interface Process {
  readonly cache: Cache;
  readonly story: Story;
  run(): Promise<unknown>;
}

/**
 * Tells a story without a cache, and with one in each of its states. Each answer must equal the one that comes straight
 * from the database; after a write, the one that comes from it then.
 *
 * @throws WrongAnswer
 */
export async function measure(tell: TellStory, db: Database, redis: string | undefined): Promise<Figure[]> {
  const caches: Cache[] = [];
  const figures: Figure[] = [];
  const { title, direct } = tell(db.plain);
  let truth = await direct();

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
      throw new WrongAnswer(`${title}, ${label}: the answer is not the one that the database gives`);
  }

  function processOf(cache: Cache): Process {
    caches.push(cache);
    const story = tell(db.through(cache));
    return { cache, story, run: story.through(cache) };
  }

  /** One that has just started: nothing is in its own memory, and Redis may have it all. */
  const newProcess = async (url: string) => processOf(await openShared(url, 'demo'));

  try {
    const alone = processOf(createCache());
    await figure('without cache', 3, direct);
    // The first run also opens a connection and reads the catalogue; the median leaves that out.
    await figure('cold', 3, alone.run, async () => void (await alone.cache.clear()));
    await figure('warm in memory', 11, alone.run);

    if (redis !== undefined) {
      const first = await newProcess(redis);
      await first.run();
      await first.cache.has('anything'); // answered after what it has stored: that has arrived
      let next = first;
      await figure(
        'warm in Redis',
        7,
        () => next.run(),
        async () => {
          next = await newProcess(redis);
        },
      );
    }

    // Each cache hears of the writes of its own clients: of memory, this process; over Redis, another one.
    await alone.story.write();
    if (redis !== undefined) await (await newProcess(redis)).story.write();
    truth = await direct();
    await figure('after a write', 1, alone.run);
    if (redis !== undefined) compare('after a write, by Redis', await (await newProcess(redis)).run());
  } finally {
    await Promise.all(caches.map((cache) => cache.close()));
  }
  return figures;
}
