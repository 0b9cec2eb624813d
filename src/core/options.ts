import type { KeyPart, TypeRule } from '../values/index.js';
import type { Clock } from './clock.js';
import { type Duration, parseDuration } from './duration.js';
import { expected } from './errors.js';
import type { Store } from './store.js';

/** `on`; `bypass`: nothing is served or stored, invalidations are still sent; `shadow`: loads always, and compares. */
export type Mode = 'on' | 'bypass' | 'shadow';

/** How a value is protected from those who change what they got. */
export type Copy = 'frozen' | 'clone' | 'reference';

/** About the age of values. */
export interface Timing {
  /** How long a value counts as fresh. Milliseconds, or text such as `'5m'`. @defaultValue 60_000 */
  ttl?: Duration;
  /** How long after that it may be served while one load in the background replaces it. @defaultValue 0 */
  swr?: Duration;
  /** How long after `ttl` it may be served when the load fails. @defaultValue 0 */
  staleOnError?: Duration;
  /** Shortens each value's life by a random share up to this one, 0 to 1, so that values do not end together. @defaultValue 0.1 */
  jitter?: number;
  /**
   * When to stop waiting for a load. `hard` (a plain duration means this one) rejects with `LoadTimeoutError` and aborts
   * the load's `signal`; `soft` answers with an aged value while the load goes on. @defaultValue \{ hard: 60_000 \}
   */
  timeout?: Duration | { soft?: Duration; hard?: Duration };
  /** `ttl` of `null` and `undefined`. @defaultValue `ttl` */
  negativeTtl?: Duration;
}

/** What a single read may say. */
export interface ReadOptions<Tag extends string = string> extends Timing {
  /** What the value depends on, beside what the load reports by itself. Known before the load runs. */
  tags?: readonly Tag[];
  /** How stale this process's memory may be against invalidations by other processes; at most the cache's. @defaultValue 0 */
  maxStale?: Duration;
  /** Accept a value although it was invalidated, up to this age. @defaultValue 0 */
  tolerate?: Duration;
  /** Load now, whatever is stored, and store the result. @defaultValue false */
  fresh?: boolean;
  /** `frozen`: everybody gets the same unchangeable value; `clone`: a private copy each; `reference`: as loaded. @defaultValue 'frozen' */
  copy?: Copy;
}

/** What a load can say about its value while it runs. */
export interface LoadContext<Tag extends string = string> {
  /** Aborted when the load has taken too long or the cache is closed. */
  readonly signal: AbortSignal;
  /** Tags found in the data. */
  tag(...tags: Tag[]): void;
  /** This value's `ttl`. */
  ttl(duration: Duration): void;
  /** Hand the value out, and do not store it. */
  skip(reason?: string): void;
}

/** Options of `createCache`. */
export interface CacheOptions<Tag extends string = string> extends Timing {
  /** The place that all processes share, such as `redisStore('redis://localhost')`. Without one, memory alone. */
  store?: Store;
  /** First part of everything in the store; caches of one name share. @defaultValue 'unstale' */
  name?: string;
  /** Of the shape of values, for rolling deploys: part of entry keys, never of tags. @defaultValue '' */
  version?: string | number;
  /** @defaultValue 'on' */
  mode?: Mode | (() => Mode);
  /** How stale any process's memory may be. 0: every read contains every write acknowledged before it. @defaultValue 0 */
  maxStale?: Duration;
  /** Not available yet. */
  strict?: boolean;
  /** What a write does that succeeded and whose invalidation is not confirmed in time. @defaultValue 'report' */
  onUnacknowledged?: 'report' | 'throw';
  /** How long an invalidation waits for the store. @defaultValue 1_000 */
  ackTimeout?: Duration;
  /** The tenant of the current request: part of every key, and a tag. */
  tenant?: () => string | number | undefined;
  /** `required`: a read without a tenant is an error. @defaultValue 'optional' */
  tenancy?: 'optional' | 'required';
  /** @defaultValue 'frozen' */
  copy?: Copy;
  /** Bounds of this process's memory; `false`: no values are kept in it. @defaultValue \{ maxEntries: 10_000, maxBytes: '64mb' \} */
  memory?: false | { maxEntries?: number; maxBytes?: number | `${number}${'kb' | 'mb' | 'gb'}` };
  /** Whatever else the current request's answers depend on (locale, role): part of every key. */
  vary?: () => KeyPart;
  /** Classes whose instances may be stored. */
  // biome-ignore lint/suspicious/noExplicitAny: rules of different classes stand in one list
  types?: readonly TypeRule<any>[];
  /** Type only: the tags there are, `tags: [] as ('users' | 'teams')[]`. */
  tags?: readonly Tag[];
  /** What a call does whose arguments cannot become a key. @defaultValue 'bypass' */
  onUnkeyable?: 'bypass' | 'throw';
  /** What a load does whose value cannot be stored. @defaultValue 'bypass' */
  onUnstorable?: 'bypass' | 'throw';
  /** The time, for tests: `fakeClock()` from `unstale/testing`. @defaultValue the system's */
  clock?: Clock;
}

/** The table of defaults: the only place where they stand as values. */
export const defaults = Object.freeze({
  ttl: 60_000,
  swr: 0,
  staleOnError: 0,
  jitter: 0.1,
  hard: 60_000,
  maxStale: 0,
  tolerate: 0,
  copy: 'frozen' as Copy,
  name: 'unstale',
  version: '',
  mode: 'on' as Mode,
  onUnacknowledged: 'report',
  ackTimeout: 1000,
  tenancy: 'optional',
  maxEntries: 10_000,
  maxBytes: 64 * 2 ** 20,
  onUnkeyable: 'bypass',
  onUnstorable: 'bypass',
} as const);

/** A read's options, checked and complete. */
export interface ReadSettings {
  readonly ttl: number;
  readonly swr: number;
  readonly staleOnError: number;
  readonly jitter: number;
  readonly soft: number | undefined;
  readonly hard: number;
  readonly negativeTtl: number | undefined;
  readonly maxStale: number;
  readonly tolerate: number;
  readonly copy: Copy;
  readonly tags: readonly string[];
}

/** A cache's options, checked and complete. */
export interface CacheSettings {
  readonly store: Store | undefined;
  readonly name: string;
  readonly version: string;
  readonly mode: Mode | (() => Mode);
  readonly onUnacknowledged: 'report' | 'throw';
  readonly ackTimeout: number;
  readonly tenant: (() => string | number | undefined) | undefined;
  readonly tenancy: 'optional' | 'required';
  readonly memory: { readonly maxEntries: number; readonly maxBytes: number } | undefined;
  readonly vary: (() => KeyPart) | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: rules of different classes stand in one list
  readonly types: readonly TypeRule<any>[];
  readonly onUnkeyable: 'bypass' | 'throw';
  readonly onUnstorable: 'bypass' | 'throw';
  readonly clock: Clock | undefined;
  readonly read: ReadSettings;
}

const readNames = [
  'ttl',
  'swr',
  'staleOnError',
  'jitter',
  'timeout',
  'negativeTtl',
  'tags',
  'maxStale',
  'tolerate',
  'fresh',
  'copy',
];
const cacheNames = [
  ...[
    'ttl',
    'swr',
    'staleOnError',
    'jitter',
    'timeout',
    'negativeTtl',
    'store',
    'name',
    'version',
    'mode',
    'maxStale',
    'strict',
  ],
  ...[
    'onUnacknowledged',
    'ackTimeout',
    'tenant',
    'tenancy',
    'copy',
    'memory',
    'vary',
    'types',
    'tags',
    'onUnkeyable',
    'onUnstorable',
    'clock',
  ],
];

/**
 * Checks and completes the options of a cache. The caller's object is left as it is.
 *
 * @throws TypeError naming the option, what was expected and what came
 */
export function resolveCacheOptions(o: CacheOptions): CacheSettings {
  if (typeof o !== 'object' || o === null) throw expected('options', 'an object', o);
  refuseUnknown(o, cacheNames, 'createCache');
  if (o.strict) throw new TypeError('`strict: true` is not available in this version');
  if (o.store !== undefined && typeof o.store?.open !== 'function')
    throw expected('store', "a store, such as redisStore('redis://localhost') from 'unstale/redis'", o.store);
  const name = o.name ?? defaults.name;
  if (typeof name !== 'string' || !/^[\w.-]{1,100}$/.test(name))
    throw expected('name', "1 to 100 letters, digits, '_', '.' or '-'", name);
  const mode = o.mode ?? defaults.mode;
  if (typeof mode !== 'function') oneOf('mode', ['on', 'bypass', 'shadow'], mode);
  const version = o.version ?? defaults.version;
  if (typeof version !== 'string' && typeof version !== 'number')
    throw expected('version', 'a string or a number', version);
  aFunction('tenant', o.tenant);
  aFunction('vary', o.vary);
  if (o.types !== undefined && !Array.isArray(o.types)) throw expected('types', 'a list of type rules', o.types);
  const memory = resolveMemory(o.memory);
  if (memory === undefined && o.store === undefined)
    throw new TypeError(
      "`memory: false` without a `store` leaves no place to keep anything; give a `store`, or use `mode: 'bypass'`",
    );
  return Object.freeze({
    store: o.store,
    name,
    version: String(version),
    mode,
    onUnacknowledged: oneOf('onUnacknowledged', ['report', 'throw'], o.onUnacknowledged ?? defaults.onUnacknowledged),
    ackTimeout: parseDuration('ackTimeout', o.ackTimeout ?? defaults.ackTimeout),
    tenant: o.tenant,
    tenancy: oneOf('tenancy', ['optional', 'required'], o.tenancy ?? defaults.tenancy),
    memory,
    vary: o.vary,
    types: o.types ?? [],
    onUnkeyable: oneOf('onUnkeyable', ['bypass', 'throw'], o.onUnkeyable ?? defaults.onUnkeyable),
    onUnstorable: oneOf('onUnstorable', ['bypass', 'throw'], o.onUnstorable ?? defaults.onUnstorable),
    clock: o.clock,
    read: resolveTimed({ ...pick(o, readNames), tags: [] }, baseRead, undefined),
  });
}

/**
 * Checks and completes the options of a read, over those of its cache.
 *
 * @throws TypeError naming the option, what was expected and what came
 */
export function resolveReadOptions(o: ReadOptions, base: ReadSettings, also: readonly string[] = []): ReadSettings {
  refuseUnknown(o, [...readNames, ...also], 'a read');
  return resolveTimed(o, base, base.maxStale);
}

const baseRead: ReadSettings = Object.freeze({
  ttl: defaults.ttl,
  swr: defaults.swr,
  staleOnError: defaults.staleOnError,
  jitter: defaults.jitter,
  soft: undefined,
  hard: defaults.hard,
  negativeTtl: undefined,
  maxStale: defaults.maxStale,
  tolerate: defaults.tolerate,
  copy: defaults.copy,
  tags: [],
});

function resolveTimed(o: ReadOptions, base: ReadSettings, mostStale: number | undefined): ReadSettings {
  const duration = (what: keyof ReadOptions, fallback: number) =>
    o[what] === undefined ? fallback : parseDuration(what, o[what]);
  const { soft, hard } = resolveTimeout(o.timeout, base);
  const jitter = o.jitter ?? base.jitter;
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw expected('jitter', 'a number from 0 to 1', jitter);
  const maxStale = duration('maxStale', base.maxStale);
  if (mostStale !== undefined && maxStale > mostStale)
    throw new TypeError(
      `Expected \`maxStale\` of a read to be at most the cache's ${mostStale} ms, got ${maxStale} ms: other processes wait only for the cache's`,
    );
  return Object.freeze({
    ttl: duration('ttl', base.ttl),
    swr: duration('swr', base.swr),
    staleOnError: duration('staleOnError', base.staleOnError),
    jitter,
    soft,
    hard,
    negativeTtl: o.negativeTtl === undefined ? base.negativeTtl : parseDuration('negativeTtl', o.negativeTtl),
    maxStale,
    tolerate: duration('tolerate', base.tolerate),
    copy: oneOf('copy', ['frozen', 'clone', 'reference'], o.copy ?? base.copy),
    tags: o.tags === undefined ? base.tags : checkTags(o.tags),
  });
}

function resolveTimeout(timeout: Timing['timeout'], base: ReadSettings): { soft: number | undefined; hard: number } {
  if (timeout === undefined) return base;
  if (typeof timeout !== 'object' || timeout === null)
    return { soft: base.soft, hard: parseDuration('timeout', timeout) };
  return {
    soft: timeout.soft === undefined ? base.soft : parseDuration('timeout.soft', timeout.soft),
    hard: timeout.hard === undefined ? base.hard : parseDuration('timeout.hard', timeout.hard),
  };
}

function resolveMemory(memory: CacheOptions['memory']): { maxEntries: number; maxBytes: number } | undefined {
  if (memory === false) return undefined;
  if (memory !== undefined && (typeof memory !== 'object' || memory === null))
    throw expected('memory', 'false or { maxEntries, maxBytes }', memory);
  const maxEntries = memory?.maxEntries ?? defaults.maxEntries;
  if (!Number.isInteger(maxEntries) || maxEntries < 1)
    throw expected('memory.maxEntries', 'a whole number of at least 1', maxEntries);
  return { maxEntries, maxBytes: parseBytes(memory?.maxBytes ?? defaults.maxBytes) };
}

const units = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

function parseBytes(size: unknown): number {
  if (typeof size === 'number' && Number.isInteger(size) && size >= 1) return size;
  const match = typeof size === 'string' ? /^(\d+(?:\.\d+)?)(kb|mb|gb)$/.exec(size) : null;
  if (match) return Math.max(1, Math.floor(Number(match[1]) * units[match[2] as keyof typeof units]));
  throw expected('memory.maxBytes', "a whole number of bytes of at least 1, or text such as '64mb'", size);
}

/** @throws TypeError when `tags` is not a list of texts */
export function checkTags(tags: unknown): readonly string[] {
  if (!Array.isArray(tags)) throw expected('tags', 'a list of texts', tags);
  for (const tag of tags)
    if (typeof tag !== 'string' || tag === '') throw expected('tags', 'a list of non-empty texts', tag);
  return tags;
}

function oneOf<const T extends string>(what: string, allowed: readonly T[], got: unknown): T {
  if (allowed.includes(got as T)) return got as T;
  throw expected(what, allowed.map((one) => `'${one}'`).join(' or '), got);
}

function aFunction(what: string, got: unknown): void {
  if (got !== undefined && typeof got !== 'function') throw expected(what, 'a function', got);
}

/** A misspelt option would be a promise that nobody keeps. */
function refuseUnknown(o: object, known: readonly string[], of: string): void {
  for (const name of Object.keys(o))
    if (!known.includes(name))
      throw new TypeError(`Unknown option \`${name}\` of ${of}; there are ${known.join(', ')}`);
}

function pick(o: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(o).filter(([name, value]) => names.includes(name) && value !== undefined));
}
