import { CacheView } from './core/cache.js';
import type { CoreCache } from './core/face.js';

/**
 * A cache. Made by `createCache`; `namespace` and `tenant` give views of the same one.
 *
 * @typeParam Tag - the tags there are; any text unless `tags` of the options narrows it
 */
export interface Cache<Tag extends string = string> extends CoreCache<Tag> {
  namespace(name: string): Cache<Tag>;
  tenant(id: string | number): Cache<Tag>;
}

/** The core's cache, with the structures that people keep in one. */
export class StructuredCache extends CacheView implements Cache {}
