import type { Store } from '../../src/index.js';

/**
 * Stores in which a change of a tree does not tell all that it should, or not in the order in which it should: whoever
 * writes a tree by himself is likely to make one of them.
 */
export type Naive = 'forgets its rows' | 'forgets its lists' | 'forgets its mark' | 'raises its mark before its parts';

/** What a store does with the tags of a change. */
type Raising = (tags: readonly string[], raise: (tags: readonly string[]) => Promise<unknown>) => Promise<unknown>;

const rowTag = /!tree#\d+$/;
const listTag = /!tree\/\d+$/;
const mark = /!tree$/;

const without =
  (kind: RegExp): Raising =>
  async (tags, raise) => {
    const rest = tags.filter((tag) => !kind.test(tag));
    if (rest.length > 0) await raise(rest);
  };

/** A reader who sees the mark and not yet the parts takes them for all of the change. */
function marksFirst(pause: () => Promise<unknown>): Raising {
  const kept = new Set<string>();
  return async (tags, raise) => {
    if (tags.every((tag) => rowTag.test(tag) || listTag.test(tag))) {
      for (const tag of tags) kept.add(tag);
      return;
    }
    const parts = [...kept];
    kept.clear();
    await raise(tags);
    await pause();
    if (parts.length > 0) await raise(parts);
  };
}

/** @param pause - between a mark and its parts */
export function naive(store: Store, kind: Naive, pause: () => Promise<unknown>): Store {
  const raising = {
    'forgets its rows': without(rowTag),
    'forgets its lists': without(listTag),
    'forgets its mark': without(mark),
    'raises its mark before its parts': marksFirst(pause),
  }[kind];
  return {
    kind: store.kind,
    open(context) {
      const session = store.open(context);
      const { read, raise } = session;
      session.raise = async (tags, timeout) => {
        await raising(tags, (some) => raise.call(session, some, timeout));
        return (await read.call(session, undefined, tags)).versions;
      };
      return session;
    },
  };
}
