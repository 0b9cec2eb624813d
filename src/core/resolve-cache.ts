import { aFunction, namesOf, oneOf, refuseUnknown } from './check.js';
import { parseDuration } from './duration.js';
import { describe, expected } from './errors.js';
import { type CacheOptions, type CacheSettings, defaults, type OutboxOptions } from './options.js';
import { baseRead, resolveTimed, timing } from './resolve.js';

/**
 * The options of a whole cache: checked, completed and frozen once, when it is created. What would contradict itself (no
 * place to keep anything, `strict` over a memory that may be stale) is refused here, so that nobody below has to ask.
 */

const cacheNames = namesOf<CacheOptions>({
  ...timing,
  store: true,
  name: true,
  version: true,
  mode: true,
  audit: true,
  maxStale: true,
  strict: true,
  onFenceUnavailable: true,
  crashSafe: true,
  onUnacknowledged: true,
  ackTimeout: true,
  tenant: true,
  tenancy: true,
  copy: true,
  memory: true,
  stats: true,
  vary: true,
  types: true,
  tags: true,
  onUnkeyable: true,
  onUnstorable: true,
  clock: true,
});
const memoryNames = namesOf<Extract<CacheOptions['memory'], object>>({
  maxEntries: true,
  maxBytes: true,
  tenantShare: true,
});
const statsNames = namesOf<NonNullable<CacheOptions['stats']>>({ tags: true, tenants: true });
const crashSafeNames = namesOf<Extract<CacheOptions['crashSafe'], object>>({ outbox: true });
const outboxNames = namesOf<OutboxOptions>({ interval: true });

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
  // These tags are a type, and no value's.
  const { tags: _, ...read } = o;
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
    read: resolveTimed(read, baseRead, undefined),
  });
}

function resolveOutbox({ crashSafe, store }: CacheOptions): number | undefined {
  if (crashSafe === undefined) return undefined;
  const { outbox } = crashSafe === 'outbox' ? { outbox: {} } : Object(crashSafe);
  if (typeof outbox !== 'object' || outbox === null)
    throw expected('crashSafe', "'outbox' or { outbox: { interval } }", crashSafe);
  if (crashSafe !== 'outbox') refuseUnknown(crashSafe, crashSafeNames, 'crashSafe');
  refuseUnknown(outbox, outboxNames, 'crashSafe.outbox');
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
  refuseUnknown(memory ?? {}, memoryNames, 'memory');
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
  refuseUnknown(stats ?? {}, statsNames, 'stats');
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
