import { CacheView } from './core/cache.js';
import type { CoreCache } from './core/face.js';
import { batchOf } from './core/port.js';
import { createBatch, type GivenBatch, openBatch } from './structures/batch/batch.js';
import type { Batch, BatchOptions, LoadRows, LoadValues } from './structures/batch/types.js';
import { createTree, type Tree, type TreeOptions } from './structures/tree/index.js';
import { createWarmer, type Warm } from './structures/warm/index.js';
import type { WarmOptions } from './structures/warm/options.js';

/**
 * A cache. Made by `createCache`; `namespace` and `tenant` give views of the same one.
 *
 * @typeParam Tag - the tags there are; any text unless `tags` of the options narrows it
 */
export interface Cache<Tag extends string = string> extends CoreCache<Tag> {
  namespace(name: string): Cache<Tag>;
  tenant(id: string | number): Cache<Tag>;
  /**
   * Reads of single values that are loaded together: what is asked for in one tick is looked up in one trip, and what is
   * missing takes one load. Each value stays an entry of its own. With `by`, the load answers with rows in any order,
   * each of which says in that column whose it is; an input without one is `null`, or an empty list with `many: true`.
   *
   * @example
   * ```ts
   * const responses = cache.batch({
   *   name: 'responses',
   *   load: (postIds: readonly number[]) => knex('responses').whereIn('post_id', postIds),
   *   by: 'post_id',
   *   many: true,
   * })
   * const lists = await Promise.all(posts.map((post) => responses.load(post.id)))
   * ```
   * @throws TypeError for wrong options, and for a name that is taken
   */
  batch<In, Row extends object, K extends keyof Row & string>(
    o: BatchOptions<In, Tag> & LoadRows<In, Row, K> & { many: true },
  ): Batch<In, Row[]>;
  /** The same with one row at most for each input. */
  batch<In, Row extends object, K extends keyof Row & string>(
    o: BatchOptions<In, Tag> & LoadRows<In, Row, K> & { many?: false },
  ): Batch<In, Row | null>;
  /** The same by a list in the order of the inputs, or by a map; an `Error` in it fails its own input. */
  batch<In, Out>(o: BatchOptions<In, Tag> & LoadValues<In, Out>): Batch<In, Out>;
  /**
   * Rows that name their parents, as a tree: a row, its children, its whole subtree, its ancestors at one look. A change
   * of a row ends what contains it, and nothing beside it.
   *
   * @param name - of the tree; the processes that share it are those whose caches share a store and a name
   * @example
   * ```ts
   * const capabilities = cache.tree('capability', {
   *   rows: () => knex('capabilities').orderBy('name'),
   *   id: 'id',
   *   parent: 'parent_id',
   *   ttl: '1h',
   * })
   * const node = await capabilities.subtree(12)
   * ```
   * @throws TypeError for wrong options, and for a name that is taken
   */
  tree<Row, const I extends keyof Row & string>(name: string, o: TreeOptions<Row, I>): Tree<Row, Row[I]>;
  /** The same where the type of the rows is to be named: `cache.tree<Capability>()('capability', { … })`. */
  tree<Row>(): <const I extends keyof Row & string>(name: string, o: TreeOptions<Row, I>) => Tree<Row, Row[I]>;
  /**
   * Keeps values warm in the background: one process of all works at a time, in cycles that never overlap.
   *
   * @param name - of the work; the processes that share it are those whose caches share a store and a name
   * @example
   * ```ts
   * const getTeam = cache.withCache((id: number) => db.team(id), { name: 'team', ttl: '30m' })
   * const warmer = cache.warm('teams', { every: '10m', keys: (call) => [call(getTeam, 7), call(getTeam, 8)] })
   * ```
   * @throws TypeError for wrong options, and for a name that is taken
   */
  warm(name: string, options: WarmOptions): Warm;
}

/** The core's cache, with the structures that people keep in one. */
export class StructuredCache extends CacheView implements Cache {
  batch(options: object): Batch<any, any> {
    return createBatch(this.view, options as GivenBatch);
  }

  tree(name?: string, options?: object): any {
    if (name === undefined) return (own: string, o: object) => createTree(this.view, own, o);
    return createTree(this.view, name, options as object);
  }

  warm(name: string, options: WarmOptions): Warm {
    return createWarmer(this.view, name, options);
  }

  /** For adapters, which make a batch of each query. */
  [batchOf](options: object): Batch<any, any> {
    return openBatch(this.view, options as GivenBatch);
  }
}
