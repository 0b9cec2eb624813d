import { randomUUID } from 'node:crypto';
import { startRedis } from '../../services/redis.js';
import { startWorker } from '../../support/processes.js';

export interface Herd {
  /** In all processes together, that of one that was killed among them. */
  readonly loads: number;
  /** Milliseconds until the last reader had his value. */
  readonly slowest: number;
  /** What readers got. */
  readonly values: readonly unknown[];
}

/**
 * Readers in several processes who all want what nobody has. With `kill` the process that loads it dies on the way.
 *
 * @param loading - what a load takes, milliseconds
 */
export async function herd({
  processes,
  readers,
  loading,
  kill,
}: {
  readonly processes: number;
  readonly readers: number;
  readonly loading: number;
  readonly kill: boolean;
}): Promise<Herd> {
  const redis = await startRedis();
  const name = `herd-${randomUUID()}`;
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorker(redis.url, name)));
  try {
    // What a load costs is known by its name, which tells others how long to wait for it.
    await Promise.all(workers.map((worker, i) => worker.read({ key: `page:${i}`, row: `row ${i}`, takes: loading })));
    const cold = { key: 'page:cold', row: 'cold' };
    const [doomed, ...others] = workers;
    if (kill) (await doomed!.readSlowly(cold.key, cold.row)).done.catch(() => {});
    const crowd = kill ? others : workers;
    const begun = performance.now();
    const reading = crowd.map((worker) => worker.read({ ...cold, times: readers, takes: loading }));
    if (kill) {
      await new Promise((resolve) => setTimeout(resolve, loading / 2));
      doomed!.kill('SIGKILL');
    }
    const all = await Promise.all(reading);
    return {
      loads: all.reduce((sum, { loads }) => sum + loads, kill ? 1 : 0),
      slowest: performance.now() - begun,
      values: [...new Set(all.flatMap(({ values }) => values))],
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await redis.stop();
  }
}
