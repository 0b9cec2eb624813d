import type { Cache } from '../../../src/index.js';
import type { Random } from '../../transparency/random.js';

/** Milliseconds that a load takes. */
export const loading = 20;
export const keys = 300;

/** A read, in milliseconds. */
interface Timed {
  readonly begun: number;
  readonly ended: number;
  /** Beyond what its load took, its own or one that it joined. */
  readonly extra: number;
}

export interface Crowd {
  readonly reads: readonly Timed[];
  readonly errors: readonly unknown[];
  /** So many reads were under way at once, at most. */
  readonly most: number;
  /** One more read, which is recorded. @defaultValue a key by its popularity */
  read(n?: number): Promise<void>;
  /** What was recorded so far does not count. */
  forget(): void;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Reads of a few hundred keys through a cache, each with what it took beyond the load. */
export function aCrowd(cache: Cache, random: Random): Crowd {
  const reads: Timed[] = [];
  const errors: unknown[] = [];
  const loads = new Map<number, { begun: number; ended: number }[]>();
  let [now, most] = [0, 0];
  return {
    reads,
    errors,
    get most() {
      return most;
    },
    forget() {
      reads.length = errors.length = most = 0;
    },
    // Number n is about n times as rare as the first.
    async read(n = Math.floor((keys + 1) ** random.next())) {
      most = Math.max(most, ++now);
      const begun = performance.now();
      try {
        await cache.read({
          key: ['row', n],
          tags: [`row:${n}`],
          load: async () => {
            const load = { begun: performance.now(), ended: Number.POSITIVE_INFINITY };
            loads.set(n, [...(loads.get(n) ?? []), load].slice(-5));
            await wait(loading);
            load.ended = performance.now();
            return n;
          },
        });
      } catch (error) {
        errors.push(error);
      }
      const ended = performance.now();
      reads.push({ begun, ended, extra: ended - begun - during(loads.get(n) ?? [], begun, ended) });
      now--;
    },
  };
}

/** How long any of the loads, which are in the order in which they began, was under way between two moments. */
function during(loads: readonly { begun: number; ended: number }[], from: number, to: number): number {
  let [at, sum] = [from, 0];
  for (const { begun, ended } of loads) {
    const [start, end] = [Math.max(at, begun), Math.min(to, ended)];
    if (end <= start) continue;
    sum += end - start;
    at = end;
  }
  return sum;
}

/** What `extra` was in a set of reads, in milliseconds. */
export interface Extra {
  readonly reads: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export function extraOf(reads: readonly Timed[]): Extra {
  const sorted = reads.map(({ extra }) => extra).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { reads: sorted.length, p50: at(0.5), p99: at(0.99), most: at(1) };
}

export function describeExtra({ reads, p50, p99, most }: Extra): string {
  return `${reads} reads took ${p50.toFixed(1)} ms more than their load (p50), ${p99.toFixed(1)} ms (p99), ${most.toFixed(1)} ms at most`;
}

/** How long this process was kept from running, by the machine or by itself: what no figure can be blamed for. */
export interface Pulse {
  /** The longest turn between two moments, in milliseconds. */
  noise(from?: number, to?: number): number;
  stop(): void;
}

export function startPulse(): Pulse {
  const every = 5;
  const turns: { at: number; late: number }[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    const at = performance.now();
    turns.push({ at, late: Math.max(0, at - last - every) });
    last = at;
  }, every);
  return {
    noise: (from = 0, to = Number.POSITIVE_INFINITY) =>
      turns.reduce((most, { at, late }) => (at >= from && at - late <= to ? Math.max(most, late) : most), 0),
    stop: () => clearInterval(timer),
  };
}
