import { refuseUnknown } from '../../core/check.js';
import { type Duration, parseDuration } from '../../core/duration.js';
import { expected } from '../../core/errors.js';
import type { Handles } from '../../core/functions.js';
import { type Cron, parseCron } from './cron.js';

/** A call of a cached function, for {@link WarmOptions.keys}. */
export interface WarmCall {
  readonly fn: Handles<any, any>;
  readonly args: readonly unknown[];
}

/** Names a call: `call(dashboard, 7)`; of a method `call(cacheOf(service.find, service), 7)`. */
export type NameCall = <A extends readonly unknown[]>(fn: Handles<A, any>, ...args: A) => WarmCall;

/** What a cycle gets to work with. */
export interface WarmContext {
  /** Aborted when the cycle must end: its time is over, the lease was lost, the warmer was stopped. */
  readonly signal: AbortSignal;
  /**
   * Does `work` for each item, `concurrency` of them at a time, and counts them as progress. What fails is counted, and
   * the others go on. Begins nothing more once the cycle must end, and then rejects with the signal's reason.
   */
  each<T>(items: Iterable<T>, work: (item: T) => unknown): Promise<void>;
}

/** What a warmer does, and when; one of `every` and `cron`, one of `keys` and `run`. */
export interface WarmOptions {
  /** From the beginning of a cycle to that of the next, at least 1 ms. The first one begins at once. */
  every?: Duration;
  /** Five fields in UTC: `'0 3 * * mon-fri'`. A time that nobody was there for is made up for once. */
  cron?: string;
  /**
   * Names the calls to keep warm. A call that is new in the list is loaded; later only those are loaded again whose
   * entry was read since, and the others end by age.
   */
  keys?: (call: NameCall) => Iterable<WarmCall> | Promise<Iterable<WarmCall>>;
  /** Or do it by hand. */
  run?: (context: WarmContext) => unknown;
  /** How many calls or items are worked on at a time, at least 1. @defaultValue 4 */
  concurrency?: number;
  /** A cycle begins later by a random share of the pause up to this one, 0 to 1; with `cron`, of a minute. @defaultValue 0.1 */
  jitter?: number;
  /** How long a cycle may take. Then its signal is aborted; the next begins when it has ended. @defaultValue 600_000 */
  timeout?: Duration;
  /** After a leader was killed, another process has taken over within this time. At least 100 ms. @defaultValue 10_000 */
  lease?: Duration;
}

/** The table of defaults. */
export const warmDefaults = Object.freeze({ concurrency: 4, jitter: 0.1, timeout: 600_000, lease: 10_000 });

/** The same, checked and complete. */
export interface WarmSettings {
  readonly every: number | undefined;
  readonly cron: Cron | undefined;
  readonly keys: WarmOptions['keys'];
  readonly run: WarmOptions['run'];
  readonly concurrency: number;
  readonly jitter: number;
  readonly timeout: number;
  readonly lease: number;
}

const names = ['every', 'cron', 'keys', 'run', 'concurrency', 'jitter', 'timeout', 'lease'];

/** @throws TypeError naming the option, what was expected and what came */
export function resolveWarmOptions(o: WarmOptions): WarmSettings {
  if (typeof o !== 'object' || o === null) throw expected('options', 'an object', o);
  refuseUnknown(o, names, 'warm');
  const { every, cron, keys, run } = o;
  if ((every === undefined) === (cron === undefined))
    throw new TypeError("Expected one of `every` (such as '10m') and `cron` (such as '0 3 * * *')");
  if ((keys === undefined) === (run === undefined)) throw new TypeError('Expected one of `keys` and `run`');
  for (const [what, fn] of Object.entries({ keys, run }))
    if (fn !== undefined && typeof fn !== 'function') throw expected(what, 'a function', fn);
  const concurrency = o.concurrency ?? warmDefaults.concurrency;
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw expected('concurrency', 'a whole number of at least 1', concurrency);
  const jitter = o.jitter ?? warmDefaults.jitter;
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw expected('jitter', 'a number from 0 to 1', jitter);
  return Object.freeze({
    every: every === undefined ? undefined : atLeast('every', 1, every),
    cron: cron === undefined ? undefined : parseCron(cron),
    keys,
    run,
    concurrency,
    jitter,
    timeout: atLeast('timeout', 1, o.timeout ?? warmDefaults.timeout),
    lease: atLeast('lease', 100, o.lease ?? warmDefaults.lease),
  });
}

function atLeast(what: string, least: number, duration: Duration): number {
  const ms = parseDuration(what, duration);
  if (!(ms >= least && ms < Number.POSITIVE_INFINITY))
    throw expected(what, `a duration of at least ${least} ms`, duration);
  return ms;
}
