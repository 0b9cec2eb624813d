import type { Node } from '../../src/index.js';
import type { Row } from './trees-table.js';

/**
 * Judges what readers of a tree were told while others changed it.
 *
 * Changes have an order, and each a moment before which nobody can have seen it and one at which it was acknowledged. A
 * read may lack a change only if that was not acknowledged when the read began. A tree of `rows` gives one state of the
 * table. A tree by level asks several statements: there is a moment at which all that it gives was right, but a change
 * that was under way at that moment may be in one part of it and not in another.
 */
export type State = ReadonlyMap<number, Row>;

/** Rows as they are from now on; null: there is none. */
export type Change = readonly (readonly [id: number, row: Row | null])[];
export interface Changed {
  readonly change: Change;
  /** Nobody has seen it before; who begins to read after the other must. */
  readonly began: number;
  readonly acknowledged: number;
}

export type Asked =
  | { readonly what: 'get'; readonly id: number }
  | { readonly what: 'ancestors'; readonly id: number }
  | { readonly what: 'children'; readonly id: number | null }
  | { readonly what: 'subtree'; readonly id: number; readonly depth?: number };
/** Of a row its text, of a subtree the row's and those of its children. */
export type Answer = string | null | readonly string[] | Branch;
export interface Branch {
  readonly row: string;
  readonly children: readonly Branch[];
}
export interface Reading {
  readonly asked: Asked;
  readonly answer: Answer;
  readonly began: number;
  readonly ended: number;
  /** The cache has said of a read of then that the tree changes faster than it can be read. */
  readonly isHurried?: boolean;
}

export const textOf = ({ id, parent_id, name }: Row) => `${id}<${parent_id}:${name}`;
const idOf = (text: string) => Number.parseInt(text, 10);
const rowOf = (text: string): Row => {
  const [, id, parent, name] = /^(\d+)<(\w+):(.*)$/.exec(text) as unknown as [string, string, string, string];
  return { id: Number(id), parent_id: parent === 'null' ? null : Number(parent), name };
};

export function branchOf(node: Node<Row> | null): Branch | null {
  return node && { row: textOf(node.row), children: node.children.map((it) => branchOf(it) as Branch) };
}

export function after(state: State, change: Change): State {
  const next = new Map(state);
  for (const [id, row] of change) {
    if (row === null) next.delete(id);
    else next.set(id, row);
  }
  return next;
}

/** By name, so that a rename changes the order. */
export function inOrder(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => (a.name === b.name ? a.id - b.id : a.name < b.name ? -1 : 1));
}

/** A state, and what a plain look at all of its rows gives. */
class Moment {
  readonly state: State;
  readonly #below = new Map<number | null, Row[]>();

  constructor(state: State) {
    this.state = state;
    for (const row of inOrder([...state.values()])) {
      const list = this.#below.get(row.parent_id);
      if (list === undefined) this.#below.set(row.parent_id, [row]);
      else list.push(row);
    }
  }

  row(id: number): string {
    const row = this.state.get(id);
    return row === undefined ? 'none' : textOf(row);
  }

  /** Of the rows below one. */
  ids(id: number | null): string {
    return (this.#below.get(id) ?? [])
      .map((row) => row.id)
      .sort((a, b) => a - b)
      .join();
  }

  parent(id: number): string {
    const row = this.state.get(id);
    return row === undefined ? 'none' : String(row.parent_id);
  }

  answer({ what, id, ...rest }: Asked): Answer {
    const row = this.state.get(id as number);
    if (what === 'children') return (this.#below.get(id) ?? []).map(textOf);
    if (what === 'get') return row === undefined ? null : textOf(row);
    if (what === 'subtree')
      return row === undefined ? null : this.#branch(row, 'depth' in rest ? rest.depth : undefined);
    const above: string[] = [];
    for (let at = row && this.state.get(row.parent_id as number); at; at = this.state.get(at.parent_id as number))
      above.unshift(textOf(at));
    return above;
  }

  #branch(row: Row, depth = Number.POSITIVE_INFINITY): Branch {
    const below = depth === 0 ? [] : (this.#below.get(row.id) ?? []);
    return { row: textOf(row), children: below.map((it) => this.#branch(it, depth - 1)) };
  }
}

type Piece = (moment: Moment) => string;

export class History {
  readonly #moments: Moment[];
  readonly #changes: readonly Changed[];

  constructor(first: State, changes: readonly Changed[]) {
    this.#changes = changes;
    this.#moments = [new Moment(first)];
    for (const { change } of changes)
      this.#moments.push(new Moment(after((this.#moments.at(-1) as Moment).state, change)));
  }

  /** Whether the whole answer is that of one state between what was acknowledged before and what may be seen. */
  isOneState({ asked, answer, began, ended }: Reading): boolean {
    const given = JSON.stringify(answer);
    for (let at = this.#last(ended); at >= 0; at--) {
      if (JSON.stringify((this.#moments[at] as Moment).answer(asked)) === given) return true;
      const made = this.#changes[at - 1];
      // One that has changed nothing has told nobody of those before it.
      if (made !== undefined && made.change.length > 0 && made.acknowledged < began) return false;
    }
    return false;
  }

  /**
   * Whether there is a moment within the read, such that each row and each list of the answer has what was acknowledged
   * before it, and nothing that was begun after it; where it was hurried, each of them has its own such moment.
   *
   * @returns what is not so
   */
  firstWrong({ asked, answer, began, ended, isHurried }: Reading): string | undefined {
    if (isHurried) return this.#wrongWithin(began, ended, asked, answer);
    const between = this.#changes.flatMap((it) => [it.began, it.acknowledged]).filter((at) => at > began && at < ended);
    let wrong: string | undefined;
    for (const moment of [began, ...between, ended]) {
      wrong = this.#wrongWithin(moment, moment, asked, answer);
      if (wrong === undefined) return undefined;
    }
    return wrong;
  }

  #wrongWithin(from: number, to: number, asked: Asked, answer: Answer): string | undefined {
    const { what, id } = asked;
    const may = (piece: Piece, value: string) => this.#values(from, to, piece).includes(value);
    const row = (of: number, value: string) => (may((it) => it.row(of), value) ? undefined : `row ${of}: ${value}`);
    // Who is in a list is one thing, and what each of them is another: a change may tell of the latter alone.
    const list = (of: number | null, value: readonly string[]) => {
      const inIt = value.map(idOf).sort((a, b) => a - b);
      if (!may((it) => it.ids(of), inIt.join()) || value.join() !== inOrder(value.map(rowOf)).map(textOf).join())
        return `below ${of}: ${value}`;
      return value.map((text) => row(idOf(text), text)).find((it) => it !== undefined);
    };
    if (what === 'get') return row(id, (answer as string | null) ?? 'none');
    if (what === 'children') return list(id, answer as string[]);
    if (what === 'subtree') {
      if (answer === null) return row(id, 'none');
      const depth = asked.depth ?? Number.POSITIVE_INFINITY;
      const wrong = row(id, (answer as Branch).row);
      const below = ({ row: text, children }: Branch, left: number): string | undefined => {
        if (left === 0) return undefined;
        const rows = children.map((it) => it.row);
        return list(idOf(text), rows) ?? children.map((it) => below(it, left - 1)).find((it) => it !== undefined);
      };
      return wrong ?? below(answer as Branch, depth);
    }
    let at = id;
    for (const above of [...(answer as string[])].reverse()) {
      const parent = idOf(above);
      if (!may((it) => it.parent(at), String(parent))) return `${parent} is not above ${at}`;
      const wrong = row(parent, above);
      if (wrong !== undefined) return wrong;
      at = parent;
    }
    const isTop = this.#values(from, to, (it) => it.parent(at)).some(
      (parent) => parent === 'none' || parent === 'null' || may((it) => it.row(Number(parent)), 'none'),
    );
    return isTop ? undefined : `${at} is not the top`;
  }

  /** Whether a change was under way while it was read. */
  isOverlapped({ began, ended }: Reading): boolean {
    return this.#changes.some((it) => it.began < ended && it.acknowledged >= began);
  }

  /** From the newest that can have been seen by the end to the one that the last change of it acknowledged before the start has made. */
  #values(from: number, to: number, piece: Piece): string[] {
    let at = this.#last(to);
    const values = [piece(this.#moments[at] as Moment)];
    for (; at > 0; at--) {
      const before = piece(this.#moments[at - 1] as Moment);
      if (before === values.at(-1)) continue;
      if ((this.#changes[at - 1] as Changed).acknowledged <= from) break;
      values.push(before);
    }
    return values;
  }

  #last(ended: number): number {
    let at = this.#changes.length;
    while (at > 0 && (this.#changes[at - 1] as Changed).began > ended) at--;
    return at;
  }
}

/** What is wrong with the first of these that is: by `rows` an answer is one state, by level its parts are of one moment. */
export function wrongOf(form: 'rows' | 'levels', readings: readonly Reading[], history: History): string | undefined {
  for (const reading of readings) {
    const told = `${JSON.stringify(reading.asked)} gave ${JSON.stringify(reading.answer)}`;
    if (form === 'rows' && !history.isOneState(reading)) return `${told}: there was no such state`;
    const wrong = form === 'levels' ? history.firstWrong(reading) : undefined;
    if (wrong !== undefined) return `${told}: ${wrong}`;
  }
  return undefined;
}
