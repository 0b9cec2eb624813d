/** A change of a table, as a trigger saw it. */
export interface Change {
  readonly schema: string | undefined;
  readonly table: string;
  /**
   * Primary keys, each in the order of its columns, with the tenant of their rows; null where that is no text. Left out:
   * nobody knows which.
   */
  readonly rows?: readonly (readonly [id: readonly (string | null)[], tenant: string | null])[];
}

/** Where changes come from. */
export interface Source {
  /**
   * Begins to tell of changes, until `signal` is aborted. Whatever goes wrong meanwhile it mends by itself.
   *
   * @returns resolves when it has ended
   */
  run(to: Listener, signal: AbortSignal): Promise<void>;
}

export interface Listener {
  /** Resolves when they are made known; rejects when that could not be confirmed. */
  changed(changes: readonly Change[]): Promise<void>;
  /** From here on nothing is missed; before it, anything may have been if `missed`. Resolves as `changed` does. */
  began(missed: boolean): Promise<void>;
  /** Nothing is heard until it begins again. */
  lost(error: unknown): void;
}
