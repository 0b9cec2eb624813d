/** Marks our errors, by their code, across the ESM and the CommonJS copy of the package, where `instanceof` alone would fail. */
const brand: unique symbol = Symbol.for('unstale.error');

/** What every error of unstale has in common: a `code`, and what happened, to what, and what to do in its message. */
export class UnstaleError extends Error {
  static readonly [brand]: string = '';
  override name = 'UnstaleError';
  /** A stable name of what went wrong, such as `INVALIDATION_PENDING`. */
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, brand, { value: code });
  }

  /** Also true for errors of the package's other copy: those carry the brand, and classes are told apart by it. */
  static override [Symbol.hasInstance](other: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, other)) return true;
    if (typeof other !== 'object' || other === null) return false;
    const of = (other as { [brand]?: string })[brand];
    return (
      of !== undefined &&
      Object.hasOwn(this, brand) &&
      [of, ''].includes((this as unknown as { [brand]: string })[brand])
    );
  }
}

/**
 * An invalidation was not confirmed by the store in time. It is kept and delivered as soon as the store answers; until
 * then other processes may serve what it should have ended.
 */
export class InvalidationPendingError extends UnstaleError {
  static override readonly [brand]: string = 'INVALIDATION_PENDING';
  override name = 'InvalidationPendingError';
  /** What is not acknowledged yet. */
  readonly tags: readonly string[];
  /** The write that the invalidation belongs to has succeeded: do not try it again. */
  readonly committed: boolean;
  /** What that write returned. */
  readonly result: unknown;
  constructor(
    tags: readonly string[],
    options: ErrorOptions & { committed?: boolean; result?: unknown; closed?: boolean } = {},
  ) {
    super(
      'INVALIDATION_PENDING',
      options.closed
        ? `The cache was closed before the store confirmed the invalidation of ${list(tags)}. Other processes may serve the old values until they age.`
        : `The store has not confirmed the invalidation of ${list(tags)}. It is kept and will be delivered when the store answers; \`await cache.settled()\` waits for that.`,
      options,
    );
    this.tags = tags;
    this.committed = options.committed ?? false;
    this.result = options.result;
  }
}

/**
 * The connection to the database was lost, or given up, before the database said whether it had carried out a change or
 * COMMIT. Both are possible; whatever depends on it is not served from the cache in either case.
 */
export class CommitUnknownError extends UnstaleError {
  static override readonly [brand]: string = 'COMMIT_UNKNOWN';
  override name = 'CommitUnknownError';
  /** What the change would have ended, and has. */
  readonly tags: readonly string[];
  /** @param options - `cause`: what the driver said */
  constructor(tags: readonly string[], options: ErrorOptions) {
    super(
      'COMMIT_UNKNOWN',
      `The database has not said whether it has committed the change of ${list(tags)}. It may have: look at the rows before you try again. To the cache it counts as committed.`,
      options,
    );
    this.tags = tags;
  }
}

/**
 * `strict: true`, and what a transaction has changed could not be fenced before its COMMIT. It was rolled back, or never
 * sent: nothing has changed, and it may be tried again.
 */
export class FenceUnavailableError extends UnstaleError {
  static override readonly [brand]: string = 'FENCE_UNAVAILABLE';
  override name = 'FenceUnavailableError';
  /** What would have been fenced; empty for a statement that nothing can be put before. */
  readonly tags: readonly string[];
  /** @param why - completes "… because" */
  constructor(tags: readonly string[], why: string, options?: ErrorOptions) {
    super(
      'FENCE_UNAVAILABLE',
      `Nothing was committed, because ${why}. Under \`strict: true\` what is written is fenced before its COMMIT${tags.length === 0 ? '. Run it by a client that is not wrapped' : `: here ${list(tags)}. Try again`}, or choose \`onFenceUnavailable: 'degrade'\`.`,
      options,
    );
    this.tags = tags;
  }
}

/** `crashSafe: 'outbox'`, and the database has no outbox that the writer may write into. The write was rolled back. */
export class OutboxUnavailableError extends UnstaleError {
  static override readonly [brand]: string = 'OUTBOX_UNAVAILABLE';
  override name = 'OutboxUnavailableError';
  /**
   * @param sql - what makes the outbox
   * @param options - `cause`: what the database said
   */
  constructor(sql: string, options: ErrorOptions) {
    super(
      'OUTBOX_UNAVAILABLE',
      `The outbox of \`crashSafe: 'outbox'\` cannot be used (${messageOf(options.cause)}), so nothing is committed that it should guard. Migrate the database by outboxSql(…).up, and allow SELECT, INSERT, UPDATE and DELETE on it:\n${sql}`,
      options,
    );
  }
}

/** A load took longer than its hard time-out; its `signal` was aborted. */
export class LoadTimeoutError extends UnstaleError {
  static override readonly [brand]: string = 'LOAD_TIMEOUT';
  override name = 'LoadTimeoutError';
  constructor(key: string, after: number) {
    super(
      'LOAD_TIMEOUT',
      `The load of ${key} took longer than ${after} ms. Raise \`timeout\`, or end the work when \`signal\` is aborted.`,
    );
  }
}

/** The store did not answer, or is not trusted at the moment. Reads turn to the database; you meet it as a `cause`. */
export class StoreUnavailableError extends UnstaleError {
  static override readonly [brand]: string = 'STORE_UNAVAILABLE';
  override name = 'StoreUnavailableError';
  constructor(why: string, options?: ErrorOptions) {
    super('STORE_UNAVAILABLE', `The store is not available: ${why}.`, options);
  }
}

/** `tenancy: 'required'`, and no tenant was named. */
export class TenantMissingError extends UnstaleError {
  static override readonly [brand]: string = 'TENANT_MISSING';
  override name = 'TenantMissingError';
  constructor(key: string) {
    super(
      'TENANT_MISSING',
      `No tenant for ${key}: \`tenancy\` is 'required', so name one by the \`tenant\` option or by cache.tenant(id).`,
    );
  }
}

/** The cache was closed. */
export class ClosedError extends UnstaleError {
  static override readonly [brand]: string = 'CLOSED';
  override name = 'ClosedError';
  constructor(what: string) {
    super('CLOSED', `${what}: the cache is closed.`);
  }
}

/** The error for a wrong argument: what was expected, and what came. */
export function expected(what: string, toBe: string, got: unknown): TypeError {
  return new TypeError(`Expected \`${what}\` to be ${toBe}, got ${describe(got)}`);
}

/** A value as an error names it: short, with its type, and never a secret's whole text. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string')
    return `${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)} (string)`;
  if (typeof value === 'number' || typeof value === 'bigint') return `${value} (${typeof value})`;
  if (typeof value === 'function') return `${value.name || 'an anonymous function'} (function)`;
  if (typeof value === 'symbol') return 'a symbol';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name = (value as object).constructor?.name;
  return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : describe(error);
}

function list(tags: readonly string[]): string {
  const some = tags
    .slice(0, 5)
    .map((tag) => `'${tag}'`)
    .join(', ');
  return tags.length > 5 ? `${some} and ${tags.length - 5} more` : some;
}
