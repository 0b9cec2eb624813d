import { Around, type Client, type Session } from '../../src/adapter/index.js';
import type { Internals } from './internals.js';
import type { Result } from './rows.js';

/** What a `$transaction(fn)` wants to know: where its statements go. */
const starting = new Around<{ session?: Session<Result> }>();

/** A transaction has begun, and whoever has asked for it is told. */
export function started(session: Session<Result>): void {
  const own = starting.current;
  if (own !== undefined) own.session = session;
}

/** The `$transaction` of a client, with its callback inside of what the driver adapter has begun. */
export function transactionOf({ $transaction }: Internals, cache: Client<Result>) {
  const sessions = new WeakMap<object, Session<Result>>();
  return async function transaction(this: object, work: unknown, options?: unknown): Promise<unknown> {
    if (typeof work !== 'function') return $transaction.call(this, work, options);
    const own: { session?: Session<Result> } = {};
    const within = (tx: object) => {
      // Inside of another one it is a savepoint of that one.
      const session = own.session ?? sessions.get(this);
      if (session === undefined) return work(tx);
      sessions.set(tx, session);
      cache.bind(tx, session);
      return cache.within(session, () => work(tx));
    };
    return starting.run(own, () => $transaction.call(this, within, options));
  };
}
