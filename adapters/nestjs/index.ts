/**
 * The cache for NestJS: a module that makes it and closes it, decorators that find it in the container, and the request
 * of the moment for tenants.
 *
 * @packageDocumentation
 */
export { InjectCache } from './inject.js';
export {
  type AsyncModuleOptions,
  type ModuleOptions,
  type ModulePlace,
  UnstaleModule,
  type UnstaleModuleDefinition,
} from './module.js';
export { cacheToken } from './names.js';
export type { GivenCache, MadeCache, ModuleCache } from './options.js';
export { currentRequest, withRequest } from './request.js';
export { type CacheName, invalidates, type ProviderMethodDecorator, withCache } from './with-cache.js';
