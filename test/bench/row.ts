import type { Effort } from './harness.js';
import type { Calls } from './isolates.js';

/** What a row is run with. */
export interface Setting extends Effort {
  /** A private Redis, emptied before each row; undefined when this machine has none. */
  readonly redis: string | undefined;
  /** A smoke test: that it runs is all that counts. */
  readonly quick: boolean;
}

/** One line of `bars.md`, or several that need the same set-up. */
export interface Row {
  /** Node's own options for the process that runs it. */
  readonly execArgv?: readonly string[];
  readonly needsRedis?: boolean;
  run(setting: Setting): Promise<readonly Outcome[]>;
  /** What each of its isolates can be asked to do. */
  isolate?(me: number, data: never): Promise<Calls>;
}

export interface Outcome {
  readonly title: string;
  /** What the figures are, smaller is better: `CPU µs`. */
  readonly unit: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly targets: readonly Target[];
}

/** A promise about ourselves: `value` must be at least, or at most, `bound`. */
export interface Target {
  readonly text: string;
  readonly value: number;
  readonly bound: number;
  readonly kind: 'at least' | 'at most';
}

export const atLeast = (bound: number, text: string, value: number): Target => ({
  text,
  value,
  bound,
  kind: 'at least',
});
export const atMost = (bound: number, text: string, value: number): Target => ({ text, value, bound, kind: 'at most' });

/** Infinitesimal differences are the machine's. */
export function isMet({ kind, value, bound }: Target): boolean {
  return kind === 'at least' ? value >= bound * 0.995 : value <= bound * 1.005;
}
