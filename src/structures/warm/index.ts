import { expected } from '../../core/errors.js';
import type { Parts } from '../../core/parts.js';
import type { View } from '../../core/view.js';
import { encodeKey } from '../../values/index.js';
import type { Warmed } from './cycle.js';
import { resolveWarmOptions, type WarmOptions } from './options.js';
import { Warmer, type WarmState } from './warmer.js';

/** A warmer in this process. */
export interface Warm {
  /** What it is doing here. */
  readonly state: WarmState;
  /** Runs a cycle now, or waits for the one that is running. Undefined when another process leads. */
  now(): Promise<Warmed | undefined>;
  /** Ends it in this process: resolves when its cycle has ended and the lease is given back. May be called twice. */
  stop(): Promise<void>;
}

/** By name: two of one name would be leader and follower of each other. */
const running = new WeakMap<Parts, Map<string, Warmer>>();

/** `cache.warm`. @throws TypeError for a wrong name or option, and for a name that is taken; ClosedError */
export function createWarmer(view: View, name: string, options: WarmOptions): Warm {
  view.refuseWhenClosed('warm');
  if (typeof name !== 'string' || name === '') throw expected('name', 'a non-empty text', name);
  const settings = resolveWarmOptions(options);
  const { parts, place } = view;
  if (settings.keys !== undefined && parts.settings.memory === undefined)
    throw new TypeError(
      'Expected `run` instead of `keys`: this cache keeps no values in memory, so nobody can see what is still read',
    );
  const names = running.get(parts) ?? new Map<string, Warmer>();
  running.set(parts, names);
  const full = `${encodeKey([place.namespaces, place.tenant])}${name}`;
  if (names.has(full))
    throw new TypeError(`Expected \`name\` to be new in this cache, got '${name}' while a warmer of that name runs`);
  const warmer = new Warmer(parts, name, full, settings);
  names.set(full, warmer);
  const stop = async () => {
    await warmer.stop();
    parts.closing.delete(close);
    if (names.get(full) === warmer) names.delete(full);
  };
  /** Waits for the cycle that is running, but not longer than the cache has for its end. */
  const close = (timeout: number) => {
    const stopped = stop();
    const waiting = orAfter(parts, timeout, stopped).finally(() => {
      warmer.abandon();
      parts.writes.delete(waiting);
    });
    parts.writes.add(waiting);
  };
  parts.closing.add(close);
  return {
    get state() {
      return warmer.state;
    },
    now: () => warmer.now(),
    stop,
  };
}

async function orAfter({ clock }: Parts, ms: number, done: Promise<void>): Promise<void> {
  if (ms === 0) return;
  if (ms === Number.POSITIVE_INFINITY) return done;
  let stop = () => {};
  const late = new Promise<void>((resolve) => {
    stop = clock.after(ms, resolve);
  });
  await Promise.race([done, late]).finally(stop);
}
