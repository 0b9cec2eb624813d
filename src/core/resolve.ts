import { type Checked, checkTags } from './dependency.js';
import { parseDuration } from './duration.js';
import { describe, expected } from './errors.js';
import {
  type CacheOptions,
  type CacheSettings,
  defaults,
  type ReadOptions,
  type ReadSettings,
  type Timing,
} from './options.js';

/**
 * From what a caller wrote to what the cache works with: every option is checked, completed and frozen here, once,
 * where it is written down. The caller's own object is never changed.
 */

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
    'audit',
    'maxStale',
    'strict',
    'onFenceUnavailable',
    'crashSafe',
  ],
  ...[
    'onUnacknowledged',
    'ackTimeout',
    'tenant',
    'tenancy',
    'copy',
    'memory',
    'stats',
    'vary',
    'types',
    'tags',
    'onUnkeyable',
    'onUnstorable',
    'clock',
  ],
];

/** Of `set`, whose tags are its snapshot's. */
export const setNames = ['ttl', 'swr', 'staleOnError', 'jitter', 'timeout', 'negativeTtl', 'since'];
/** Of a wrapped function. */
export const wrapNames = [
  ...['name', 'key', 'version', 'tagsOf', 'when'],
  ...readNames.filter((name) => name !== 'fresh'),
];

/**
 * Checks and completes the options of a cache. The caller's object is left as it is.
 *
 * @throws TypeError naming the option, what was expected and what came
 */
export function resolveCacheOptions(o: CacheOptions): CacheSettings {
  if (typeof o !== 'object' || o === null) throw expected('options', 'an object', o);
  refuseUnknown(o, cacheNames, 'createCache');
  if (o.store !== undefined && typeof o.store?.open !== 'function')
    throw expected('store', "a store, such as redisStore('redis://localhost') from 'unstale/redis'", o.store);
  const name = o.name ?? defaults.name;
  if (typeof name !== 'string' || !/^[\w.-]{1,100}$/.test(name))
    throw expected('name', "1 to 100 letters, digits, '_', '.' or '-'", name);
  const mode = o.mode ?? defaults.mode;
  if (typeof mode !== 'function') oneOf('mode', ['on', 'bypass', 'shadow'], mode);
  const audit = o.audit ?? defaults.audit;
  if (typeof audit !== 'number' || !(audit >= 0 && audit <= 1)) throw expected('audit', 'a number from 0 to 1', audit);
  const version = o.version ?? defaults.version;
  if (typeof version !== 'string' && typeof version !== 'number')
    throw expected('version', 'a string or a number', version);
  if (o.clock !== undefined && (typeof o.clock?.now !== 'function' || typeof o.clock.after !== 'function'))
    throw expected('clock', "a clock, such as fakeClock() from 'unstale/testing'", o.clock);
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
    audit,
    strict: resolveStrict(o),
    onFenceUnavailable: oneOf(
      'onFenceUnavailable',
      ['refuse', 'degrade'],
      o.onFenceUnavailable ?? defaults.onFenceUnavailable,
    ),
    outbox: resolveOutbox(o),
    onUnacknowledged: oneOf('onUnacknowledged', ['report', 'throw'], o.onUnacknowledged ?? defaults.onUnacknowledged),
    ackTimeout: parseDuration('ackTimeout', o.ackTimeout ?? defaults.ackTimeout),
    tenant: o.tenant,
    tenancy: oneOf('tenancy', ['optional', 'required'], o.tenancy ?? defaults.tenancy),
    memory,
    stats: resolveStats(o.stats),
    vary: o.vary,
    types: o.types ?? [],
    onUnkeyable: oneOf('onUnkeyable', ['bypass', 'throw'], o.onUnkeyable ?? defaults.onUnkeyable),
    onUnstorable: oneOf('onUnstorable', ['bypass', 'throw'], o.onUnstorable ?? defaults.onUnstorable),
    clock: o.clock,
    read: resolveTimed(
      {
        ...pick(
          o,
          readNames.filter((name) => name !== 'tags'),
        ),
      },
      baseRead,
      undefined,
    ),
  });
}

/**
 * Checks and completes the options of a read, over those of its cache.
 *
 * @throws TypeError naming the option, what was expected and what came
 */
export function resolveReadOptions(o: ReadOptions, base: ReadSettings): ReadSettings {
  refuseUnknown(o, readNames, 'a read');
  return resolveTimed(o, base, base.maxStale);
}

/** The same settings with other tags. Written out: a spread would give each its own hidden class, and slow all readers. */
export function withTags(of: ReadSettings, tags: readonly Checked[]): ReadSettings {
  return {
    ttl: of.ttl,
    swr: of.swr,
    staleOnError: of.staleOnError,
    jitter: of.jitter,
    soft: of.soft,
    hard: of.hard,
    negativeTtl: of.negativeTtl,
    maxStale: of.maxStale,
    tolerate: of.tolerate,
    copy: of.copy,
    tags,
  };
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
  tags: undefined,
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
  refuseUnknown(timeout, ['soft', 'hard'], 'timeout');
  return {
    soft: timeout.soft === undefined ? base.soft : parseDuration('timeout.soft', timeout.soft),
    hard: timeout.hard === undefined ? base.hard : parseDuration('timeout.hard', timeout.hard),
  };
}

function resolveOutbox({ crashSafe, store }: CacheOptions): number | undefined {
  if (crashSafe === undefined) return undefined;
  const { outbox } = crashSafe === 'outbox' ? { outbox: {} } : Object(crashSafe);
  if (typeof outbox !== 'object' || outbox === null)
    throw expected('crashSafe', "'outbox' or { outbox: { interval } }", crashSafe);
  if (crashSafe !== 'outbox') refuseUnknown(crashSafe, ['outbox'], 'crashSafe');
  refuseUnknown(outbox, ['interval'], 'crashSafe.outbox');
  const given = outbox.interval ?? defaults.interval;
  const interval = parseDuration('crashSafe.outbox.interval', given);
  if (!(interval >= 100 && Number.isFinite(interval)))
    throw expected('crashSafe.outbox.interval', 'at least 100 ms and not for ever', given);
  // Memory goes with its process: nothing in it can be stale afterwards.
  return store === undefined ? undefined : interval;
}

function resolveStrict({ strict = defaults.strict, store, maxStale = defaults.maxStale }: CacheOptions): boolean {
  if (typeof strict !== 'boolean') throw expected('strict', 'true or false', strict);
  if (!strict) return false;
  if (store === undefined)
    throw new TypeError('Expected a `store` beside `strict: true`, got none: it is the place where writers fence tags');
  if (parseDuration('maxStale', maxStale) > 0)
    throw new TypeError(
      `Expected \`maxStale\` to be 0 beside \`strict: true\`, got ${describe(maxStale)}: memory that may be stale does not hear of a fence in time`,
    );
  return true;
}

function resolveMemory(memory: CacheOptions['memory']): CacheSettings['memory'] {
  if (memory === false) return undefined;
  if (memory !== undefined && (typeof memory !== 'object' || memory === null))
    throw expected('memory', 'false or { maxEntries, maxBytes, tenantShare }', memory);
  refuseUnknown(memory ?? {}, ['maxEntries', 'maxBytes', 'tenantShare'], 'memory');
  const maxEntries = memory?.maxEntries ?? defaults.maxEntries;
  if (!Number.isInteger(maxEntries) || maxEntries < 1)
    throw expected('memory.maxEntries', 'a whole number of at least 1', maxEntries);
  const tenantShare = memory?.tenantShare ?? defaults.tenantShare;
  if (typeof tenantShare !== 'number' || !(tenantShare > 0 && tenantShare <= 1))
    throw expected('memory.tenantShare', 'a number above 0 and at most 1', tenantShare);
  return { maxEntries, maxBytes: parseBytes(memory?.maxBytes ?? defaults.maxBytes), tenantShare };
}

function resolveStats(stats: CacheOptions['stats']): CacheSettings['stats'] {
  if (stats !== undefined && (typeof stats !== 'object' || stats === null))
    throw expected('stats', '{ tags, tenants }', stats);
  refuseUnknown(stats ?? {}, ['tags', 'tenants'], 'stats');
  const { tags = false, tenants = false } = stats ?? {};
  for (const [what, on] of Object.entries({ tags, tenants }))
    if (typeof on !== 'boolean') throw expected(`stats.${what}`, 'true or false', on);
  return Object.freeze({ tags, tenants });
}

const units = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

function parseBytes(size: unknown): number {
  if (typeof size === 'number' && Number.isInteger(size) && size >= 1) return size;
  const match = typeof size === 'string' ? /^(\d+(?:\.\d+)?)(kb|mb|gb)$/.exec(size) : null;
  if (match) return Math.max(1, Math.floor(Number(match[1]) * units[match[2] as keyof typeof units]));
  throw expected('memory.maxBytes', "a whole number of bytes of at least 1, or text such as '64mb'", size);
}

function oneOf<const T extends string>(what: string, allowed: readonly T[], got: unknown): T {
  if (allowed.includes(got as T)) return got as T;
  throw expected(what, allowed.map((one) => `'${one}'`).join(' or '), got);
}

function aFunction(what: string, got: unknown): void {
  if (got !== undefined && typeof got !== 'function') throw expected(what, 'a function', got);
}

/** A misspelt option would be a promise that nobody keeps. */
export function refuseUnknown(o: object, known: readonly string[], of: string): void {
  for (const name of Object.keys(o))
    if (!known.includes(name))
      throw new TypeError(`Unknown option \`${name}\` of ${of}; there are ${known.join(', ')}`);
}

function pick(o: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(o).filter(([name, value]) => names.includes(name) && value !== undefined));
}
