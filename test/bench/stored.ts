import { checked } from './check.js';
import type { MakeStored, StoredTask } from './contenders/redis.js';
import { type Contender, type Figures, measure, runner, us } from './harness.js';
import type { Outcome, Setting, Target } from './row.js';
import { type Served, Server } from './server.js';

export interface MeasuredStored extends Figures {
  /** What one operation of each costs Redis. */
  readonly served: Readonly<Record<string, Served>>;
}

/** Fills, makes sure that who is fast is also right, and measures hits: here, and at Redis. */
export async function measureHits(
  makes: readonly MakeStored[],
  { load, ...rest }: Omit<StoredTask, 'redis'>,
  setting: Setting,
  concurrent = 1,
): Promise<MeasuredStored> {
  const keys = setting.quick ? 256 : 1024;
  let loads = 0;
  const task: StoredTask = {
    ...rest,
    keyAt: (at) => rest.keyAt(at % keys),
    redis: setting.redis as string,
    load: (key) => {
      loads++;
      return load(key);
    },
  };
  const server = new Server(task.redis);
  await server.empty();
  server.close();
  const contenders = await Promise.all(makes.map((make) => make(task)));
  for (const { read } of contenders)
    for (let from = 0; from < keys; from += 64)
      await Promise.all(Array.from({ length: 64 }, (_, at) => read(from + at)));
  await checked(contenders, { keyAt: task.keyAt, load }, true, 64);
  loads = 0;
  const measured = await measureStored(contenders, setting, concurrent);
  if (loads > 0) throw new Error(`${loads} of what should have been hits were loaded`);
  return measured;
}

/** Measures what `read` does, here and at Redis, and closes the contenders. */
export async function measureStored(
  contenders: readonly Contender[],
  setting: Setting,
  concurrent: number,
): Promise<MeasuredStored> {
  const runners = contenders
    .filter(({ name }) => !setting.profile || name.startsWith(us))
    .map(({ name, read }) => [name, runner(read, concurrent)] as const);
  const server = new Server(setting.redis as string);
  for (const [, run] of runners) await run(concurrent * (setting.quick ? 4 : 32));
  const served = await server.each(Object.fromEntries(runners), setting.quick ? 256 : 2048, setting.quick ? 1 : 3);
  server.close();
  // Most of a trip to Redis is waiting: a third of the CPU makes as much of a round.
  const effort = { ...setting, rounds: Math.ceil(setting.rounds / 2), ms: setting.ms / 2 };
  return { ...(await measure(contenders, effort, concurrent)), served };
}

/** Three tables: what an operation costs here, at Redis, and in commands. */
export function asOutcomes(
  title: string,
  { cpu, served }: MeasuredStored,
  targets: { cpu?: readonly Target[]; redis?: readonly Target[]; commands?: readonly Target[] },
): Outcome[] {
  const pick = (of: 'commands' | 'cpu') =>
    Object.fromEntries(Object.entries(served).map(([name, figures]) => [name, figures[of]]));
  return [
    { title, unit: 'CPU µs', figures: cpu, targets: targets.cpu ?? [] },
    { title: `${title}: at Redis`, unit: 'CPU µs', figures: pick('cpu'), targets: targets.redis ?? [] },
    { title: `${title}: commands`, unit: 'commands', figures: pick('commands'), targets: targets.commands ?? [] },
  ];
}

/** How much of one of `other`'s figures one of ours is. */
export function share(served: MeasuredStored['served'], of: 'commands' | 'cpu' | 'bytes' | 'reads', other: string) {
  return (served[us]?.[of] ?? Number.NaN) / (served[other]?.[of] ?? Number.NaN);
}
