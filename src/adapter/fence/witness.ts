import type { Driver } from '../driver.js';
import type { Ask } from '../types.js';

/** How a database tells whether a transaction is over, whatever has become of the process that began it. */
export interface Witness {
  /** Of the names that it gives. */
  readonly kind: string;
  /**
   * Runs in the transaction, right before its tags are fenced.
   *
   * @param isUsual - whether names mean on that connection what they mean on a new one. @defaultValue true
   * @returns what names it from now on
   */
  sign(ask: Ask, isUsual?: boolean): Promise<string>;
  /** Whether it can commit no more; undefined when that cannot be told here. */
  isOver(borrow: Borrow, name: string): Promise<boolean | undefined>;
  /** Resolves when all have ended that may have signed by now; calls `pause` between two questions. */
  quiet(borrow: Borrow, pause: () => Promise<void>): Promise<void>;
  /** Nobody needs these names any more. Left out: they leave nothing behind. */
  forget?(borrow: Borrow, names: readonly string[]): Promise<void>;
}

export type Borrow = NonNullable<Driver<unknown>['borrow']>;
