import { redisStore } from '../../../adapters/redis/index.js';
import { type Cache, CommitUnknownError, createCache } from '../../../src/index.js';
import { startRedis } from '../../services/redis.js';
import { late, startWire, type Way, ways } from './wire.js';
import { type Client, type How, hows, writers } from './writers.js';

export interface Lost {
  readonly writes: number;
  /** How many of them the database has carried out. */
  readonly carriedOut: number;
  /** Those whose error was not `CommitUnknownError` with the row's tag and the driver's error. */
  readonly misnamed: readonly string[];
  /** Reads that gave an old value before the second invalidation: what it is there for. */
  readonly window: number;
  /** Reads that gave an old value when all was over, of every row in two processes' caches. */
  readonly stale: number;
  readonly unhandled: readonly unknown[];
}

export interface LosePlan {
  /** Name of what is wrapped. */
  readonly by: string;
  /** Of the database, of which a table `counts` has these ids. */
  readonly url: string;
  readonly ids: readonly number[];
  /** What the database has, by id. */
  truth(): Promise<ReadonlyMap<number, number>>;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Writes whose answer is lost, one for each id, by statements alone and by COMMIT, in each way in which that can be. */
export async function lose({ by, url, ids, truth }: LosePlan): Promise<Lost> {
  const { open } = writers[by] as (typeof writers)[string];
  const redis = await startRedis();
  const at = new URL(url);
  const wire = await startWire(Number(at.port));
  at.port = String(wire.port);
  const aCache = () => createCache({ name: 'commit', jitter: 0, ttl: '1h', store: redisStore(redis.url) });
  const [here, there] = [aCache(), aCache()];
  // As in a service: what it reads and what it writes go by clients of their own, of one cache.
  const writer = await open(at.href, here);
  const readers: [Cache, Client][] = [
    [here, await open(url, here)],
    [there, await open(url, there)],
  ];
  const unhandled: unknown[] = [];
  const stray = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', stray);
  const read = ([cache, client]: [Cache, Client], id: number) =>
    cache.getOrSet({ key: ['count', id], load: () => client.read(id) });
  const misnamed: string[] = [];
  const old = async () => {
    const now = await truth();
    const all = await Promise.all(
      ids.flatMap((id) => readers.map(async (reader) => (await read(reader, id)) !== now.get(id))),
    );
    return all.filter(Boolean).length;
  };
  try {
    const before = await truth();
    for (const [i, id] of ids.entries()) {
      const way = ways[i % ways.length] as Way;
      const how = hows[Math.floor(i / ways.length) % hows.length] as How;
      for (const reader of readers) await read(reader, id);
      wire.cutAt(how === 'statement' ? /update .?counts/i : /commit/i, way);
      const error = await writer.add(id, how).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const wrong = wrongWith(error);
      if (wrong !== undefined) misnamed.push(`${how}, ${way}: ${wrong}`);
      // What is read now is stored, and may be what was there before.
      for (const reader of readers) await read(reader, id);
    }
    await wait(late + 300);
    const window = await old();
    // Whatever may have been on its way has arrived, and is made known once more.
    await wait(5500 - late - 300);
    for (const [cache] of readers) await cache.settled({ timeout: '10s' });
    const now = await truth();
    const carriedOut = ids.filter((id) => now.get(id) !== before.get(id)).length;
    return { writes: ids.length, carriedOut, misnamed, window, stale: await old(), unhandled };
  } finally {
    await Promise.all([writer, ...readers.map(([, client]) => client)].map((client) => client.close()));
    await Promise.all([here.close(), there.close()]);
    await wire.stop();
    await redis.stop();
    process.off('unhandledRejection', stray);
  }
}

function wrongWith(error: unknown): string | undefined {
  if (error === undefined) return 'it did not fail';
  if (!(error instanceof CommitUnknownError)) return String((error as Error)?.stack ?? error);
  if (!error.tags.some((tag) => tag.includes('counts'))) return `its tags are ${error.tags.join(', ')}`;
  if (!(error.cause instanceof Error)) return `its cause is ${String(error.cause)}`;
  return undefined;
}
