/**
 * unstale: the query cache that does not serve stale rows.
 *
 * @packageDocumentation
 */
export type { Cache } from './cache.js';
export type { AuditCounts } from './core/audits.js';
export type { Clock } from './core/clock.js';
export type { Dependency, What } from './core/dependency.js';
export type { Derivable } from './core/derivable.js';
export type { Duration, Unit } from './core/duration.js';
export {
  ClosedError,
  CommitUnknownError,
  FenceUnavailableError,
  InvalidationPendingError,
  LoadTimeoutError,
  OutboxUnavailableError,
  StoreUnavailableError,
  TenantMissingError,
  UnstaleError,
} from './core/errors.js';
export type { CacheEvents, Marks } from './core/events.js';
export type { Explanation } from './core/explain.js';
export type { CacheStats, CoreCache, Read, ReadMany } from './core/face.js';
export type {
  AllDerivable,
  AsyncFn,
  CachedFunction,
  FnBase,
  FunctionOptions,
  Handles,
  InvalidatesOptions,
  KeyOf,
  KeyRule,
  MethodDecorator,
  MethodOptions,
  NeedsKey,
  NeedsOneParameter,
} from './core/functions.js';
export type { CacheOptions, Copy, LoadContext, Mode, OutboxOptions, ReadOptions, Timing } from './core/options.js';
export type { Cached, Traced } from './core/outcome.js';
export type { Receipt } from './core/receipt.js';
export type { Snapshot } from './core/snapshot.js';
export type { CountedBy, Counts } from './core/stats.js';
export type {
  Lease,
  Store,
  StoreContext,
  StoreEvent,
  StoreListener,
  StoreRead,
  StoreSession,
  Version,
} from './core/store.js';
export { createCache } from './create-cache.js';
export { type FenceSql, fenceSql } from './fence-sql.js';
export { type OutboxSql, outboxSql } from './outbox-sql.js';
export type { Batch, BatchOptions, LoadRows, LoadValues, OrError } from './structures/batch/types.js';
export {
  type ColumnsOf,
  type Depth,
  type Node,
  type Step,
  type Tree,
  type TreeContext,
  TreeCycleError,
  type TreeLoad,
  type TreeOptions,
} from './structures/tree/index.js';
export type { Warmed } from './structures/warm/cycle.js';
export type { Warm } from './structures/warm/index.js';
export type { NameCall, WarmCall, WarmContext, WarmOptions } from './structures/warm/options.js';
export type { WarmState } from './structures/warm/warmer.js';
export { type TableRows, table } from './table.js';
export { type SharedLoader, type TrackedOptions, tracked } from './tracked.js';
export { type Atom, type Key, type KeyPart, type TypeRule, UnkeyableError, UnstorableError } from './values/index.js';
export { cacheOf, invalidates, type WithCacheGiven, withCache } from './with-cache.js';
