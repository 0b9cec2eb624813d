import type { Scope } from '../../core/scope.js';
import type { Version } from '../../core/store.js';
import { rowMark, tenantMark } from '../../core/table-tags.js';

export type Pairs = Iterable<readonly [string, Version]>;

/**
 * What each input depends on, of all that their load has read.
 *
 * A query that asks for the rows of many values names each of them in a tag: `T@1`, `T@2`. When it is the only thing that
 * the load has asked, and the values that it names are those of the inputs, all of them and no others, then the rows of
 * one input were found by its own value, and another value's tag has nothing to do with them. A second query might name
 * the same values and mean others by them (posts 1 and 2 by the authors 2 and 1), so then nothing is left out.
 */
export function pairsOf(scope: Scope, inputs: readonly unknown[]): (input: unknown) => Pairs {
  const all = () => scope.pairs;
  const marked = scope.sources === 1 ? scope.apart.flatMap((tag) => splitMark(tag) ?? []) : [];
  const [{ table, kind }] = marked.length > 0 ? (marked as [Marked]) : [{ table: '', kind: '' }];
  if (marked.length === 0 || marked.some((one) => one.table !== table || one.kind !== kind)) return all;
  const markOf = kind === '#' ? rowMark : tenantMark;
  const own = new Map<unknown, string>();
  for (const input of inputs) {
    if (typeof input !== 'string' && typeof input !== 'number' && typeof input !== 'bigint') return all;
    own.set(input, table + markOf(input));
  }
  const named = new Set(marked.map(({ tag }) => tag));
  const wanted = new Set(own.values());
  if (named.size !== wanted.size || [...named].some((tag) => !wanted.has(tag))) return all;
  const common = [...scope.pairs].filter(([tag]) => !named.has(tag));
  return (input) => {
    const tag = own.get(input) as string;
    const version = scope.pairs.get(tag);
    return version === undefined ? common : [...common, [tag, version] as const];
  };
}

interface Marked {
  readonly tag: string;
  readonly table: string;
  /** `#`: a row by its key; `@`: the rows of a value. */
  readonly kind: string;
}

/** A tag of some rows of a table; undefined for one of all of them. */
function splitMark(tag: string): Marked | undefined {
  const [, table, kind] = /^(table:[^#@!]*)([#@])/.exec(tag) ?? [];
  return table === undefined || kind === undefined ? undefined : { tag, table, kind };
}
