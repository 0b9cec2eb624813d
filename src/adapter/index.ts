/**
 * The kit for adapters: what somebody needs who writes a store or wraps a database client, besides the public face.
 */
export type { Clock } from '../core/clock.js';
export { systemClock } from '../core/clock.js';
export { type Duration, parseDuration } from '../core/duration.js';
export { describe, expected, StoreUnavailableError } from '../core/errors.js';
export type { Attached, Outcome, Unit } from '../core/port.js';
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
export type { Dialect } from '../sql/index.js';
export { escapeTag } from '../values/index.js';
export { cached } from './cached.js';
export { type Client, type ClientOptions, openClient } from './client.js';
export type { Driver } from './driver.js';
export type { FunctionRule, Per, PerOptions, TableRule, WrapOptions } from './options.js';
export { type ConnectionSettings, type Place, placeOf } from './place.js';
export { type PackedRows, type Parsers, packRows, unpackRows } from './postgres-rows.js';
export type { Form, ReadStatement } from './read-through.js';
export type { OpenStatement, Session } from './session.js';
export type { Params, Row } from './types.js';
