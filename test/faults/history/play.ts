import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder, removeFolder } from '../../services/folders.js';
import { startProxy } from '../../services/proxy.js';
import { forkTypeScript } from '../../support/fork.js';
import { Random } from '../../transparency/random.js';
import { check, type Verdict } from './check.js';
import { createDatabase } from './database.js';
import { readEvents } from './events.js';
import { faultsOf } from './faults.js';
import { type Storage, storages, type Target } from './storage.js';
import type { Order, Role } from './worker.js';

export interface Plan {
  readonly subject: Role['subject'];
  readonly seed: number;
  readonly seconds: number;
  /** @defaultValue 'single' */
  readonly redis?: Target['kind'];
  /** Another Redis than one of these. */
  readonly storage?: () => Promise<Storage>;
  /** What starts its processes, and with what arguments of its own. @defaultValue this Node, with nothing */
  readonly node?: { readonly execPath?: string; readonly execArgv?: readonly string[] };
  /** Names of what is to happen. @defaultValue all that can */
  readonly faults?: readonly string[];
  /** @defaultValue 3 */
  readonly processes?: number;
  /** @defaultValue 1_000 */
  readonly rows?: number;
  /** Milliseconds. @defaultValue 0 */
  readonly maxStale?: number;
  readonly strict?: boolean;
  readonly crashSafe?: boolean;
  /** Writes for each read, at most. @defaultValue 0.065 */
  readonly share?: number;
  readonly postgres: string;
  /** Hears of each fault and phase. */
  tell?(text: string): void;
}

/**
 * Lets several real processes read and write the same rows through a cache, on a Redis and a PostgreSQL that have a bad
 * day, and judges what they saw.
 */
export async function play(plan: Plan): Promise<Verdict & { struck: Readonly<Record<string, number>> }> {
  const { seed, seconds, subject, processes = 3, rows = 1000, maxStale = 0, tell = () => {} } = plan;
  const { strict = false, crashSafe = false, share = 0.065 } = plan;
  const storage = await (plan.storage ?? storages[plan.redis ?? 'single'])();
  const random = new Random(seed);
  const folder = makeFolder('history');
  const database = await createDatabase(plan.postgres, `history_${seed}`, rows, crashSafe);
  const wire = await startProxy(Number(database.url.port));
  const files: string[] = [];
  const workers: Worker[] = [];
  let reads = 0;
  const start = (): Promise<Worker> => {
    const file = join(folder, `${files.length}.jsonl`);
    const writes = new URL(database.url);
    writes.port = String(wire.port);
    const role: Role = {
      ...{ file, subject, rows, maxStale, strict, crashSafe },
      ...{ redis: storage.target, reads: database.url.href, writes: writes.href, name: `history-${seed}` },
      ...{ seed: seed * 100 + files.length, readers: 8, writers: 1, share, pause: { read: 12, write: 18 } },
    };
    files.push(file);
    return startWorker(role, plan.node, (more) => {
      reads += more;
    });
  };
  try {
    for (let i = 0; i < processes; i++) workers.push(await start());
    const all = (order: Order) => Promise.all(workers.map((worker) => worker.do(order)));
    await workers[0]?.do('warm');
    await all('run');

    const struck: Record<string, number> = {};
    const strike = faultsOf({
      ...{ storage, wire, processes },
      signal: (i, it) => void workers[i]?.child.kill(it),
      async kill(i) {
        await workers[i]?.stop();
        workers[i] = await start();
        await workers[i]?.do('run');
      },
    });
    // Without an outbox nobody knows what a process has written that died before it could say so.
    const possible = Object.keys(strike).filter((fault) => fault !== 'kill' || strict || crashSafe);
    const { faults = possible } = plan;
    // Time is told by reads, so that a slow machine plays the same history, and takes longer.
    const latest = performance.now() + 8 * seconds * 1000;
    const isOver = () => reads >= seconds * pace || performance.now() > latest;
    let coming: string[] = [];
    while (!isOver()) {
      const next = reads + ((300 + random.below(900)) * pace) / 1000;
      while (reads < next && !isOver()) await wait(20);
      if (faults.length === 0 || isOver()) continue;
      // Each of them before any comes again.
      if (coming.length === 0) coming = [...faults];
      const fault = coming.splice(random.below(coming.length), 1)[0] as string;
      tell(fault);
      struck[fault] = (struck[fault] ?? 0) + 1;
      await strike[fault]?.(random);
    }

    tell('all is over');
    await all('finish');
    // A write whose outcome nobody knows is made known once more, 5 s after it; one that is fenced, when its lease is over.
    if (faults.some((fault) => fault === 'lose' || fault === 'kill')) await wait(6500);
    await all('settle');
    const truth = await database.truth();
    await all('look');
    await all('close');
    const histories = files.map(readEvents);
    return { ...check(histories, rows, truth, maxStale === 0 ? 0 : (maxStale + 50) * 1000), struck };
  } finally {
    for (const worker of workers) await worker.stop();
    await wire.stop();
    await storage.stop();
    await database.drop();
    removeFolder(folder);
  }
}

/** Reads of all processes in a second, on a machine that has time. */
const pace = 1200;

interface Worker {
  readonly child: ChildProcess;
  do(order: Order): Promise<void>;
  stop(): Promise<void>;
}

async function startWorker(role: Role, node: Plan['node'], onReads: (more: number) => void): Promise<Worker> {
  const file = fileURLToPath(new URL('./worker.ts', import.meta.url));
  const child = forkTypeScript(file, [JSON.stringify(role)], { ...node, execArgv: [...(node?.execArgv ?? [])] });
  child.on('message', ({ reads = 0 }: { reads?: number }) => onReads(reads));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const answer = (of: string) =>
    new Promise<void>((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null) =>
        reject(new Error(`a process of the history ended with ${code ?? signal} during '${of}'`));
      child.once('exit', onExit);
      child.on('message', function hear({ done, error }: { done: string; error?: string }) {
        if (done !== of) return;
        child.off('exit', onExit).off('message', hear);
        if (error === undefined) resolve();
        else reject(new Error(error));
      });
    });
  await answer('start');
  return {
    child,
    do(order) {
      const done = answer(order);
      child.send(order);
      return done;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
