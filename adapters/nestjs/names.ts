import { expected } from '../../src/adapter/index.js';

/**
 * The token of a cache in the container, for `inject` of a factory.
 *
 * @param as - the name that its module gave it; without one the cache of the module that gave none
 * @throws TypeError for what is no name
 */
export function cacheToken(as?: string): string {
  if (as === undefined) return 'UnstaleCache';
  if (typeof as !== 'string' || as === '') throw expected('as', 'a non-empty text, the name of an injected cache', as);
  return `UnstaleCache:${as}`;
}
