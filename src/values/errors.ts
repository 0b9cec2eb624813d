/** What both errors carry: where in the value it is, and what was found there. Never the value itself. */
abstract class UnfitError extends TypeError {
  /** Where: `argument 1.req`, `key[1].req`, `value[3].owner`. */
  readonly path: string;
  /** What is there: `IncomingMessage`, `a function`, `a cyclic reference`. */
  readonly found: string;
  /** A stable name of what went wrong. */
  abstract readonly code: string;
  constructor(path: string, found: string, consequence: string, options?: ErrorOptions) {
    super(`${path} is ${found}, which ${consequence}`, options);
    this.path = path;
    this.found = found;
  }
}

/** An argument, or a part of a key, that does not say by its data what it is: a request, a function, a connection. */
export class UnkeyableError extends UnfitError {
  override name = 'UnkeyableError';
  readonly code = 'UNKEYABLE';
  constructor(path: string, found: string, options?: ErrorOptions) {
    super(path, found, 'cannot become part of a key', options);
  }
}

/** A value that would not come back as it was: it is never stored, neither in memory nor in a store. */
export class UnstorableError extends UnfitError {
  override name = 'UnstorableError';
  readonly code = 'UNSTORABLE';
  constructor(path: string, found: string, options?: ErrorOptions) {
    super(path, found, 'cannot be stored', options);
  }
}
