/**
 * The kit for adapters: what somebody needs who writes a store or wraps a database client, besides the public face.
 */
export type { Clock } from '../core/clock.js';
export { systemClock } from '../core/clock.js';
export { type Duration, parseDuration } from '../core/duration.js';
export { describe, expected, StoreUnavailableError } from '../core/errors.js';
export { notConnected } from '../core/not-connected.js';
export type { Attached, Outcome, Unit } from '../core/port.js';
export {
  type Lease,
  type Store,
  type StoreContext,
  type StoreEvent,
  type StoreListener,
  type StoreRead,
  type StoreSession,
  type Version,
  whyUnlike,
} from '../core/store.js';
export { warnOnce } from '../core/warn.js';
export type { Dialect } from '../sql/index.js';
export { escapeTag } from '../values/index.js';
export { type Answers, answersOf, asRows, type Parsers } from './answers.js';
export { Around } from './around.js';
export { asks } from './asks.js';
export { type BatchByOptions, type BatchQuery, type ById, batchBy, type RowsBy } from './batch-by.js';
export { cached } from './cached.js';
export { type Client, type ClientOptions, clientIn, openClient } from './client.js';
export type { Driver } from './driver.js';
export { type PackedRows, packRows, unpackRows } from './intervals.js';
export type { MappedClass, Part } from './mapped.js';
export type { FunctionRule, Per, PerOptions, TableRule, WrapOptions } from './options.js';
export { type ConnectionSettings, type Place, placeOf } from './place.js';
export type { Form, ReadStatement } from './read-through.js';
export type { ReadResult } from './results.js';
export type { OpenStatement, Session } from './session.js';
export { streamed } from './streamed.js';
export { ofTexts, type Path, type Texts, toTexts } from './texts.js';
export type { Together } from './together.js';
export { type TreeDialect, type TreeQuery, treeQuery } from './tree-query.js';
export type { Ask, Params, Row } from './types.js';
export { noted, replace, takenBackBy, unwrapOnce, type Wrapping, wrapOnce } from './wrapping.js';
