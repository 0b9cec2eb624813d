import type { Claim, Key } from './claims.js';
import type { Row } from './types.js';

/** A part of a table that a write may name: its rows, its tenants, its share of a tree. */
export interface Part {
  /** Raised when nobody knows which. */
  readonly star: string;
  readonly tagOf: (key: Key) => string;
  /** Which, as the statement says itself. */
  readonly claim: Claim | undefined;
  /** Which, as the rows show that it returned. */
  readonly shown: ((rows: readonly Row[]) => readonly Key[] | undefined) | undefined;
}
