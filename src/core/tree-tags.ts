import type { KeyPart } from '../values/index.js';
import { canonical } from './table-tags.js';

/**
 * The names of a tree's tags, which trees and adapters must agree on.
 *
 * `M`, the tree's mark, is raised by every change of it, and is all that a read asks for while nothing has changed.
 * Beside it a change raises parts: `M#5` for a share of the rows, `M/5` for a share of the lists of children. `M*` is
 * raised by whoever cannot name the parts. Whoever has seen the mark move asks which of the parts did, once. So the
 * parts of a change must be confirmed before its mark is raised: a reader between the two would take the new mark for
 * a sign that it knows all of it.
 */

/** The mark of a tree, or of the trees of a table: `of` is a table's tag or a tree's own name. */
export const treeMark = (of: string) => `${of}!tree`;
/** Raised by changes that cannot name their rows or lists. */
export const treeStar = (mark: string) => `${mark}*`;
export const treeRowTag = (mark: string, bucket: number) => `${mark}#${bucket}`;
export const treeListTag = (mark: string, bucket: number) => `${mark}/${bucket}`;

/** Whether a tag must be confirmed before the mark that belongs to it. */
export function isTreePart(tag: string): boolean {
  return tag.includes('!tree') && /!tree[#/]\d+$/.test(tag);
}

/** So many shares has a tree, of rows and of lists each (`docs/decisions/052-trees.md`). A collision costs a load. */
export const treeBuckets = 1024;

/** The share of a row by its id, or of the list below it; `null` is above the roots. */
export function treeBucket(id: KeyPart): number {
  // Most ids are integers, and those have one form.
  const text = typeof id === 'number' && Number.isSafeInteger(id) ? String(id + 0) : textOf(canonical(id));
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  // The low bits of what multiplication leaves are the poorest.
  return ((hash ^ (hash >>> 15)) >>> 0) % treeBuckets;
}

function textOf(value: KeyPart): string {
  return value === null || value === undefined ? '\u0000' : String(value);
}
