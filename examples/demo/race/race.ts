import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Database } from '../database.js';
import { atTheEnd } from '../ending.js';
import { addTally, noTally, type Plan, play, type Tally } from './play.js';
import { refereeInMemory } from './referee.js';
import { openSubject, type SubjectName } from './subjects.js';
import type { Task } from './worker.js';

/** Where races are held: in several processes, or in this one. */
export interface Course {
  readonly processes: number;
  run(name: SubjectName, seed: number): Promise<Tally>;
}

const lasts = 4500;
const plans: readonly Omit<Plan, 'seed'>[] = [
  { readers: 10, writers: 1, lasts },
  { readers: 10, writers: 1, lasts },
  { readers: 10, writers: 1, lasts },
];

/** Three processes that share a PostgreSQL and a Redis. */
export async function inProcesses(postgresUrl: string, redisUrl: string): Promise<Course> {
  const file = fileURLToPath(new URL('worker.ts', import.meta.url));
  const workers = plans.map(() => fork(file, [postgresUrl, redisUrl]));
  for (const worker of workers) atTheEnd(() => ended(worker));
  await Promise.all(workers.map(answer));
  return {
    processes: workers.length,
    async run(name, seed) {
      const tallies = workers.map((worker, i) => {
        const plan = { ...(plans[i] as Plan), seed: seed + i };
        worker.send({ name, plan } satisfies Task);
        return answer(worker) as Promise<Tally>;
      });
      return (await Promise.all(tallies)).reduce(addTally, noTally());
    },
  };
}

/** This process alone, when there is no Redis: the race is between its own reads and writes. */
export function inThisProcess(db: Database): Course {
  return {
    processes: 1,
    async run(name, seed) {
      const subject = await openSubject(name, db);
      try {
        return await play({ readers: 24, writers: 3, lasts, seed }, subject, refereeInMemory());
      } finally {
        await subject.close();
      }
    },
  };
}

/** The next message of a worker. @throws when it ends instead */
function answer(worker: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onEnd = (code: number | null, signal: string | null) =>
      reject(new Error(`a process of the race has ended (${signal ?? `exit code ${code}`})`));
    worker.once('exit', onEnd);
    worker.once('message', (message) => {
      worker.off('exit', onEnd);
      resolve(message);
    });
  });
}

async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  worker.kill('SIGKILL'); // it holds nothing but connections
  await gone;
}
