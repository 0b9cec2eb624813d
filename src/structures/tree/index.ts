import type { View } from '../../core/view.js';
import { type AnyOptions, define } from './definition.js';
import { CachedTree } from './tree.js';

/** @throws TypeError for wrong options, or a name that is taken */
export function createTree(view: View, name: string, options: object): CachedTree {
  const definition = define(view, name, options as AnyOptions);
  view.claim(`tree ${name}`, definition);
  return new CachedTree(view, definition);
}

export { TreeCycleError } from './cycle.js';
export type { ColumnsOf, Depth, Node, Step, Tree, TreeContext, TreeLoad, TreeOptions } from './types.js';
