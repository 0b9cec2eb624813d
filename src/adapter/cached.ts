import { parseDuration } from '../core/duration.js';
import { expected } from '../core/errors.js';
import { Around } from './around.js';
import type { Per } from './options.js';

/** What surrounds the running code; the inner one first. */
interface Said {
  readonly per: Per;
  readonly outer: Said | undefined;
  /** Its promise has settled: code that goes on is outside of it. */
  ended: boolean;
}

/** One for the ESM and the CommonJS copy of the package: the function may come from one, and the adapter from the other. */
const place = Symbol.for('unstale.cached');
const shared = globalThis as { [place]?: Around<Said> };
shared[place] ??= new Around();
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
  const said: Said = { per, outer: alive(wishes.current), ended: false };
  try {
    // A builder starts when somebody waits for it, and that must happen in here.
    return await wishes.run(said, () => started(fn()));
  } finally {
    said.ended = true;
  }
}

/** What the code around says about reads; undefined when it says nothing. */
export function perAround(): Per | undefined {
  return alive(wishes.current)?.per;
}

function alive(said: Said | undefined): Said | undefined {
  while (said?.ended) said = said.outer;
  return said;
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
