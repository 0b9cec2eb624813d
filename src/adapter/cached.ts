import { AsyncLocalStorage } from 'node:async_hooks';
import { parseDuration } from '../core/duration.js';
import { expected } from '../core/errors.js';
import type { Per } from './options.js';

/** What surrounds the running code; the inner one first. */
interface Around {
  readonly per: Per;
  readonly outer: Around | undefined;
  /** Its promise has settled: code that goes on is outside of it. */
  ended: boolean;
}

interface Wishes {
  readonly storage: AsyncLocalStorage<Around>;
  /** Asking an AsyncLocalStorage costs more than a whole hit, so nobody asks while nothing runs in one. */
  running: number;
}

/** One for the ESM and the CommonJS copy of the package: the function may come from one, and the adapter from the other. */
const place = Symbol.for('unstale.cached');
const shared = globalThis as { [place]?: Wishes };
shared[place] ??= { storage: new AsyncLocalStorage(), running: 0 };
const wishes = shared[place];

/**
 * Every read that starts inside `fn`, on any wrapped client, comes from the cache if it can: for `per`, a duration or
 * the options of a read. `false`: none does. What a query itself says counts more.
 *
 * @example
 * ```ts
 * const rows = await cached('30s', () => knex('posts').where({ draft: false }));
 * ```
 * @throws TypeError for a wrong `per`; what `fn` throws, unchanged
 */
export async function cached<T>(per: Per, fn: () => T | PromiseLike<T>): Promise<T> {
  checkPer(per);
  if (typeof fn !== 'function') throw expected('fn', 'a function', fn);
  const { storage } = wishes;
  const around: Around = { per, outer: alive(storage.getStore()), ended: false };
  wishes.running++;
  try {
    // A builder starts when somebody waits for it, and that must happen in here.
    return await storage.run(around, () => started(fn()));
  } finally {
    around.ended = true;
    // While any storage is in use, Node watches every promise of the process, which doubles the cost of each.
    if (--wishes.running === 0) storage.disable();
  }
}

/** What the code around says about reads; undefined when it says nothing. */
export function perAround(): Per | undefined {
  return wishes.running === 0 ? undefined : alive(wishes.storage.getStore())?.per;
}

function alive(around: Around | undefined): Around | undefined {
  while (around?.ended) around = around.outer;
  return around;
}

function started<T>(result: T | PromiseLike<T>): T | PromiseLike<T> {
  if (typeof (result as PromiseLike<T> | undefined)?.then !== 'function') return result;
  return new Promise<T>((resolve, reject) => void (result as PromiseLike<T>).then(resolve, reject));
}

function checkPer(per: unknown): void {
  if (per === false || (typeof per === 'object' && per !== null)) return;
  if (typeof per !== 'string' && typeof per !== 'number')
    throw expected('per', "false, a duration such as '30s', or options such as { ttl: '30s' }", per);
  parseDuration('ttl', per);
}
