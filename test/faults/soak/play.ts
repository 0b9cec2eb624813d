import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startProxy } from '../../services/proxy.js';
import { forkTypeScript } from '../../support/fork.js';
import { Random } from '../../transparency/random.js';
import { createDatabase } from '../history/database.js';
import { faultsOf } from '../history/faults.js';
import { storages } from '../history/storage.js';
import { type Trend, trendOf, type Vitals } from './vitals.js';
import type { Done, Order, Role } from './worker.js';

export interface Plan {
  readonly seed: number;
  readonly seconds: number;
  /** So many reads of each process are waited for, five times as long at most: a slow machine takes longer. @defaultValue 0 */
  readonly reads?: number;
  readonly postgres: string;
  /** Seconds between two looks at each process. */
  readonly every: number;
  readonly rows: number;
  /** @defaultValue 2 */
  readonly processes?: number;
  /** Milliseconds. @defaultValue 0 */
  readonly maxStale?: number;
  /** Names of what is to happen. @defaultValue all that a process can live through */
  readonly faults?: readonly string[];
  /** Bytes that each process keeps of each read: the control. @defaultValue 0 */
  readonly keeps?: number;
  tell?(text: string): void;
}

/** What has become of one process. */
export interface Soaked extends Done {
  readonly trend: Trend;
  readonly samples: number;
  /** What would still keep it alive after `close`. */
  readonly left: readonly string[];
  /** How it ended by itself; undefined when it did not. */
  readonly exit: number | undefined;
}

const survivable = ['deafen', 'evict', 'drop', 'hang', 'restart', 'stop', 'lose'];
/** Share of the samples that are not looked at: memory fills, and code is compiled. */
const warmUp = 0.3;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const file = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** Processes read and write on a Redis and a PostgreSQL that have a bad day, and are asked now and then how they are. */
export async function soak(plan: Plan): Promise<Soaked[]> {
  const { seed, every, rows, processes = 2, maxStale = 0, keeps = 0, tell = () => {} } = plan;
  const random = new Random(seed);
  const storage = await storages.single();
  const database = await createDatabase(plan.postgres, `soak_${seed}`, rows);
  const wire = await startProxy(Number(database.url.port));
  const writes = new URL(database.url);
  writes.port = String(wire.port);
  const common = { redis: storage.target, reads: database.url.href, writes: writes.href, name: `soak-${seed}` };
  const workers: ChildProcess[] = [];
  try {
    for (let i = 0; i < processes; i++) {
      const role: Role = { ...common, seed: seed * 100 + i, rows, maxStale, keeps };
      const worker = forkTypeScript(file, [JSON.stringify(role)]);
      workers.push(worker);
      await answerOf(worker, 'start');
    }
    const world = {
      ...{ storage, wire, processes, kill: () => Promise.resolve() },
      signal: (i: number, signal: NodeJS.Signals) => void workers[i]?.kill(signal),
    };
    const strike = faultsOf(world);
    const { faults = survivable } = plan;
    const begun = performance.now();
    let [fewest, isLeft] = [0, false];
    const isOver = () => {
      const seconds = (performance.now() - begun) / 1000;
      return isLeft || seconds >= 5 * plan.seconds || (seconds >= plan.seconds && fewest >= (plan.reads ?? 0));
    };
    const striking = (async () => {
      while (faults.length > 0 && !isOver()) {
        await wait(200 + random.below(600));
        if (isOver()) return;
        const fault = random.one(faults);
        tell(fault);
        await strike[fault]?.(random);
      }
    })();
    const samples = workers.map((): Vitals[] => []);
    try {
      while (!isOver()) {
        await wait(every * 1000);
        const looks = await Promise.all(workers.map((worker) => asked<Vitals & Done>(worker, 'look')));
        for (const [i, { heap, handles, listeners }] of looks.entries()) samples[i]?.push({ heap, handles, listeners });
        fewest = Math.min(...looks.map(({ reads }) => reads));
      }
    } finally {
      // What it strikes must not be torn down under it.
      isLeft = true;
      await striking;
    }
    return await Promise.all(
      workers.map(async (worker, i) => {
        const exited = once(worker, 'exit') as Promise<[number]>;
        const last = await asked<Done & { left: string[] }>(worker, 'close');
        const exit = await Promise.race([exited.then(([code]) => code), wait(5000).then(() => undefined)]);
        const warm = (samples[i] as Vitals[]).slice(Math.floor((samples[i] as Vitals[]).length * warmUp));
        return { ...last, exit, trend: trendOf(warm), samples: warm.length };
      }),
    );
  } finally {
    for (const worker of workers) if (worker.exitCode === null) worker.kill('SIGKILL');
    await wire.stop();
    await storage.stop();
    await database.drop();
  }
}

/** What a process answers to an order. */
async function asked<T>(worker: ChildProcess, order: Order): Promise<T> {
  const answer = answerOf<T>(worker, order);
  worker.send(order);
  return answer;
}

/** The next message of a process; fails when it ends before that. */
async function answerOf<T>(worker: ChildProcess, during: string): Promise<T> {
  const over = new AbortController();
  const { signal } = over;
  const exited = once(worker, 'exit', { signal }).then(([code, killed]): never => {
    throw new Error(`a process of the soak ended with ${code ?? killed} during '${during}'`);
  });
  try {
    return await Promise.race([once(worker, 'message', { signal }).then(([answer]) => answer as T), exited]);
  } finally {
    over.abort();
  }
}
