/**
 * The kit for adapters: what somebody needs who writes a store or wraps a database client, besides the public face.
 */
export type { Clock } from '../core/clock.js';
export { systemClock } from '../core/clock.js';
export { type Duration, parseDuration } from '../core/duration.js';
export { describe, expected, StoreUnavailableError } from '../core/errors.js';
export type {
  Lease,
  Store,
  StoreContext,
  StoreEvent,
  StoreListener,
  StoreRead,
  StoreSession,
  Version,
} from '../core/store.js';
export { warnOnce } from '../core/warn.js';
export { escapeTag } from '../values/index.js';
