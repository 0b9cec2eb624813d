import { Around, type Client } from '../../src/adapter/index.js';
import type { Internals, Request } from './internals.js';
import type { Result } from './rows.js';

/** A client whose requests pass here. */
export interface Asker {
  /** The connected driver adapter that it sends them by, once that has seen one of them. */
  at: object | undefined;
}

/** Who asks for what the running code sends, until it is known whose the driver adapter is. */
export const asking = new Around<Asker>();

const watched = new WeakSet<object>();

/**
 * Prisma collects lookups, and what belongs to a transaction, for one tick, and sends them in the async context of
 * whoever asked first: of two loads one would hear of all the statements, and the other of none. Here every request
 * passes while it is known who asks, be it through a client that is not extended. Only the instance is changed.
 */
export function watchRequests({ _originalClient: original }: Internals, cache: Client<Result>): void {
  if (watched.has(original)) return;
  watched.add(original);
  const { _executeRequest } = original;
  const asker: Asker = { at: undefined };
  const together = cache.together();
  original._executeRequest = function request(this: Internals, asked: Request) {
    const ask = () => _executeRequest.call(this, asked);
    const send = () => (asker.at === undefined ? asking.run(asker, ask) : ask());
    if (asked.transaction === undefined) return lookups.has(asked.action) ? together.run(send) : send();
    if (cache.inLoad())
      cache.refuse(`it read inside a transaction, where rows may be older than outside: ${asked.clientMethod}`);
    return send();
  };
}

const lookups = new Set(['findUnique', 'findUniqueOrThrow']);
