import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { contains } from '../support/database.js';
import { startWorker, type Worker } from '../support/processes.js';

// Real processes on a real Redis: what `test/race` shows in one process, with nothing in it that is ours to schedule.

const { redis } = inject('services');
const name = `processes-${randomUUID()}`;

describe.skipIf(redis === undefined)('four processes on one Redis (skipped where there is none)', () => {
  let workers: Worker[] = [];
  let [here, there] = [] as unknown as [Worker, Worker];
  beforeAll(async () => {
    const url = redis?.url as string;
    // Two of the hosts disagree about the time by four seconds.
    workers = await Promise.all([0, 2000, -2000, 0].map((skew) => startWorker(url, name, skew)));
    [here, there] = workers as [Worker, Worker];
  });
  afterAll(() => Promise.all(workers.map((worker) => worker.stop())));

  const commit = async (row: string) => Number(await there.do({ do: 'commit', row }));
  const everybodyContains = async (newest: number, key: string, row: string) => {
    for (let round = 0; round < 2; round++)
      for (const [i, worker] of workers.entries())
        contains(newest, (await worker.read({ key, row })).values[0], `process ${i}, round ${round},`);
  };

  const ways: Record<string, (writer: Worker, key: string, row: string) => Promise<unknown>> = {
    tag: (writer, _, row) => writer.do({ do: 'invalidate', tags: [row] }),
    key: (writer, key) => writer.do({ do: 'delete', key }),
    'set with since': (writer, key, row) => writer.do({ do: 'set', key, row }),
    clear: (writer) => writer.do({ do: 'clear' }),
  };
  for (const [way, make] of Object.entries(ways))
    for (const own of [true, false])
      test(`a write made known ${own ? 'by the process that loads' : 'by another process'} during a load is in every later read: by ${way}`, async () => {
        const [key, row] = [`fill ${way} ${own}`, `row ${way} ${own}`];
        const reading = await here.readSlowly(key, row);
        const newest = await commit(row);
        await make(own ? here : there, key, row);
        // Begun after the acknowledgement, while the older load is still under way.
        const late = Promise.all(workers.map((worker) => worker.read({ key, row })));
        await here.do({ do: 'answer' });
        for (const { values } of await late) contains(newest, values[0], 'a joiner');
        await reading.done;
        await everybodyContains(newest, key, row);
      });

  test('what all of them hold ends for all of them at once', async () => {
    const [key, row] = ['held', 'held row'];
    for (let i = 0; i < 20; i++) {
      await everybodyContains(i, key, row);
      const newest = await commit(row);
      await (workers[i % 4] as Worker).do({ do: 'invalidate', tags: [row] });
      await everybodyContains(newest, key, row);
    }
  });

  test('50 reads in each of a key that nobody has cause one load', async () => {
    const all = await Promise.all(
      workers.map((worker) => worker.read({ key: 'cold', row: 'cold row', times: 50, takes: 500 })),
    );
    expect(all.map(({ values }) => values)).toEqual([[0], [0], [0], [0]]);
    expect(all.reduce((sum, { loads }) => sum + loads, 0)).toBe(1);
  });

  test('50 reads in each of a key that was invalidated cause one load', async () => {
    const read = () =>
      Promise.all(workers.map((worker) => worker.read({ key: 'hot', row: 'hot row', times: 50, takes: 300 })));
    await read();
    const newest = await commit('hot row');
    await there.do({ do: 'invalidate', tags: ['hot row'] });
    const all = await read();
    expect(all.map(({ values }) => values)).toEqual(Array(4).fill([newest]));
    expect(all.reduce((sum, { loads }) => sum + loads, 0)).toBe(1);
  });

  test('50 reads while the database is down cause one load in each process, get its error, and the next read tries again', async () => {
    const failing = { key: 'down', row: 'down row', times: 50, fails: 'the database is down', takes: 50 };
    const all = await Promise.all(workers.map((worker) => worker.read(failing)));
    for (const { values, loads } of all) {
      expect(values).toEqual(['failed: the database is down']);
      expect(loads).toBe(1);
    }
    expect((await here.read({ key: 'down', row: 'down row' })).values).toEqual([0]);
  });

  test('one that is killed while it loads holds nobody up for longer than the load would take', {
    timeout: 30_000,
  }, async () => {
    const [key, row] = ['killed', 'killed row'];
    // What a load costs is known, so that others know how long to wait.
    await Promise.all(workers.map((worker, i) => worker.read({ key: `${key} ${i}`, row, takes: 200 })));
    const doomed = await startWorker(redis?.url as string, name);
    const reading = await doomed.readSlowly(key, row);
    reading.done.catch(() => {});
    const newest = await commit(row);
    const began = performance.now();
    const late = here.read({ key, row });
    doomed.kill('SIGKILL');
    contains(newest, (await late).values[0]);
    expect(performance.now() - began).toBeLessThan(5000);
    await doomed.stop();
    await everybodyContains(newest, key, row);
  });

  test('one that was stopped while others wrote serves nothing of before when it goes on', async () => {
    const [key, row] = ['paused', 'paused row'];
    const sleeper = workers[3] as Worker;
    await everybodyContains(0, key, row);
    sleeper.kill('SIGSTOP');
    const newest = await commit(row);
    await there.do({ do: 'invalidate', tags: [row] });
    sleeper.kill('SIGCONT');
    await everybodyContains(newest, key, row);
  });

  test('leave nothing open when they close', async () => {
    for (const worker of workers) expect(await worker.do({ do: 'close' })).toEqual([]);
  });
});
