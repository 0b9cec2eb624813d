import { TreeCycleError } from './cycle.js';
import type { Forest } from './forest.js';
import { type Item, keyOf, type List, mostIds, top } from './item.js';
import type { Node } from './types.js';

/**
 * Answers out of a forest. A walk that meets something unknown says so in its {@link Need} and goes on as far as it gets,
 * so that one round of loading brings a whole level; what it returns counts only when nothing was needed. No recursion:
 * trees may be deeper than the stack.
 */

/** What a walk did not find: ids, by their keys. */
export class Need {
  readonly rows = new Map<string, unknown>();
  readonly lists = new Map<string, unknown>();
  /** Something that the walk has met came after `since`. */
  isLate = false;
  readonly #since: number;

  /** How many levels are wanted below a list. */
  readonly #levels = new Map<string, number>();

  /** @param since - a state of the forest: what came later may be of another state of the table than the rest */
  constructor(since = Number.POSITIVE_INFINITY) {
    this.#since = since;
  }

  /** The walk goes by something that came, or was made, in that state of the forest. */
  meet(at: number): void {
    if (at > this.#since) this.isLate = true;
  }

  get isEmpty(): boolean {
    return this.rows.size === 0 && this.lists.size === 0;
  }

  list(key: string, id: unknown, levels: number): void {
    this.lists.set(key, id);
    this.#levels.set(key, levels);
  }

  /** What is needed next, now that the lists are there: one step, where a walk would begin at the top again. */
  below<Row>(forest: Forest<Row>): Need {
    const next = new Need();
    for (const [parent, levels] of this.#levels) {
      if (levels === 0) continue;
      for (const key of forest.lists.get(parent)?.keys ?? [])
        if (!forest.lists.has(key)) next.list(key, forest.items.get(key)?.id, levels - 1);
    }
    return next;
  }
}

export type Walk<Row, T> = (forest: Forest<Row>, need: Need) => T;

/** The item of a row that exists. */
function find<Row>(forest: Forest<Row>, id: unknown, need: Need): Item<Row> | undefined {
  const key = keyOf(id);
  const item = forest.items.get(key);
  if (item?.isFresh) {
    need.meet(item.filledAt);
    return item.row === null ? undefined : item;
  }
  if (item !== undefined || !forest.isComplete) need.rows.set(key, id);
  return undefined;
}

function listOf<Row>(forest: Forest<Row>, id: unknown, need: Need, levels = 0): List<Row> | undefined {
  const key = keyOf(id);
  const list = forest.lists.get(key);
  if (list?.isFresh) {
    need.meet(list.filledAt);
    return list;
  }
  if (list !== undefined || !forest.isComplete) need.list(key, id, levels);
  return undefined;
}

export function rowOf<Row>(forest: Forest<Row>, id: unknown, need: Need): Row | null {
  return find(forest, id, need)?.row ?? null;
}

export function childrenOf<Row>(forest: Forest<Row>, id: unknown, need: Need): readonly Row[] {
  const list = listOf(forest, id, need);
  if (list === undefined) return none;
  if (list.rows !== undefined && list.rowsAt >= list.changedAt) return list.rows;
  const rows: Row[] = [];
  for (const key of list.keys) {
    const item = forest.items.get(key) as Item<Row>;
    need.meet(item.filledAt);
    if (item.isFresh && item.row !== null) rows.push(item.row);
    else need.rows.set(key, item.id);
  }
  if (!need.isEmpty) return none;
  if (list.rows === undefined || list.rows.length !== rows.length || rows.some((row, at) => row !== list.rows?.[at]))
    list.rows = Object.freeze(rows);
  list.rowsAt = forest.version;
  return list.rows;
}

/** @throws TreeCycleError */
export function subtreeOf<Row>(
  tree: string,
  forest: Forest<Row>,
  id: unknown,
  depth: number,
  need: Need,
): Node<Row> | null {
  const start = find(forest, id, need);
  if (start === undefined) return null;
  const ready = builtOf(forest, start, depth, need);
  if (ready !== undefined) return ready;
  const places: Place<Row>[] = [{ item: start, left: depth, first: 0, count: 0 }];
  for (let at = 0; at < places.length; at++) {
    const place = places[at] as Place<Row>;
    if (place.left === 0 || builtOf(forest, place.item, place.left, need) !== undefined) continue;
    const list = listOf(forest, place.item.id, need, place.left - 1);
    place.first = places.length;
    for (const key of list?.keys ?? []) {
      const item = forest.items.get(key) as Item<Row>;
      if (item === start || places.length > forest.items.size) {
        closeCycle(tree, forest, start, need);
        return null;
      }
      need.meet(item.filledAt);
      if (item.isFresh && item.row !== null) places.push({ item, left: place.left - 1, first: 0, count: 0 });
      else need.rows.set(key, item.id);
    }
    place.count = places.length - place.first;
  }
  return need.isEmpty ? build(forest, places, need) : null;
}

/** A row on the way, and where those below it stand. */
interface Place<Row> {
  readonly item: Item<Row>;
  readonly left: number;
  first: number;
  count: number;
}

/** From the last to the first: whatever is below comes later. */
function build<Row>(forest: Forest<Row>, places: readonly Place<Row>[], need: Need): Node<Row> {
  const nodes = new Array<Node<Row>>(places.length);
  for (let at = places.length - 1; at >= 0; at--) {
    const { item, left, first, count } = places[at] as Place<Row>;
    nodes[at] =
      builtOf(forest, item, left, need) ??
      keep(forest, item, left, count === 0 ? none : nodes.slice(first, first + count));
  }
  return nodes[0] as Node<Row>;
}

/** What was built before, if nothing has changed in it since. */
function builtOf<Row>(forest: Forest<Row>, item: Item<Row>, left: number, need: Need): Node<Row> | undefined {
  const isWhole = left === Number.POSITIVE_INFINITY;
  const built = isWhole ? { node: item.node, at: item.builtAt } : forest.cuts.get(left)?.get(item.key);
  if (built?.node === undefined || built.at < item.changedAt) return undefined;
  need.meet(built.at);
  return built.node;
}

/** The node that was there, where it is still right. */
function keep<Row>(forest: Forest<Row>, item: Item<Row>, left: number, children: readonly Node<Row>[]): Node<Row> {
  const isWhole = left === Number.POSITIVE_INFINITY;
  const old = isWhole ? item.node : forest.cuts.get(left)?.get(item.key)?.node;
  const isRight =
    old !== undefined &&
    old.row === item.row &&
    old.children.length === children.length &&
    children.every((child, at) => child === old.children[at]);
  const node = isRight ? old : Object.freeze({ row: item.row as Row, children: Object.freeze(children) });
  if (isWhole) {
    item.node = node;
    item.builtAt = forest.version;
    return node;
  }
  let cut = forest.cuts.get(left);
  if (cut === undefined) {
    // Those who ask for many depths have no use for the old ones.
    if (forest.cuts.size >= maxCuts) forest.cuts.clear();
    cut = new Map();
    forest.cuts.set(left, cut);
  }
  cut.set(item.key, { node, at: forest.version });
  return node;
}

/** @throws TreeCycleError */
export function ancestorsOf<Row>(tree: string, forest: Forest<Row>, id: unknown, need: Need): readonly Row[] {
  const rows: Row[] = [];
  const seen = new Set<Item<Row>>();
  let at = find(forest, id, need);
  while (at !== undefined) {
    if (seen.has(at)) {
      closeCycle(tree, forest, at, need);
      return none;
    }
    seen.add(at);
    if (seen.size > 1) rows.push(at.row as Row);
    if (at.parent === top) break;
    at = find(forest, forest.parentIdOf(at), need);
  }
  return Object.freeze(rows.reverse());
}

/**
 * A row is below itself, as far as is known. Rows that came one after the other may have changed places in between: so
 * it counts once a single answer has shown all of them.
 *
 * @throws TreeCycleError
 */
function closeCycle<Row>(tree: string, forest: Forest<Row>, start: Item<Row>, need: Need): void {
  const cycle = [start];
  for (let at = forest.items.get(start.parent); at !== undefined; at = forest.items.get(at.parent)) {
    cycle.push(at);
    if (at === start || cycle.length > forest.items.size + 1) break;
  }
  const isOneAnswer = forest.isComplete || cycle.every(({ seenAt }) => seenAt === start.seenAt);
  if (isOneAnswer || cycle.length > mostIds) throw new TreeCycleError(tree, cycle.map(({ id }) => id).reverse());
  forest.begin();
  for (const item of cycle) {
    forest.doubt(item);
    need.rows.set(item.key, item.id);
  }
}

/** The rows of a subtree, each before its children, and how deep they are. */
export function* stepsOf<Row>(start: Node<Row>): Generator<{ row: Row; depth: number }> {
  const open = [{ node: start, depth: 0 }];
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const { node, depth } = step;
    yield { row: node.row, depth };
    for (let at = node.children.length - 1; at >= 0; at--)
      open.push({ node: node.children[at] as Node<Row>, depth: depth + 1 });
  }
}

const flat = new WeakMap<object, readonly unknown[]>();

/** What is below a node, flat: the same list as long as it is the same node. */
export function flatOf<Row>(node: Node<Row>): readonly Row[] {
  const known = flat.get(node);
  if (known !== undefined) return known as readonly Row[];
  const rows = Array.from(stepsOf(node), ({ row }) => row).slice(1);
  flat.set(node, Object.freeze(rows));
  return rows;
}

const none: readonly never[] = Object.freeze([]);
/** Depths whose subtrees are remembered. */
const maxCuts = 32;
