import { Seen } from './seen.js';

/**
 * An explicit-state checker. A model says where it starts and which steps are possible in a state; every interleaving
 * of steps is walked, breadth first, so the trace of a violation is a shortest one.
 *
 * It knows nothing of caches. What it relies on: a state is plain data (numbers, texts, lists, objects whose fields
 * always come in one order), frozen parts of it never change, and a step that is tried twice does the same.
 */
export interface Model<State> {
  start(): State;
  /** Names every step that is possible in `state`. The change is made on a copy. */
  steps(state: State, step: Step<State>): void;
  /** Why a state without steps is no proper end; undefined when it is one. */
  stuck(state: State): string | undefined;
  /** What the last change broke; emptied by the checker. */
  readonly broken: Violation[];
}

/** The label is asked for only when a trace is told, before the change is made. */
export type Step<State> = (label: () => string, change: (next: State) => void) => void;

export interface Violation {
  readonly property: string;
  readonly what: string;
}

export interface Counterexample extends Violation {
  readonly trace: readonly string[];
}

export interface Outcome {
  readonly states: number;
  readonly transitions: number;
  /** Steps of the longest shortest way to a state. */
  readonly depth: number;
  /** Whether every reachable state was seen. */
  readonly complete: boolean;
  readonly ms: number;
  /** The first counterexample of each property. */
  readonly broken: ReadonlyMap<string, Counterexample>;
}

export interface Bounds {
  /** States after which the search is given up. */
  readonly most?: number;
  /** The search may end as soon as all of these are broken. */
  readonly until?: readonly string[];
  /** Called now and then. */
  readonly progress?: (states: number, transitions: number, depth: number) => void;
}

export function explore<State>(model: Model<State>, { most = 20_000_000, until, progress }: Bounds = {}): Outcome {
  const began = performance.now();
  const broken = new Map<string, Counterexample>();
  const seen = new Seen();
  const ways = new Ways();
  const first = model.start();
  seen.add(first);
  let level = [first];
  let from = 0; // the number of the level's first state
  let states = 1;
  let transitions = 0;
  let depth = 0;
  let complete = true;

  const note = (violations: readonly Violation[], state: number, choice: number) => {
    for (const violation of violations)
      if (!broken.has(violation.property))
        broken.set(violation.property, { ...violation, trace: retell(model, ways.to(state, choice)) });
  };
  const found = () => until?.every((property) => broken.has(property)) === true;

  while (level.length > 0 && !found()) {
    const next: State[] = [];
    for (let i = 0; i < level.length && !found(); i++) {
      const state = level[i] as State;
      let choice = 0;
      model.steps(state, (_, change) => {
        const copy = clone(state);
        change(copy);
        transitions++;
        if (model.broken.length > 0) note(model.broken.splice(0), from + i, choice);
        if (states >= most) complete = false;
        else if (seen.add(copy)) {
          states++;
          next.push(copy);
          ways.add(from + i, choice);
        }
        choice++;
      });
      const why = choice === 0 ? model.stuck(state) : undefined;
      if (why !== undefined) note([{ property: 'STUCK', what: why }], from + i, -1);
    }
    from += level.length;
    level = next;
    depth++;
    progress?.(states, transitions, depth);
  }
  return {
    states,
    transitions,
    depth,
    complete: complete && level.length === 0,
    ms: performance.now() - began,
    broken,
  };
}

/** How each state was first reached: from which one, by which of its steps. Two numbers, since there are millions. */
class Ways {
  #parents = new Int32Array(1024);
  #choices = new Uint16Array(1024);
  #size = 1;

  add(parent: number, choice: number): void {
    if (this.#size === this.#parents.length) {
      const parents = new Int32Array(this.#size * 2);
      parents.set(this.#parents);
      this.#parents = parents;
      const choices = new Uint16Array(this.#size * 2);
      choices.set(this.#choices);
      this.#choices = choices;
    }
    this.#parents[this.#size] = parent;
    this.#choices[this.#size++] = choice;
  }

  /** The choices that lead to `state`, and from there one more unless it is negative. */
  to(state: number, last: number): number[] {
    const choices = last < 0 ? [] : [last];
    for (let at = state; at > 0; at = this.#parents[at] as number) choices.push(this.#choices[at] as number);
    return choices.reverse();
  }
}

/** Walks a way again, to name its steps. */
function retell<State>(model: Model<State>, choices: readonly number[]): string[] {
  const labels: string[] = [];
  let state = model.start();
  for (const chosen of choices) {
    let choice = 0;
    let next: State | undefined;
    model.steps(state, (label, change) => {
      if (choice++ !== chosen) return;
      labels.push(label());
      next = clone(state);
      change(next);
    });
    model.broken.length = 0;
    state = next as State;
  }
  return labels;
}

/** Entries and the like are frozen and never change again, so copies share them. */
function clone<T>(value: T): T {
  if (Array.isArray(value)) {
    const copy = value.slice();
    for (let i = 0; i < copy.length; i++) if (typeof copy[i] === 'object' && copy[i] !== null) copy[i] = clone(copy[i]);
    return copy as T;
  }
  if (Object.isFrozen(value)) return value;
  // A spread copies all fields at once, which is most of what a step costs.
  const copy = { ...value } as Record<string, unknown>;
  for (const name in copy) {
    const field = copy[name];
    if (typeof field === 'object' && field !== null) copy[name] = clone(field);
  }
  return copy as T;
}
