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
 * Readers in several processes who all want what nobody has.
 *
 * @param loading - what a load takes, milliseconds
 * @param killedAt - the share of its load after which the process that loads is killed; left out, it lives
 * @param isKnown - whether all of them have loaded something of that name before, and know what it takes
 */
export async function herd({
  processes,
  readers,
  loading,
  killedAt,
  isKnown,
}: {
  readonly processes: number;
  readonly readers: number;
  readonly loading: number;
  readonly killedAt?: number | undefined;
  readonly isKnown: boolean;
}): Promise<Herd> {
  const redis = await startRedis();
  const name = `herd-${randomUUID()}`;
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorker(redis.url, name)));
  try {
    // What a load costs is known by its name, which tells others how long to wait for it. Connected are all of them.
    if (isKnown)
      await Promise.all(workers.map((worker, i) => worker.read({ key: `page:${i}`, row: `row ${i}`, takes: loading })));
    else await Promise.all(workers.map((worker) => worker.do({ do: 'invalidate', tags: ['nothing'] })));
    const cold = { key: 'page:cold', row: 'cold' };
    const [doomed, ...others] = workers;
    const dies = killedAt !== undefined;
    if (dies) (await doomed!.readSlowly(cold.key, cold.row)).done.catch(() => {});
    const crowd = dies ? others : workers;
    const begun = performance.now();
    const reading = crowd.map((worker) => worker.read({ ...cold, times: readers, takes: loading }));
    if (dies) {
      await new Promise((resolve) => setTimeout(resolve, loading * killedAt));
      doomed!.kill('SIGKILL');
    }
    const all = await Promise.all(reading);
    return {
      loads: all.reduce((sum, { loads }) => sum + loads, dies ? 1 : 0),
      slowest: performance.now() - begun,
      values: [...new Set(all.flatMap(({ values }) => values))],
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await redis.stop();
  }
}
