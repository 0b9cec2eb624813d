import { Around, type Client } from '../../src/adapter/index.js';
import { UnstaleError } from '../../src/index.js';
import type { Internals, Request } from './internals.js';
import type { Result } from './rows.js';

/** A client whose requests pass here. */
export interface Asker {
  /** The connected driver adapter that it sends them by, once that has seen one of them. */
  at: object | undefined;
}

/** Who asks for what the running code sends, until it is known whose the driver adapter is. */
export const asking = new Around<Asker>();

/** What the library itself has to say of a write: Prisma would make an error of its own of it, by its code. */
const failing = new Around<{ error?: UnstaleError }>();

/** Passes on what a driver adapter's statement has failed with, to whoever has asked for it as well. */
export function told(error: unknown): never {
  if (error instanceof UnstaleError && failing.current !== undefined) failing.current.error = error;
  throw error;
}

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
    const ask = () => {
      if (reads.has(asked.action)) return _executeRequest.call(this, asked);
      const own: { error?: UnstaleError } = {};
      return failing
        .run(own, () => _executeRequest.call(this, asked))
        .catch((error) => {
          throw own.error ?? error;
        });
    };
    const send = () => (asker.at === undefined ? asking.run(asker, ask) : ask());
    if (asked.transaction === undefined) return lookups.has(asked.action) ? together.run(send) : send();
    if (cache.inLoad())
      cache.refuse(`it read inside a transaction, where rows may be older than outside: ${asked.clientMethod}`);
    return send();
  };
}

const lookups = new Set(['findUnique', 'findUniqueOrThrow']);
const reads = new Set([...lookups, 'findFirst', 'findFirstOrThrow', 'findMany', 'count', 'aggregate', 'groupBy']);
