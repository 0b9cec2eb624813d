import { describe, expected } from '../../src/adapter/index.js';
import { type Cache, type CacheOptions, createCache } from '../../src/index.js';
import { currentRequest } from './request.js';

/** A cache that the module makes, and closes when the application shuts down: the options of `createCache`. */
export interface MadeCache extends CacheOptions<any> {
  /**
   * The tenant of the request that is being answered, asked at each read: what guards found out is known by then.
   * Given it, `tenancy` is `'required'` unless you say otherwise.
   */
  tenantOf?: (request: any) => string | number | undefined;
}

/** A cache that is there already. Whoever made it closes it. */
export interface GivenCache {
  cache: Cache<any>;
}

/** The cache of a module. */
export type ModuleCache = MadeCache | GivenCache;

/**
 * Refuses what nobody could mean. The options of `createCache` are checked by itself.
 *
 * @throws TypeError
 */
export function checkOptions(o: ModuleCache): void {
  if (typeof o !== 'object' || o === null) throw expected('options', 'an object', o);
  if ('cache' in o) {
    if (typeof o.cache !== 'object' || o.cache === null || !(Symbol.for('unstale.cache') in o.cache))
      throw expected('cache', 'a cache made by createCache()', o.cache);
    const [other] = Object.keys(o).filter((name) => name !== 'cache');
    if (other !== undefined)
      throw new TypeError(
        `\`${other}\` cannot be given beside a \`cache\` that is there already: give it to createCache`,
      );
    return;
  }
  const { tenantOf, tenant } = o;
  if (tenantOf === undefined) return;
  if (typeof tenantOf !== 'function') throw expected('tenantOf', 'a function of the request', tenantOf);
  if (tenant !== undefined) throw new TypeError('Expected `tenantOf` or `tenant`, got both');
}

/** The cache that options ask for. @throws TypeError */
export function cacheOfOptions(o: ModuleCache): Cache<any> {
  checkOptions(o);
  if ('cache' in o) return o.cache;
  const { tenantOf, ...options } = o;
  if (tenantOf === undefined) return createCache(options);
  return createCache({ tenancy: 'required', ...options, tenant: () => tenantOfCurrent(tenantOf) });
}

function tenantOfCurrent(tenantOf: NonNullable<MadeCache['tenantOf']>): string | number | undefined {
  const request = currentRequest();
  if (request === undefined) return undefined;
  const tenant = tenantOf(request);
  if (typeof (tenant as unknown as PromiseLike<unknown> | undefined)?.then === 'function')
    throw new TypeError(
      `Expected \`tenantOf\` to tell the tenant at once, got ${describe(tenant)}: let a guard find it out`,
    );
  return tenant;
}
