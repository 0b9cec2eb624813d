import { type Duration, expected, parseDuration, type Store } from '../../src/adapter/index.js';
import { type RedisTarget, sourceOf } from './connection.js';
import { RedisSession, type SessionOptions } from './session.js';

export type { Address, ClusterInstance, RedisInstance } from './client.js';
export type { RedisTarget } from './connection.js';

/** What can be set about the work with Redis. */
export interface RedisStoreOptions {
  /**
   * How long a command may take. After that its call rejects, and the cache turns to the database. Milliseconds, or
   * text such as `'100ms'`; at least 1.
   *
   * @defaultValue 100
   */
  timeout?: Duration;
  /**
   * How many requests may wait for one node's answer; what is sent together in a tick is one. Beyond that calls reject
   * at once: a Redis that has become slow must not collect the process's work. At least 1.
   *
   * @defaultValue 1000
   */
  maxInFlight?: number;
  /**
   * The largest entry that is kept in Redis, in bytes. Larger ones are kept in memory only. At least 0.
   *
   * @defaultValue 1_048_576
   */
  maxEntryBytes?: number;
  /**
   * How many bytes of entries may wait for Redis or be on their way to it. Beyond that entries are not kept there. At
   * least 0.
   *
   * @defaultValue 16_777_216
   */
  maxQueuedBytes?: number;
}

const defaults: SessionOptions = {
  timeout: 100,
  maxInFlight: 1000,
  maxEntryBytes: 1_048_576,
  maxQueuedBytes: 16_777_216,
};

/**
 * A store that several processes share: Redis 6.2 or Valkey 7.2 and later, alone, behind Sentinel, or as a Cluster,
 * through ioredis 5 or 6.
 *
 * An instance of ioredis is only looked at. The store makes connections of its own with the instance's address and
 * credentials, and with its own ways of waiting; it neither uses nor closes yours. Nothing is connected before a cache
 * opens the store, and a server that is down is no error: until it can be reached, the cache works without it.
 *
 * @param target - a URL (`redis://` or `rediss://`), options of ioredis, or an instance of its `Redis` or `Cluster`
 * @throws TypeError when `target` is none of these, when it has a `keyPrefix`, or when an option is out of range
 * @example
 * ```ts
 * import { createCache } from 'unstale';
 * import { redisStore } from 'unstale/redis';
 *
 * const cache = createCache({ store: redisStore('redis://localhost:6379') });
 * ```
 */
export function redisStore(target: RedisTarget, options: RedisStoreOptions = {}): Store {
  const resolved = resolveOptions(options);
  const source = sourceOf(target);
  return {
    kind: 'redis',
    open: (context) => new RedisSession(source, resolved, context),
  };
}

function resolveOptions(options: RedisStoreOptions): SessionOptions {
  for (const name of Object.keys(options))
    if (!(name in defaults))
      throw new TypeError(`Expected an option of redisStore (${Object.keys(defaults).join(', ')}), got \`${name}\``);
  const timeout = parseDuration('timeout', options.timeout ?? defaults.timeout);
  if (timeout < 1 || !Number.isFinite(timeout)) throw expected('timeout', 'at least 1 ms', options.timeout);
  return Object.freeze({
    timeout,
    maxInFlight: whole('maxInFlight', options.maxInFlight ?? defaults.maxInFlight, 1),
    maxEntryBytes: whole('maxEntryBytes', options.maxEntryBytes ?? defaults.maxEntryBytes, 0),
    maxQueuedBytes: whole('maxQueuedBytes', options.maxQueuedBytes ?? defaults.maxQueuedBytes, 0),
  });
}

function whole(name: string, value: unknown, min: number): number {
  if (typeof value === 'number' && value >= min && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))
    return value;
  throw expected(name, `a whole number of at least ${min}`, value);
}
