import type { Tree } from '../../src/index.js';
import { type Answer, type Asked, branchOf, type Change, type State, textOf } from './trees-history.js';
import type { Row } from './trees-table.js';

/** Chance, the same each time for the same numbers. */
export type Chance = (sides: number) => number;

/** What happens to a tree: the rows that it changes, and what of that is to be told. */
export interface Step {
  readonly kind: 'insert' | 'rename' | 'remove' | 'move';
  readonly id: number;
  readonly rows: Change;
  readonly from: number | null;
  readonly to: number | null;
}

/** A forest of two trees. */
export function firstState(size: number): State {
  const parentOf = (id: number) => (id < 2 ? null : Math.floor(id / 2) - 1);
  return new Map(Array.from({ length: size }, (_, id) => [id, { id, parent_id: parentOf(id), name: `n${id % 20}` }]));
}

/** A change that leaves a forest; undefined where chance has thrown none. @param born - the id of a row that is new */
export function randomStep(state: State, born: number, chance: Chance): Step | undefined {
  const ids = [...state.keys()];
  const id = ids[chance(ids.length)] as number;
  const row = state.get(id) as Row;
  const to = chance(5) === 0 ? null : (ids[chance(ids.length)] as number);
  const from = row.parent_id;
  const name = `n${chance(20)}`;
  const isBelow = (one: number | null) => {
    for (let at: number | null | undefined = one; at != null; at = state.get(at)?.parent_id) if (at === id) return true;
    return false;
  };
  switch (chance(5)) {
    case 0:
      return { kind: 'insert', id: born, rows: [[born, { id: born, parent_id: to, name }]], from: to, to };
    case 1:
      return { kind: 'rename', id, rows: [[id, { ...row, name }]], from, to: from };
    case 2: {
      const gone = ids.filter(isBelow);
      return gone.length > ids.length / 3
        ? undefined
        : { kind: 'remove', id, rows: gone.map((one) => [one, null]), from, to: from };
    }
    default:
      return isBelow(to) ? undefined : { kind: 'move', id, rows: [[id, { ...row, parent_id: to }]], from, to };
  }
}

/** @param ids - there are at most so many, and a few that are none are asked for too */
export function randomAsked(ids: number, chance: Chance): Asked {
  const id = chance(ids + 2);
  switch (chance(5)) {
    case 0:
      return { what: 'get', id };
    case 1:
      return { what: 'ancestors', id };
    case 2:
      return { what: 'children', id: chance(4) === 0 ? null : id };
    case 3:
      return { what: 'subtree', id: chance(3) };
    default:
      return { what: 'subtree', id, ...(chance(2) === 0 ? { depth: chance(3) } : {}) };
  }
}

export async function ask(tree: Tree<Row, number>, asked: Asked): Promise<Answer> {
  if (asked.what === 'get') return tree.get(asked.id).then((row) => row && textOf(row));
  if (asked.what === 'ancestors') return (await tree.ancestors(asked.id)).map(textOf);
  if (asked.what === 'children')
    return (await (asked.id === null ? tree.roots() : tree.children(asked.id))).map(textOf);
  const { depth } = asked;
  return branchOf(await tree.subtree(asked.id, depth === undefined ? {} : { depth }));
}
