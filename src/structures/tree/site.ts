import type { Ask } from '../../core/ask.js';
import type { Parts } from '../../core/parts.js';
import type { AnyRow, Definition, Marks } from './definition.js';
import type { Forest } from './forest.js';

/** What one read of a tree works with. */
export interface Site {
  readonly parts: Parts;
  readonly definition: Definition;
  readonly ask: Ask;
  readonly askOf: (part: string) => Ask;
  readonly marks: Marks;
  readonly tenant: string | number | undefined;
  /** How often an undelivered invalidation had been delivered when the read began: versions asked for meanwhile may be older. */
  readonly trustedAgain: number;
  /** What is in memory shall know what the forest has come to depend on. */
  amend(forest: Forest<AnyRow>): void;
}
