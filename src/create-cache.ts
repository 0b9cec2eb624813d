import { type Cache, StructuredCache } from './cache.js';
import type { CacheOptions } from './core/options.js';
import { createParts } from './core/parts.js';
import { resolveCacheOptions } from './core/resolve-cache.js';

/**
 * A cache. Without options it lives in this process's memory and needs nothing else; with a `store` it is shared.
 *
 * @example
 * ```ts
 * const cache = createCache({ store: redisStore('redis://localhost:6379'), ttl: '5m' })
 * ```
 * @throws TypeError naming the option that is wrong, what was expected and what came
 */
export function createCache<Tag extends string = string>(options: CacheOptions<Tag> = {}): Cache<Tag> {
  return new StructuredCache(createParts(resolveCacheOptions(options))) as Cache<Tag>;
}
