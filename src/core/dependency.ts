import { expected } from './errors.js';
import { ownTag } from './identity.js';
import { warnOnce } from './warn.js';

const brand: unique symbol = Symbol.for('unstale.dependency');

/** Rows of a table, as something to depend on or to invalidate. Made by {@link table}. */
export interface Dependency {
  readonly [brand]: true;
}

interface Held extends Dependency {
  /** What a value depends on that was read from these rows. */
  readonly reads: readonly string[];
  /** What a write of these rows ends. */
  readonly writes: readonly string[];
}

export function makeDependency(reads: readonly string[], writes: readonly string[]): Dependency {
  return Object.freeze({ [brand]: true, reads, writes } satisfies Held as Held);
}

/** A tag, or a dependency such as `table('orders', { tenant: 'acme' })`. */
export type What<Tag extends string> = Tag | Dependency;

/** `user:undefined`, `user:[object Object]`: no error, and no row either. */
const suspicious = /\[object |[:=](?:undefined|null|NaN)$/;

/** From what was said to tags as the cache keeps them: for those who read it, or for those who wrote it. @throws TypeError */
export function tagsOfWhat(what: readonly unknown[], side: 'reads' | 'writes'): string[] {
  const tags: string[] = [];
  for (const one of what) {
    if (typeof one === 'string' && one !== '') {
      if (suspicious.test(one))
        warnOnce(`tag:${one}`, `The tag '${one}' looks as if something was missing when it was made.`);
      tags.push(ownTag(one));
    } else if (typeof one === 'object' && one !== null && brand in one) tags.push(...(one as Held)[side]);
    else throw expected('tag', 'a non-empty text or table(…)', one);
  }
  return tags;
}

/** The same of an option, which may be anything. @throws TypeError */
export function tagsOfOption(tags: unknown, side: 'reads' | 'writes'): string[] {
  if (!Array.isArray(tags)) throw expected('tags', 'a list of texts or table(…)', tags);
  return tagsOfWhat(tags, side);
}
