import type { Draft } from './draft.js';
import type { Column } from './types.js';

export type Link = readonly [child: Draft, parent: Draft, isPartition: boolean];

/**
 * Partitions and tables that inherit: the same row is found under several names, so they share the tag of their root,
 * and what a write of one of them does, it may do to all. There may be thousands, so nothing here compares each with
 * each but what tables that inherit need.
 */
export function joinFamilies(links: readonly Link[]): void {
  for (const family of familiesOf(links)) {
    const own = links.filter(([child]) => family.has(child));
    const members = [...family];
    const children = new Set(own.map(([child]) => child));
    // A table may inherit from several; any of their roots does, if it is always the same one.
    const root = members.filter((it) => !children.has(it)).sort((a, b) => (a.tag < b.tag ? -1 : 1))[0] ?? members[0]!;
    const isPartitioned = own.every(([, , isPartition]) => isPartition);
    const triggers = [...new Set(members.flatMap((it) => it.triggers))];
    const unreadable = members.find((it) => it.unreadable !== undefined)?.unreadable;
    const returnable = members.every((it) => it.returnable);
    const all = members.map((it) => it.columns);
    for (const member of members) {
      member.tag = root.tag;
      // A key of a table that inherits does not hold for the others, who may have a row of the same key. A partition
      // may have another key than its root, and a row's tag must be the same whichever way it is reached.
      member.primaryKey = isPartitioned ? root.primaryKey : [];
      member.triggers = triggers;
      member.children = root.children;
      member.unreadable = unreadable;
      member.returnable = returnable;
      if (!isPartitioned) member.columns = sharedColumns(member.columns, all);
    }
  }
}

/** Whoever writes by a parent's name cannot name the value of a column that only a child has. */
function sharedColumns(columns: ReadonlyMap<string, Column>, all: readonly ReadonlyMap<string, Column>[]) {
  const isShared = (key: string, { type }: Column) => all.every((others) => others.get(key)?.type === type);
  return new Map([...columns].map(([key, it]) => [key, isShared(key, it) ? it : { ...it, type: 'other' as const }]));
}

function familiesOf(links: readonly Link[]): Set<Set<Draft>> {
  const familyOf = new Map<Draft, Set<Draft>>();
  const of = (draft: Draft) => {
    const family = familyOf.get(draft) ?? new Set([draft]);
    familyOf.set(draft, family);
    return family;
  };
  for (const [child, parent] of links) {
    const [small, large] = [of(child), of(parent)].sort((a, b) => a.size - b.size) as [Set<Draft>, Set<Draft>];
    if (small === large) continue;
    for (const it of small) {
      large.add(it);
      familyOf.set(it, large);
    }
  }
  return new Set(familyOf.values());
}
