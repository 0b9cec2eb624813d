import { currentAudit, currentScope, currentUnit, keysAround } from '../../core/context.js';
import { type Gathering, gather, handUpPart } from '../../core/gather.js';
import type { Version } from '../../core/store.js';
import type { View } from '../../core/view.js';
import { type Pairs, pairsOf } from './apart.js';
import type { Matcher } from './match.js';

export interface Collecting {
  readonly name: string;
  readonly load: (inputs: readonly unknown[]) => unknown;
  readonly match: Matcher;
  readonly maxBatch: number;
  readonly apart: boolean;
}

/**
 * Collects what has to be loaded in a tick, and loads it together.
 *
 * A load serves callers of one tenant, one `vary` and one transaction, and runs in the async context of one of them: so
 * whatever it asks there (whose request is this, which connection) is true for all. What it depends on is gathered apart
 * from the loads of its callers, and each of them is handed what belongs to its own input.
 */
export class Collector {
  readonly #view: View;
  readonly #of: Collecting;
  readonly #groups = new Map<string, Group[]>();

  constructor(view: View, of: Collecting) {
    this.#view = view;
    this.#of = of;
  }

  /** @param id - the same for the same input */
  async load(input: unknown, id: unknown): Promise<unknown> {
    const { parts } = this.#view;
    const { from, pairs, value, failed } = await this.#collect(input, id);
    // Also for an error: whoever catches it makes something of it.
    handUpPart(parts, from, pairs);
    if (failed) throw value;
    return value;
  }

  #collect(input: unknown, id: unknown): Promise<Part> {
    const { parts } = this.#view;
    const group = this.#groupOf(this.#view.keyOf(''), currentUnit(parts) ?? currentAudit(parts));
    const member = group.members.get(id) ?? { input, waiting: [] };
    group.members.set(id, member);
    for (const key of keysAround(parts)) group.keys.add(key);
    const scope = parts.shared ? currentScope(parts) : undefined;
    if (scope !== undefined && scope.epoch === parts.session.epoch)
      for (const versions of scope.versions) for (const [tag, version] of versions) group.before.set(tag, version);
    const { waiting } = member;
    return new Promise((resolve) => waiting.push(resolve));
  }

  #groupOf(whose: string, unit: object | undefined): Group {
    const groups = this.#groups.get(whose) ?? [];
    let group = groups.find((one) => one.unit === unit);
    if (group !== undefined) return group;
    group = { unit, members: new Map(), keys: new Set(), before: new Map() };
    this.#groups.set(whose, [...groups, group]);
    const own = group;
    // In the context of whoever came first, as all that is scheduled from here.
    this.#afterThisTick(() => {
      const others = this.#groups.get(whose)?.filter((one) => one !== own) ?? [];
      if (others.length > 0) this.#groups.set(whose, others);
      else this.#groups.delete(whose);
      for (const members of this.#of.match.split([...own.members.values()], this.#of.maxBatch))
        void this.#loadTogether(members, own);
    });
    return group;
  }

  /** When all promises have run that can: what they ask for belongs to the batch. */
  #afterThisTick(fn: () => void): void {
    // The answers of a store come in one piece of the event loop, or in a few that follow each other.
    if (this.#view.parts.shared) setImmediate(fn);
    else void Promise.resolve().then(() => process.nextTick(fn));
  }

  async #loadTogether(members: readonly Member[], { keys, before }: Group): Promise<void> {
    const { parts } = this.#view;
    const { name, load, match, apart } = this.#of;
    const inputs = members.map(({ input }) => input);
    let from!: Gathering;
    const answer = (values: readonly unknown[], pairsFor: (input: unknown) => Pairs, failed = false) =>
      members.forEach(({ input, waiting }, i) => {
        const value = values[i];
        const part = { from, pairs: pairsFor(input), value, failed: failed || value instanceof Error };
        for (const resolve of waiting) resolve(part);
      });
    try {
      const values = await gather(
        parts,
        name,
        async (into) => {
          from = into;
          return match.values(inputs, await load(inputs));
        },
        { before, keys: [...keys] },
      );
      answer(values, apart ? pairsOf(from.scope, inputs) : () => from.scope.pairs);
    } catch (error) {
      const all = from.scope.pairs;
      answer(new Array(members.length).fill(error), () => all, true);
    }
  }
}

interface Group {
  readonly unit: object | undefined;
  readonly members: Map<unknown, Member>;
  /** The keys that callers are loading: the batch must not wait for them. */
  readonly keys: Set<string>;
  /** Versions that callers have taken before. */
  readonly before: Map<string, Version>;
}

/** One input, and all who asked for it. */
export interface Member {
  readonly input: unknown;
  readonly waiting: ((part: Part) => void)[];
}

interface Part {
  readonly from: Gathering;
  readonly pairs: Pairs;
  /** Or the error, when it failed. */
  readonly value: unknown;
  readonly failed: boolean;
}
