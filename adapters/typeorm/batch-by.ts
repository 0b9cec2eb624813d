import {
  type BatchByOptions,
  type ById,
  type Client,
  clientIn,
  expected,
  batchBy as inBatches,
  type RowsBy,
} from '../../src/adapter/index.js';

/** A repository, as far as its type is needed. */
export interface RepositoryLike<Entity> {
  readonly manager: object;
  find(options?: any): Promise<Entity[]>;
}

/**
 * The entities of a repository by a column: all values that are asked for in one tick are one query, and each value's
 * entities are an entry of their own. Of a transaction nothing is served and stored, and it is one query all the same.
 *
 * @param column - a property that is a column
 * @throws TypeError for what is no repository of a wrapped data source that is initialized, and for what is no column
 * @example
 * ```ts
 * import type { Repository } from 'typeorm';
 * import { batchBy } from 'unstale/typeorm';
 *
 * const lists = (replies: Repository<Reply>) => {
 *   const repliesTo = batchBy(replies, 'post_id');
 *   return Promise.all(posts.map((post) => repliesTo(post.id)));
 * };
 * ```
 */
export function batchBy<
  Entity extends object,
  const Column extends keyof Entity & string,
  const O extends BatchByOptions = object,
>(
  repository: RepositoryLike<Entity>,
  column: Column,
  options?: O,
): ById<NonNullable<Entity[Column]>, RowsBy<Entity, O>> {
  const { metadata, manager } = (repository ?? {}) as any;
  if (metadata === undefined) throw expected('repository', 'a repository of TypeORM', repository);
  if (metadata.findColumnWithPropertyName(column) === undefined)
    throw expected('column', `a column of ${metadata.name}`, column);
  const dataSource: { readonly [clientIn]?: Client<any> } = metadata.connection ?? metadata.dataSource;
  const find = (ids: readonly unknown[]) =>
    // What `find` does, with an `IN` that needs nothing of TypeORM's module.
    (repository as any)
      .createQueryBuilder(metadata.name)
      .setFindOptions({})
      .andWhere(`${metadata.name}.${column} IN (:...ids)`, { ids });
  return inBatches(
    {
      client: dataSource[clientIn],
      of: 'repository',
      ...{ sql: `${metadata.tablePath} ${metadata.name}`, params: [], column },
      past: manager.queryRunner === undefined ? undefined : 'inside a transaction',
      load: (ids) => find(ids).getMany(),
    },
    options,
  );
}
