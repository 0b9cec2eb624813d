import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process must not have more and more of. */
export interface Vitals {
  /** Bytes of live objects, and of what they hold outside of the heap, after a collection. */
  readonly heap: number;
  /** What keeps the process alive: sockets, timers, children. */
  readonly handles: number;
  /** Listeners of the process itself and of its sockets. */
  readonly listeners: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Takes a full collection, some ten milliseconds. */
export function vitals(): Vitals {
  collect();
  const sockets = (process as unknown as { _getActiveHandles(): NodeJS.EventEmitter[] })._getActiveHandles();
  let listeners = 0;
  for (const of of [process, ...sockets])
    for (const event of of.eventNames?.() ?? []) listeners += of.listenerCount(event as string);
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed + external, handles: left().length, listeners };
}

/** The kinds of what keeps this process alive, apart from its own input, output and channel to its parent. */
export function left(): string[] {
  return process.getActiveResourcesInfo().filter((it) => !/^(Pipe|TTY|TTYWrap|FSReq|TickObject|Immediate)/.test(it));
}

/** The middle of each vital in the first and the last third of the samples, after what it took to warm up. */
export interface Trend {
  readonly early: Vitals;
  readonly late: Vitals;
}

export function trendOf(samples: readonly Vitals[]): Trend {
  const third = Math.max(1, Math.floor(samples.length / 3));
  return { early: middle(samples.slice(0, third)), late: middle(samples.slice(-third)) };
}

/** By how much vitals of a process may differ that keeps nothing: what is being connected at the moment, and compiled. */
export interface Slack {
  readonly mebibytes: number;
  readonly handles: number;
  readonly listeners: number;
}

/** What grew, in words; a flat process has nothing. */
export function growthOf({ early, late }: Trend, slack: Slack): string[] {
  const grown: string[] = [];
  if (late.heap - early.heap > slack.mebibytes * 2 ** 20)
    grown.push(`heap from ${inMiB(early.heap)} to ${inMiB(late.heap)}`);
  if (late.handles > early.handles + slack.handles) grown.push(`handles from ${early.handles} to ${late.handles}`);
  if (late.listeners > early.listeners + slack.listeners)
    grown.push(`listeners from ${early.listeners} to ${late.listeners}`);
  return grown;
}

export function describeTrend({ early, late }: Trend): string {
  return `heap ${inMiB(early.heap)} → ${inMiB(late.heap)}, handles ${early.handles} → ${late.handles}, listeners ${early.listeners} → ${late.listeners}`;
}

const inMiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function middle(samples: readonly Vitals[]): Vitals {
  const of = (key: keyof Vitals) => samples.map((it) => it[key]).sort((a, b) => a - b)[samples.length >> 1] ?? 0;
  return { heap: of('heap'), handles: of('handles'), listeners: of('listeners') };
}
