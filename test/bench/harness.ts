import { profiled } from './profile.js';

/**
 * Measures contenders side by side: every round runs each of them once, in shuffled order, so that whatever else the
 * machine does falls on all alike. A figure is the median over the rounds; a ratio is the median of the rounds' own
 * ratios, which the machine's moods touch least.
 */
export interface Contender {
  readonly name: string;
  /** One operation, the `at`-th. */
  read(at: number): unknown;
  close?(): unknown;
}

export interface Effort {
  readonly rounds: number;
  /** CPU milliseconds of one contender in one round. */
  readonly ms: number;
  readonly seed: number;
  /** Only ours, and where its time goes. */
  readonly profile: boolean;
}

/** The name under which we stand in every table. */
export const us = 'unstale';

export interface Figures {
  /** CPU µs of this process per operation. */
  readonly cpu: Readonly<Record<string, number>>;
  /** How many times faster than `other` we are, by the rounds' own ratios. */
  faster(other: string, who?: string): number;
}

/** Measures, and closes the contenders. `concurrent` operations are under way at a time. */
export async function measure(
  contenders: readonly Contender[],
  { rounds, ms, seed, profile }: Effort,
  concurrent = 1,
): Promise<Figures> {
  const runners = contenders
    .filter(({ name }) => !profile || name.startsWith(us))
    .map(({ name, read }) => ({ name, run: runner(read, concurrent), count: concurrent, times: [] as number[] }));
  for (const runner of runners) {
    // To the count that takes long enough, and warm.
    for (let took = 0; took < ms; ) {
      took = (await cpuOf(() => runner.run(runner.count))) / 1000;
      if (took < ms) runner.count *= Math.ceil(Math.max(2, Math.min(16, (1.2 * ms) / Math.max(took, 0.01))));
    }
    await runner.run(runner.count);
  }
  if (profile)
    for (const { name, run, count } of runners)
      console.log(
        `\n${name}\n${await profiled(async () => {
          for (let round = 0; round < rounds; round++) await run(count);
        })}`,
      );
  const random = randomFrom(seed);
  for (let round = 0; round < rounds; round++)
    for (const runner of shuffled(runners, random)) {
      globalThis.gc?.({ type: 'minor' } as never);
      runner.times.push((await cpuOf(() => runner.run(runner.count))) / runner.count);
    }
  for (const contender of contenders) await contender.close?.();
  const timesOf = (name: string) => runners.find((runner) => runner.name === name)?.times ?? [];
  return {
    cpu: Object.fromEntries(runners.map(({ name, times }) => [name, median(times)])),
    faster: (other, who = us) => {
      const ours = timesOf(who);
      return median(timesOf(other).map((time, round) => time / (ours[round] as number)));
    },
  };
}

/** CPU µs of this process while `fn` runs. */
export async function cpuOf(fn: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await fn();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/** A loop of its own for each contender: a shared one would learn about all, and be equally bad for each. */
export function runner(read: Contender['read'], concurrent: number): (count: number) => Promise<unknown> {
  const source = `// ${++loops}
    let at = 0;
    return async (count) => { for (let end = at + count; at < end; ) await read(at++); }`;
  const loop = () => new Function('read', source)(read) as (count: number) => Promise<void>;
  if (concurrent === 1) return loop();
  // Workers, so that whoever is answered asks again at once.
  let next = 0;
  const one = new Function(
    'read',
    'take',
    `// ${++loops}
    return async () => { for (let at; (at = take()) >= 0; ) await read(at); }`,
  ) as (read: Contender['read'], take: () => number) => () => Promise<void>;
  return (count) => {
    const end = next + count;
    const work = one(read, () => (next < end ? next++ : -1));
    return Promise.all(Array.from({ length: concurrent }, work));
  };
}
let loops = 0;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** mulberry32: the same order for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
  }
  return shuffled;
}
