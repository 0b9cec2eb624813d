import { fenceGuard } from './fence/guard.js';
import type { Guard, Guarding } from './guard.js';
import { outboxGuard } from './outbox/guard.js';

/** The guards that the options of the cache ask for; an outbox before a fence, which is to be the last. */
export function guardsOf(of: Guarding): readonly Guard[] {
  return [outboxGuard(of), fenceGuard(of)].filter((guard) => guard !== undefined);
}
