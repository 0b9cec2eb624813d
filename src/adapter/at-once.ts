import type { Asking } from './catalogue.js';
import type { State } from './shared.js';
import type { Known } from './statements.js';
import { type Tracked, track } from './track.js';
import type { Params } from './types.js';
import { UnderWay } from './under-way.js';

/**
 * Runs a statement of a driver that answers at once, as drivers of SQLite do, and whose caller waits for nobody.
 *
 * What it changes is over in this process when this returns; a store hears of it as soon as it can, and until then
 * nothing is served here that depends on it. What it reads counts for a load where the versions are at hand, which they
 * are without a store. With one they would have to be asked for first, so that load is not stored.
 */
export function runAtOnce<R>(
  { state, asking, connection }: { state: State<R>; asking: Asking; connection: object },
  known: Known,
  params: Params,
  execute: () => R,
): R {
  const { driver, catalogue, port, failed } = state.shared;
  try {
    const ask = (sql: string) => driver.askAtOnce?.(connection, sql) ?? [];
    catalogue.refresh(known, asking, ask, port.versionHere(catalogue.tag));
  } catch (error) {
    failed(error);
  }
  const under = new UnderWay(state, known, params, {
    tracked: trackedAtOnce(state, known, params),
    mayAdd: false,
    isAtOnce: true,
  });
  let result: R;
  try {
    result = execute();
  } catch (error) {
    under.end(false, undefined, undefined).catch(failed);
    throw error;
  }
  under.end(true, rowsOf(state, result), result).catch(failed);
  return result;
}

function trackedAtOnce(state: State<unknown>, known: Known, params: Params): Tracked | undefined {
  const tracked = track(state, known, params);
  if (!(tracked instanceof Promise)) return tracked;
  state.shared.port.refuse(`its driver answers at once, before a store could be asked for versions: ${known.text}`);
  return undefined;
}

function rowsOf<R>({ shared: { driver, failed } }: State<R>, result: R) {
  try {
    return driver.rowsOf(result);
  } catch (error) {
    return void failed(error);
  }
}

/** What `fn` gives, or throws, inside of what would give a promise for it. */
export function atOnce<T>(inside: (run: () => Promise<void>) => Promise<void>, fn: () => T): T {
  let answer!: () => T;
  // It runs in here; what it has started may go on.
  void inside(async () => {
    try {
      const result = fn();
      answer = () => result;
    } catch (error) {
      answer = () => {
        throw error;
      };
    }
  });
  return answer();
}
