import type { Clock } from './clock.js';
import type { StoreSession } from './store.js';

/** What `invalidate` resolves with. */
export interface Receipt {
  /** What was invalidated. */
  readonly tags: readonly string[];
  /**
   * Resolves when nobody can serve the old value any more: at once while every process works with `maxStale: 0`, else
   * after the largest one of them. Rejects when the store could not be asked.
   */
  readonly everywhere: Promise<void>;
}

/**
 * The receipt of an acknowledgement: what the store has confirmed holds for every read that asks it, and some later for
 * a memory that need not ask so soon. How much later is the store's to tell.
 *
 * @param acknowledged - when, in the clock's milliseconds
 */
export function receiptOf(session: StoreSession, clock: Clock, tags: readonly string[], acknowledged: number): Receipt {
  const wait = async () => {
    const reach = await session.reach();
    const left = acknowledged + reach - clock.now();
    if (left > 0) await new Promise<void>((resolve) => void clock.after(left, resolve));
  };
  let everywhere: Promise<void> | undefined;
  return {
    tags,
    // Asked for only when somebody wants to know: it costs a question to the store.
    get everywhere() {
      if (everywhere === undefined) {
        everywhere = wait();
        everywhere.catch(() => {}); // whoever awaits it is told; who only looked at the receipt must not crash
      }
      return everywhere;
    },
  };
}
