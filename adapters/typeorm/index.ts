/**
 * The cache for TypeORM: reads of its repositories and query builders from the cache, invalidation by every statement
 * that it sends.
 *
 * @packageDocumentation
 */
import { expected, unwrapOnce, type WrapOptions, wrapOnce } from '../../src/adapter/index.js';
import { wrapDataSource } from './data-source.js';
import type { DataSource, DataSourceLike } from './internals.js';

export type { BatchByOptions, ById } from '../../src/adapter/index.js';
export { cached, type Per, type PerOptions, type TableRule, type WrapOptions } from '../../src/adapter/index.js';
export { batchBy, type RepositoryLike } from './batch-by.js';
export type { DataSourceLike } from './internals.js';

/**
 * Wraps a data source of TypeORM 1 or 0.3, initialized or not: every statement that it sends is seen, whether it is of
 * a repository, a query builder, a query runner or a migration. Writes end what they change in the cache when they are
 * committed, and loads of the cache depend on what they read. Queries with `cache`, that run inside of
 * `cached('1m', fn)`, or for which the options say so, come from the cache.
 *
 * The data source itself is changed, and given back; its repositories stay what they are. Another one of the same
 * database is not seen.
 *
 * @throws TypeError for what is no data source, for a database that cannot be read, for wrong options, and for a data
 * source that is wrapped with other options already, or has a cache of TypeORM's
 * @example
 * ```ts
 * import { DataSource } from 'typeorm';
 * import { createCache } from 'unstale';
 * import { withCache } from 'unstale/typeorm';
 *
 * const dataSource = withCache(new DataSource({ type: 'postgres', database: 'app' }), { cache: createCache() });
 * const user = await dataSource.getRepository('users').findOne({ where: { id: 7 }, cache: 60_000 });
 * ```
 */
export function withCache<D extends DataSourceLike>(dataSource: D, options: WrapOptions): D {
  const ds = dataSourceOf(dataSource);
  wrapOnce('typeorm', ds, options, () => wrapDataSource(ds, options));
  return dataSource;
}

/**
 * Gives a wrapped data source its own ways back.
 *
 * @throws TypeError for what is no data source that was wrapped
 */
export function unwrap<D extends DataSourceLike>(dataSource: D): D {
  unwrapOnce('typeorm', dataSourceOf(dataSource), 'dataSource');
  return dataSource;
}

function dataSourceOf(dataSource: any): DataSource {
  if (typeof dataSource?.createQueryRunner === 'function' && dataSource.driver && dataSource.manager) return dataSource;
  throw expected('dataSource', 'a data source of TypeORM: new DataSource({ type, … })', dataSource);
}
